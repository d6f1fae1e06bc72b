"""``paddle.jit.marker``: what a function or Layer says of its own conversion."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.api import not_to_static

F = TypeVar("F", bound=Callable)


def unified(fn: Any = None, *, for_sot: bool = True, for_ast: bool = True) -> Any:
    """Mark a function or a Layer's class that runs the same eagerly and converted: its source is not rewritten.

    There is one way of converting here, so either flag is enough.
    """
    if fn is None:
        return lambda function: unified(function, for_sot=for_sot, for_ast=for_ast)
    if for_sot or for_ast:
        not_to_static(_code_of(fn))
    return fn


def capture_control_flow(fn: F | None = None) -> Any:
    """Mark a function whose `if`, `while` and `for` become parts of the program, as everywhere here."""
    return capture_control_flow if fn is None else fn


def force_dynamic(fn: Any = None) -> Any:
    """Mark a function or a Layer's class that runs eagerly, and so does what calls it (an error with full_graph)."""
    if not callable(fn):
        raise TypeError(f"force_dynamic marks a function or a Layer's class, but got {type(fn).__name__}.")
    _code_of(fn)._force_dynamic = True
    return fn


def _code_of(fn: Any) -> Any:
    return getattr(fn, "forward", fn) if isinstance(fn, type) else fn


def dynamic_dims(tensor: Tensor, dims: int | Sequence[int]) -> None:
    """Say which dimensions of a tensor change from call to call.

    Each size has a program of its own here, whatever is said; `jit.save` takes open dims from an InputSpec.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"dynamic_dims marks a Tensor, but got {type(tensor).__name__}.")
    found = (dims,) if isinstance(dims, int) else dims
    if not isinstance(found, (list, tuple)) or not all(isinstance(d, int) for d in found):
        raise TypeError(f"dims must be an int, or a list or tuple of ints, but got {dims!r}.")


__all__ = ["capture_control_flow", "dynamic_dims", "force_dynamic", "not_to_static", "unified"]
