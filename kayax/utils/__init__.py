"""``paddle.utils``."""
from __future__ import annotations

import functools
import importlib
import re
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from kayax.utils import cpp_extension, dlpack, download, unique_name
from kayax.utils.structure import flatten, is_sequence, map_structure, pack_sequence_as, to_sequence

_VERSION = re.compile(r"\d+(\.\d+){0,3}")


def try_import(module_name: str, err_msg: str | None = None) -> ModuleType:
    """The module of this name, or an ImportError that says how to get it (or `err_msg`)."""
    try:
        return importlib.import_module(module_name)
    except ImportError as error:
        name = {"cv2": "opencv-python"}.get(module_name, module_name)
        says = err_msg or f"{module_name} is needed here and is not installed: `pip install {name}`."
        raise ImportError(says) from error


def require_version(min_version: str, max_version: str | None = None) -> None:
    """An Exception unless the version of Paddle whose API this is (`paddle.version.full_version`) is in the range."""
    from kayax import version
    for name, wanted in (("min_version", min_version), ("max_version", max_version)):
        if wanted is None and name == "max_version":
            continue
        if not isinstance(wanted, str):
            raise TypeError(f"{name} must be a string, but got {wanted!r}.")
        if not _VERSION.fullmatch(wanted):
            raise ValueError(f"{name} must be up to four numbers with points, such as '2.6.0', but got {wanted!r}.")
    here = _numbers(version.full_version)
    if here < _numbers(min_version) or (max_version is not None and here > _numbers(max_version)):
        raise Exception(f"This needs Paddle {min_version} or later{f', up to {max_version}' if max_version else ''}, "
                        f"and the API here is that of {version.full_version}.")


def _numbers(version: str) -> list[int]:
    return [int(n) for n in (version.split(".") + ["0"] * 4)[:4]]


def run_check() -> None:
    """Train a small layer for a step, eagerly and converted, on the current device, and say that it works."""
    paddle: Any = importlib.import_module("kayax")
    layer = paddle.nn.Linear(4, 2)
    x = paddle.ones([3, 4])
    losses = [float(f(x).sum()) for f in (layer, paddle.jit.to_static(layer.forward))]
    if abs(losses[0] - losses[1]) > 1e-4 * (1 + abs(losses[0])):
        raise RuntimeError(f"The same layer gives {losses[0]} eagerly and {losses[1]} converted.")
    loss = layer(x).sum()
    loss.backward()
    paddle.optimizer.SGD(0.1, parameters=layer.parameters()).step()
    print(f"Kayax works on {paddle.get_device()}.")


def deprecated(update_to: str = "", since: str = "", reason: str = "", level: int = 0) -> Callable:
    """Decorate a function that is deprecated: level 1 warns when it is called, 2 is a RuntimeError then, 0 says it in
    the docstring alone."""
    def decorator(func: Callable) -> Callable:
        says = f"{func.__module__}.{func.__qualname__} is deprecated" + (f" since {since}" if since else "") + "."
        says += (f" Use {update_to}." if update_to else "") + (f" {reason}" if reason else "")

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if level == 2:
                raise RuntimeError(says)
            if level == 1:
                warnings.warn(says, DeprecationWarning, stacklevel=2)
            return func(*args, **kwargs)

        wrapper.__doc__ = f"{says}\n\n{func.__doc__ or ''}"
        return wrapper

    return decorator


__all__ = ["cpp_extension", "deprecated", "dlpack", "download", "flatten", "is_sequence", "map_structure",
           "pack_sequence_as", "require_version", "run_check", "to_sequence", "try_import", "unique_name"]
