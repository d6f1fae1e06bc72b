"""Errors in the user's terms: which line of the user's file, what was given, what to do."""
from __future__ import annotations

import functools
import linecache
import os
import site
import sys
import sysconfig
from types import FrameType

import jax

from kayax.spec.errors import ArgumentError, RangeError

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_INSTALLED = os.path.exists(os.path.join(_HERE, "__init__.py"))         # the rooms lie inside kayax/, not beside it
# Frames in these folders are ours or JAX's, never the user's.
_ROOMS = (*(os.path.join(_HERE, room) + os.sep for room in ("spec", "bridge", "layers", "io", "kayax")),
          os.path.dirname(os.path.abspath(jax.__file__)) + os.sep) + ((_HERE + os.sep,) if _INSTALLED else ())
_LIBRARIES = tuple({os.path.realpath(p) + os.sep for p in (
    *site.getsitepackages(), site.getusersitepackages(), sysconfig.get_paths()["stdlib"],
    sysconfig.get_paths()["platstdlib"])})


class LeakedTensorError(RuntimeError):
    """A Tensor made inside a converted function is used after that call has ended."""

    def __init__(self, where: str):
        super().__init__(
            f"This Tensor was made inside a converted function, at {where}, and that call has ended: it has no value.\n"
            "Converted code runs as one program, which keeps only what it returns. Either\n"
            "  1. return the Tensor from the function, or\n"
            "  2. register it as a buffer (`layer.register_buffer(name, tensor)`) and write into it in place, or\n"
            "  3. leave the function in eager mode (`paddle.jit.not_to_static`).")


class ConversionError(RuntimeError):
    """Something in a function cannot become part of an XLA program."""


class TensorConversionError(ConversionError, TypeError):
    """A Tensor's value was asked for while its function was being converted, when no value exists yet."""


class DataDependentShapeError(ConversionError):
    """The shape of a result depends on the values of a Tensor, which a program cannot express."""


class OpenDimensionError(ConversionError, ValueError):
    """A function needs to know more about an open dimension of its inputs than its InputSpec says."""


class UndecidedSizeError(OpenDimensionError, jax.errors.InconclusiveDimensionOperation):
    """What is asked of an open dimension is so for some sizes alone. (No handler of the user's may answer it.)"""


class SizeKeyError(OpenDimensionError, TypeError):
    """An open dimension is used as a key, where it would count as one size."""


def fitting(error: Exception) -> tuple[type[Exception], str]:
    """The type and the words for an error that an operation, or JAX in it, raised about its arguments."""
    if isinstance(error, ZeroDivisionError):
        return ArgumentError, "a size or a number is 0 where it must not be."
    if isinstance(error, IndexError):
        few = "tuple index out of range" in str(error)
        return RangeError, "an argument has too few dimensions for this operation." if few else str(error)
    return ArgumentError, str(error)


def alias_written() -> ConversionError:
    """The error for an in-place write whose target a tensor's value decided."""
    return ConversionError(
        "A tensor is changed in place that may be one or another of those that were there before a branch or loop: "
        f"which of them would change depends on a tensor's value.{at_user_line()}\nUse the out-of-place operation, or "
        "clone() the tensor first.")


class FallbackWarning(UserWarning):
    """A converted function runs eagerly: the message says which, and why."""


class KeptError(ConversionError):
    """A function keeps a tensor of the program where it has looked before."""


class KeptShapeError(KeptError, ValueError):
    """A function keeps a tensor of another shape or dtype where a program has a cell."""


def is_ours(filename: str) -> bool:
    """Whether a source file belongs to this package or to JAX."""
    return filename.startswith(_ROOMS)


@functools.cache
def is_foreign(filename: str) -> bool:
    """Whether a source file is not the user's own: this package's or JAX's, Python's, or an installed package's."""
    return is_ours(filename) or filename.startswith("<frozen") or os.path.realpath(filename).startswith(_LIBRARIES)


def user_frame() -> FrameType | None:
    """The innermost frame of the call stack that is not ours or JAX's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_ROOMS):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """Where the user's code is now, as ``file:line``."""
    frame = user_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "an unknown line"


def at_user_line() -> str:
    """The user's present line with its source text, for the end of a message."""
    frame = user_frame()
    if frame is None:
        return ""
    own = frame
    while own is not None and is_foreign(own.f_code.co_filename):
        own = own.f_back                # type: ignore[assignment]
    frame = own or frame
    name, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, line).strip()
    return f'\n  File "{name}", line {line}, in {frame.f_code.co_name}' + (f"\n  ->  {source}" if source else "")


def line_of(error: BaseException) -> str:
    """The user's line that an error was raised under, with its source text, for the end of a message."""
    found, own, step = "", False, error.__traceback__
    while step is not None:
        name, line = step.tb_frame.f_code.co_filename, step.tb_lineno
        if not (is_foreign(name) if own else is_ours(name)):
            own = own or not is_foreign(name)
            source = linecache.getline(name, line).strip()
            found = f'\n  File "{name}", line {line}, in {step.tb_frame.f_code.co_name}' + (
                f"\n  ->  {source}" if source else "")
        step = step.tb_next
    return found


_MENDS = {
    "bool(tensor), as in `if` and `while`,":
        "Use paddle.where or paddle.static.nn.cond for a choice that depends on a tensor's value, keep this function "
        "eager (`paddle.jit.not_to_static`), or decide on a Python value.",
    "": "Keep the computation in paddle operations, return the Tensor and read its value outside of the converted "
        "function, or keep this function eager (`paddle.jit.not_to_static`).",
}


def concretization(what: str) -> TensorConversionError:
    """The error for a value that is wanted while converting (`what` says for which use)."""
    return TensorConversionError(
        f"{what} needs the value of a Tensor, but this function is being converted to a program and the Tensor has no "
        f"value yet.{at_user_line()}\n{_MENDS.get(what, _MENDS[''])}")
