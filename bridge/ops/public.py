"""Which operations are public under ``paddle`` itself, gathered from the topics."""
from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import kayax.bridge.ops as _ops
from kayax.bridge.keywords import accepting

# Topics of nn.functional: what they define is public there alone.
FUNCTIONAL = ("activation", "attention", "common", "conv", "dropout", "extension", "loss", "norm", "padding", "pool",
              "rearrange", "resample", "rnn", "vision", "windows")


# What of them is public under paddle itself, too.
ALSO_TOP_LEVEL = ("adaptive_avg_pool1d", "conv1d", "conv2d", "conv3d", "group_norm", "layer_norm")


def _topics() -> list[ModuleType]:
    names = [m.name for m in pkgutil.iter_modules(_ops.__path__) if m.name not in ("public", "operators", "promotion")]
    return [importlib.import_module(f"kayax.bridge.ops.{n}") for n in sorted(names)]


def _is_functional(module: ModuleType) -> bool:
    return module.__name__.rpartition(".")[2].split("_")[0] in {n.split("_")[0] for n in FUNCTIONAL}


def _gather(modules: list[ModuleType], attribute: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in modules:
        for name in getattr(module, attribute, ()):
            value = getattr(module, name)
            if inspect.isfunction(value):
                value = accepting(value)
            if found.setdefault(name, value) is not value:
                raise ValueError(f"{name} is public twice: in {found[name].__module__} and in {module.__name__}.")
            inplace = getattr(value, "inplace", None)
            if inplace is not None:
                found.setdefault(name + "_", inplace)
    return found


_modules = _topics()
TOP_LEVEL = _gather([m for m in _modules if not _is_functional(m)], "__all__")
LINALG = _gather(_modules, "LINALG")
FFT = _gather(_modules, "FFT")
SIGNAL = _gather(_modules, "SIGNAL")
FUNCTIONAL_NAMES = _gather([m for m in _modules if _is_functional(m)], "__all__")
TOP_LEVEL |= {name: FUNCTIONAL_NAMES[name] for name in ALSO_TOP_LEVEL}

from kayax.bridge.ops import operators as _operators  # noqa: E402,F401  (attaches the dunder methods)
