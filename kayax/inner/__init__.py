"""Paddle's own inner paths, such as ``paddle.nn.layer.conv.Conv2D``: real code imports them, so they resolve here.

`table` says which public modules the names of each path are found in. A path becomes a module when it is first used.
"""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

from kayax.inner.table import PATHS

_ROOT = "kayax."


class InnerModule(types.ModuleType):
    """A module whose names are those of public modules."""

    def __getattr__(self, name: str) -> Any:
        path = self.__name__.removeprefix(_ROOT)
        if name == "__all__":
            return dir(self)
        found = _child(path, name)
        if found is None:
            found = _lookup(path, name)
        if found is not _MISSING:
            return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}: it has the names of "
                             f"{' and '.join(_ROOT + p if p else 'kayax' for p in PATHS[path])}.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function of the same name, whose place in its package the module takes when it is imported."""
        function = self.__dict__.get("_function")
        if function is None:
            raise TypeError(f"{self.__name__!r} is a module: it cannot be called.")
        return function(*args, **kwargs)

    def __dir__(self) -> list[str]:
        path = self.__name__.removeprefix(_ROOT)
        return sorted({n for place in PATHS[path] for n in dir(_module(place)) if not n.startswith("_")})


_MISSING = object()


def _module(place: str) -> Any:
    return importlib.import_module(_ROOT + place if place else "kayax")


def _child(path: str, name: str) -> Any:
    child = f"{path}.{name}"
    return importlib.import_module(_ROOT + child) if child in PATHS else None


def _lookup(path: str, name: str) -> Any:
    if name.startswith("__"):
        return _MISSING
    for place in PATHS.get(path, ()):
        found = getattr(_module(place), name, _MISSING)
        if found is not _MISSING:
            return found
    return _MISSING


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the module of an inner path when it is imported."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if not fullname.startswith(_ROOT) or fullname.removeprefix(_ROOT) not in PATHS:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> InnerModule:
        return InnerModule(spec.name, f"Paddle's inner path to public names of {', '.join(PATHS[spec.name[6:]])}.")

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run; a function that has the module's name is remembered."""
        parent, _, name = module.__name__.rpartition(".")
        found = vars(sys.modules[parent]).get(name) if parent in sys.modules else None
        if callable(found):
            module._function = found                    # type: ignore[attr-defined]
        elif module.__name__ == f"{_ROOT}tensor":       # `paddle.tensor(data)` makes one
            module._function = _module("").as_tensor    # type: ignore[attr-defined]


def install(modules: Sequence[types.ModuleType]) -> None:
    """Let inner paths be imported, and be attributes of these public modules."""
    finder = _Finder()
    sys.meta_path.append(finder)
    for module in modules:
        path = module.__name__.removeprefix(_ROOT)
        if not hasattr(module, "__path__"):
            module.__path__ = []                        # inner paths may lie below it
        own = getattr(module, "__getattr__", None)
        module.__getattr__ = _fallback(module.__name__, path, own)      # type: ignore[method-assign]
        for name in [p.rpartition(".")[2] for p in PATHS if p.rpartition(".")[0] == path]:
            full = f"{module.__name__}.{name}"
            if name in module.__dict__ and full not in sys.modules:     # a function of this name stays the attribute
                sys.modules[full] = importlib.util.module_from_spec(finder.find_spec(full))


def _fallback(owner: str, path: str, own: Any) -> Any:
    """The ``__getattr__`` of a public module: its own, then the inner paths below it, then its places in the table."""
    def lookup(name: str) -> Any:
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                if _child(path, name) is None and _lookup(path, name) is _MISSING:
                    raise
        found = _child(path, name)
        if found is None:
            found = _lookup(path, name)
        if found is _MISSING:
            raise AttributeError(f"module {owner!r} has no attribute {name!r}")
        return found

    return lookup
