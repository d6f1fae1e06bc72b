"""``paddle`` and ``paddle.x.y`` as other names of ``kayax`` and ``kayax.x.y``: the same module objects."""
from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Alias(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != "paddle" and not fullname.startswith("paddle."):
            return None
        name = f"kayax{fullname.removeprefix('paddle')}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise ModuleNotFoundError(f"Kayax has no module for {fullname!r}.", name=fullname) from None
        return ModuleSpec(fullname, self, origin=getattr(module, "__file__", None))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(f"kayax{spec.name.removeprefix('paddle')}")
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own         # the import system has put the alias's there


def install() -> None:
    """From now on `import paddle` gives this package, whether or not real Paddle is installed."""
    if any(isinstance(finder, _Alias) for finder in sys.meta_path):
        return
    for name in [n for n in sys.modules if n == "paddle" or n.startswith("paddle.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Alias())
    importlib.import_module("paddle")
