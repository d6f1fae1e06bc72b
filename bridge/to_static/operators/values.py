"""Questions about values that may be tensors without a value yet."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.call import Call
from kayax.bridge.cells import Storage
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import UNDEFINED
from kayax.bridge.merging import Either, unsettled
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.spec import tree

_truth = Call(lambda a: a.reshape(()).astype(bool), "bool")
_not = Call(lambda a: jnp.logical_not(a.reshape(()).astype(bool)), "logical_not")
_or = Call(jnp.logical_or, "logical_or")
_and = Call(jnp.logical_and, "logical_and")


def is_staged(value: Any) -> bool:
    """Whether a value is a tensor that has no value yet."""
    return isinstance(value, Tensor) and isinstance(value.storage.array, jax.core.Tracer)


def truth(value: Tensor) -> Tensor:
    """The truth of a staged tensor, a boolean without dimensions."""
    array = value.storage.array
    if array.size != 1:
        raise TypeError("bool(tensor), as in `if` and `while`, needs a Tensor with one element, but this one has "
                        f"shape {list(array.shape)}.")
    if array.dtype == bool and not array.ndim:
        return value
    return run_call(_truth, [value.detach()], False)


def negated(value: Tensor) -> Tensor:
    """``not value``, of a staged tensor."""
    return run_call(_not, [value.detach()], False)


def either(a: Tensor, b: Tensor) -> Tensor:
    return run_call(_or, [a, b], False)


def both(a: Tensor, b: Tensor) -> Tensor:
    return run_call(_and, [a, b], False)


def can_bail() -> bool:
    """Whether the program that is being made can be given up for an eager run: a saved one cannot."""
    return state.trace is not None and state.trace.root.bail is not None


def bail_cell() -> Storage:
    """The cell that says whether the present run has to be done over eagerly."""
    trace = state.trace
    cell = trace.root.bail if trace is not None else None
    if cell is None:
        raise ConversionError("What happens here depends on a tensor's value, and a saved program cannot be left to be "
                              f"run eagerly.{at_user_line()}\nDecide it with paddle.where, or on a Python value.")
    return cell


def bail_if(flag: Any) -> None:
    """Give the program up where `flag` is true: its results are dropped, and the call runs eagerly instead.

    So everything that a program cannot do (raise, leave a variable unbound, give None on one path) is done by Python
    itself.
    """
    cell = bail_cell()
    array = flag.storage.array if isinstance(flag, Tensor) else jnp.asarray(bool(flag))
    cell.array = jnp.logical_or(cell.array, array)


def is_missing(value: Any) -> bool:
    return value is UNDEFINED or value is None


def use(value: Any) -> Any:
    """A variable's value as it is read: an `Either` of a value and nothing is the value, or the run is given up."""
    while type(value) is Either:
        first, second = value.first, value.second
        if is_missing(first):
            bail_if(value.flag)
            value = second
        elif is_missing(second):
            bail_if(negated(value.flag) if isinstance(value.flag, Tensor) else not value.flag)
            value = first
        else:
            raise unsettled(value)
    return value


def settled(value: Any) -> Any:
    """A function's result with every `Either` in it settled, as it leaves the program."""
    value = use(value)
    if hasattr(type(value), "is_staged_text"):
        raise ConversionError("The function returns a text with a tensor's value in it, which a program cannot.")
    found = tree.parts(value)
    if found is None or not any(type(part) is Either or hasattr(type(part), "is_staged_text")
                                or tree.parts(part) is not None for part in found[2]):
        return value
    kind, extra, children = found
    new = [settled(part) for part in children]
    return value if all(a is b for a, b in zip(new, children, strict=True)) else tree.build(kind, extra, new)
