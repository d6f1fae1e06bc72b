"""An installed Kayax holds every file, brings no top-level names but its own, and is the one that is imported."""
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["spec", "bridge", "layers", "io"]
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
OFFLINE = ["--no-deps", "--no-build-isolation"]

# Where each module of the project was found, one a line; and what the rooms' names mean at top level.
SHOW = """
import importlib.util, pathlib, sys
import kayax, kayax.spec.dtype, kayax.bridge.tensor, kayax.layers, kayax.io, io
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] == "kayax" and getattr(module, "__file__", None):
        print(pathlib.Path(module.__file__).resolve())
assert "StringIO" in vars(io), io
if not (pathlib.Path.cwd() / "bridge").exists():
    assert not any(importlib.util.find_spec(name) for name in ("spec", "bridge", "layers")), sys.path
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ["pyproject.toml", "setup.py", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, copy)
    for room in ["kayax", *ROOMS]:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*_cache"))
    return copy


def show(folder: Path, *setup: str) -> list[Path]:
    """The files of the project that a new process imports from `folder`, with `setup` run first."""
    # -S: the environment's own install of Kayax is a .pth file, and none is read; its other packages are added by hand.
    code = "\n".join(["import site, sys", *setup, f"sys.path.append({sysconfig.get_path('purelib')!r})", SHOW])
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def plain(source, tmp_path_factory):
    """A plain install in a folder of its own."""
    target = tmp_path_factory.mktemp("plain")
    subprocess.run([*PIP, "install", *OFFLINE, "--target", str(target), str(source)], check=True, timeout=600)
    return target


def test_a_plain_install_is_complete(source, plain):
    tops = {entry.name for entry in plain.iterdir() if not entry.name.endswith(".dist-info")}
    assert tops == {"kayax", "bin"}
    assert [entry.name for entry in (plain / "bin").iterdir()] == ["kayax"]         # the command
    homes = {"kayax": plain} | dict.fromkeys(ROOMS, plain / "kayax")
    for room, home in homes.items():
        for file in (source / room).rglob("*.py"):
            assert (home / file.relative_to(source)).is_file(), f"{file.relative_to(source)} is not installed"
    assert (plain / "kayax" / "py.typed").is_file()


def test_a_plain_install_is_imported_from_anywhere(plain, tmp_path):
    found = show(tmp_path, f"sys.path.insert(0, {str(plain)!r})")
    assert found and all(file.is_relative_to(plain) for file in found)


def test_from_the_checkout_beside_a_plain_install(source, plain):
    # The current folder comes first on sys.path, and has ./kayax: then all rooms must come from there.
    found = show(source, f"sys.path.insert(1, {str(plain)!r})")
    assert found and all(file.is_relative_to(source) for file in found)


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_an_editable_install_is_imported_from_anywhere(source, mode, tmp_path):
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([*PIP, "install", *OFFLINE, "--target", str(target), "--config-settings", f"editable_mode={mode}",
                    "-e", str(source)], check=True, timeout=600)
    for folder in (source, elsewhere):
        found = show(folder, f"site.addsitedir({str(target)!r})")
        assert found and all(file.is_relative_to(source) for file in found)


def test_this_environment_imports_one_kayax():
    done = subprocess.run([sys.executable, "-c", SHOW], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert all(Path(line).is_relative_to(ROOT) for line in done.stdout.splitlines())
