"""The rooms' arrows, spec <- bridge <- layers <- io <- kayax, and what no file may import."""
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["spec", "bridge", "layers", "io", "kayax"]             # each may import from those to its left, and itself
FILES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
JAX = {"jax", "jaxlib", "flax", "optax", "equinox", "orbax", "ml_dtypes"}
# Rooms, and rooms within rooms, that only look at Python: they work, and are tested, without tracing anything.
WITHOUT_JAX = {"spec": JAX - {"ml_dtypes"}, "bridge/to_static/source": JAX, "bridge/to_static/passes": JAX}


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that `file` imports, in functions and for type checkers too."""
    inside = file.relative_to(ROOT).with_suffix("").parts
    package = ["kayax", *inside] if inside[0] != "kayax" else list(inside)
    package = package[:-1]                                      # of a module: its package; of __init__: itself
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def room_of(name: str) -> str | None:
    """The room that a dotted name lies in: kayax.bridge.tensor -> bridge, kayax.nn -> kayax, os.path -> None."""
    head, *rest = name.split(".")
    if head != "kayax":
        return None
    return rest[0] if rest and rest[0] in ROOMS[:-1] else "kayax"


def where(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_the_rooms_to_its_left(room):
    allowed = {None, *ROOMS[:ROOMS.index(room) + 1]}
    wrong = [f"{where(file, line)} imports {name}" for file in FILES if file.relative_to(ROOT).parts[0] == room
             for line, name in imports(file) if room_of(name) not in allowed]
    assert not wrong, "\n".join(wrong)


def test_rooms_are_imported_inside_kayax_only():
    tops = {name.split(".")[0] for file in FILES for _, name in imports(file)}
    assert not tops & {"spec", "bridge", "layers"}, "a room is imported at top level; write kayax.<room>"


@pytest.mark.parametrize("folder", WITHOUT_JAX)
def test_these_never_import_jax(folder):
    wrong = [f"{where(file, line)} imports {name}" for file in sorted((ROOT / folder).rglob("*.py"))
             for line, name in imports(file) if name.split(".")[0] in WITHOUT_JAX[folder]]
    assert not wrong, "\n".join(wrong)


def test_only_public_jax():
    private = re.compile(r"\bjax(lib)?\._src|from jax(lib)? import _src")
    folders = [*ROOMS, "tests", "examples", "benchmarks"]
    wrong = [where(file, number) for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))
             if file != Path(__file__)
             for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if private.search(line)]
    assert not wrong, "\n".join(wrong)


def test_every_folder_with_code_is_a_package():
    folders = {file.parent for file in FILES}
    bare = [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()]
    assert not bare, f"no __init__.py, so not installed: {bare}"
