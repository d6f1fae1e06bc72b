"""``paddle.hub``: models from a folder with a ``hubconf.py``, and weights from a URL."""
from __future__ import annotations

import builtins
import hashlib
import importlib.util
import os
import sys
import tempfile
import urllib.request
from typing import Any
from urllib.parse import urlparse

import kayax as _paddle

_CACHE = os.path.join(os.path.expanduser("~"), ".cache", "paddle", "hub")


def list(repo_dir: str, source: str = "github", force_reload: bool = False) -> builtins.list[str]:
    """The names of the models that a repository's ``hubconf.py`` offers.

    source: "local", a folder. From "github" and "gitee" nothing is fetched: clone the repository, and name the folder.
    """
    module = _hubconf(repo_dir, source)
    return [n for n in dir(module) if not n.startswith("_") and callable(getattr(module, n))]


def help(repo_dir: str, model: str, source: str = "github", force_reload: bool = False) -> str:
    """The docstring of a model. Arguments as in `list`."""
    return _entry(_hubconf(repo_dir, source), model).__doc__


def load(repo_dir: str, model: str, source: str = "github", force_reload: bool = False, **kwargs: Any) -> Any:
    """Call a model's function with `kwargs`, and give what it makes. Arguments as in `list`."""
    module = _hubconf(repo_dir, source)
    missing = [name for name in getattr(module, "dependencies", None) or () if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"The model needs packages that are not installed: {', '.join(missing)}.")
    return _entry(module, model)(**kwargs)


def load_state_dict_from_url(url: str, model_dir: str | None = None, check_hash: Any = False,
                             file_name: str | None = None, map_location: str | None = None) -> Any:
    """Fetch a state file, once, and load it as `paddle.load` does.

    model_dir: where it is kept, ``~/.cache/paddle/hub/checkpoints`` if None. check_hash: the SHA-256 of the file, or
    its first digits. file_name: its name there. map_location: "numpy" or "np" for arrays, else accepted without effect.
    """
    if map_location not in (None, "cpu", "gpu", "xpu", "npu", "numpy", "np"):
        raise AssertionError(f"map_location must be 'cpu', 'gpu', 'xpu', 'npu' or 'numpy', but got {map_location!r}.")
    folder = model_dir or os.path.join(_CACHE, "checkpoints")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if not os.path.exists(path):
        print(f'Downloading: "{url}" to {path}', file=sys.stderr)
        _fetch(url, path, check_hash if isinstance(check_hash, str) else "")
    return _paddle.load(path, return_numpy=map_location in ("numpy", "np"))


def _fetch(url: str, path: str, wanted: str) -> None:
    """Download under another name, check, and rename, so that no half file is ever taken for a whole one."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
        try:
            with urllib.request.urlopen(url) as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    file.write(block)
            if not digest.hexdigest().startswith(wanted.lower()):
                raise RuntimeError(f"The file at {url} has the SHA-256 {digest.hexdigest()}, which does not start with "
                                   f"{wanted}: it is not the one that was expected.")
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _hubconf(folder: str, source: str) -> Any:
    if source in ("github", "gitee"):
        raise NotImplementedError(f"paddle.hub does not fetch repositories: clone {folder!r} from {source}, and call "
                                  "it with the folder and source='local'.")
    if source != "local":
        raise ValueError(f"source must be 'local', 'github' or 'gitee', but got {source!r}.")
    path = os.path.join(folder, "hubconf.py")
    if not os.path.isfile(path):
        raise RuntimeError(f"{folder} has no hubconf.py, the file that names its models.")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise RuntimeError(f"{path} cannot be imported: {error}") from error
    finally:
        sys.path.remove(folder)
    return module


def _entry(module: Any, name: str) -> Any:
    if not isinstance(name, str):
        raise ValueError(f"The model must be named by a string, but got {type(name).__name__}.")
    function = getattr(module, name, None)
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {name} in hubconf.py.")
    return function


__all__ = ["help", "list", "load", "load_state_dict_from_url"]
