"""Questions about values that may be tensors without a value yet."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge import known
from kayax.bridge.call import Call
from kayax.bridge.cells import Storage
from kayax.bridge.dispatch import run_call
from kayax.bridge.either import Either, unsettled
from kayax.bridge.errors import ArgumentError, ConversionError, at_user_line
from kayax.bridge.forms import Choice
from kayax.bridge.kinds import Mismatch, widened
from kayax.bridge.merging import kind_of
from kayax.bridge.open_sizes import plain
from kayax.bridge.places import UNDEFINED
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, as_number, is_number
from kayax.spec import tree

_truth = Call(lambda a: a.reshape(()).astype(bool), "bool", folds="values")
_not = Call(lambda a: jnp.logical_not(a.reshape(()).astype(bool)), "logical_not", folds="values")
_or = Call(jnp.logical_or, "logical_or", folds="values")
_and = Call(jnp.logical_and, "logical_and", folds="values")


def is_staged(value: Any) -> bool:
    """Whether a value is a tensor that has no value yet."""
    return isinstance(value, Tensor) and isinstance(value.storage.array, jax.core.Tracer)


def settled_value(value: Any) -> Any:
    """The number that a staged tensor of one element is for certain, or None."""
    found = known.value_of(value.storage.array) if is_staged(value) else None
    return found.reshape(())[()].item() if found is not None and found.size == 1 else None


def settled_key(key: Any, numbers_only: bool = False) -> Any:
    """A staged index as a Python number, if it is one for certain; any other key as it is."""
    if not is_staged(key) or key.storage.array.dtype.kind not in "iub" or (numbers_only and not is_number(key)):
        return key
    found = settled_value(key)
    return key if found is None else found


def truth(value: Tensor) -> Tensor:
    """The truth of a staged tensor, a boolean without dimensions."""
    array = value.storage.array
    if array.size != 1:
        raise ArgumentError("bool(tensor), as in `if` and `while`, needs a Tensor with one element, but this one has "
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
    if flag is False or settled_value(flag) is False:
        return
    cell = bail_cell()
    array = flag.storage.array if isinstance(flag, Tensor) else jnp.asarray(bool(flag))
    cell.array = jnp.logical_or(cell.array, array)


def is_missing(value: Any) -> bool:
    return value is UNDEFINED or value is None


def use(value: Any) -> Any:
    """A value that something is done with: an `Either` of a value and nothing is the value, or the run is given up.

    One of two values stays: what is done is done on both paths (`kayax.bridge.to_static.operators.branch.apart`).
    """
    return _without(value, is_missing)


def read(value: Any) -> Any:
    """A variable's value as it is read: one that may be unbound is bound, or the run is given up."""
    return _without(value, lambda x: x is UNDEFINED)


def _without(value: Any, gone: Callable[[Any], bool]) -> Any:
    while type(value) is Either:
        if gone(value.first):
            bail_if(value.flag)
            value = value.second
        elif gone(value.second):
            bail_if(negated(value.flag) if isinstance(value.flag, Tensor) else not value.flag)
            value = value.first
        else:
            first, second = _without(value.first, gone), _without(value.second, gone)
            if first is not value.first or second is not value.second:
                value = Either(value.flag, first, second, value.name)
            break
    return value


def truth_number(value: Any) -> Any:
    """``bool(value)``, perhaps staged."""
    return as_number(truth(value).detach()) if is_staged(value) else bool(value)


def settled(value: Any, may_lack: bool = False) -> Any:
    """A function's result as it leaves the program, which is followed by the choice between the values of an Either.

    may_lack: it is what a dict holds under a key that may not be there.
    """
    value = value if may_lack and can_bail() else read(value)
    if type(value) is Either:
        if can_bail():
            return Choice(value.flag, settled(value.first, may_lack), settled(value.second, may_lack))
        return merged(use(value))
    if hasattr(type(value), "is_staged_text"):
        raise ConversionError("The function returns a text with a tensor's value in it, which a program cannot.")
    found = tree.parts(value)
    if found is None or isinstance(value, Tensor):
        return plain(value)
    kind, extra, children = found
    new = [settled(part, isinstance(value, dict)) for part in children]
    return value if all(a is b for a, b in zip(new, children, strict=True)) else tree.build(kind, extra, new)


def merged(value: Any) -> Any:
    """A number or a tensor that it fits in, as a 0-D tensor, where there is no place for one of two values."""
    if type(value) is not Either:
        return value
    first, second = merged(value.first), merged(value.second)
    try:
        kind = widened(kind_of(first), kind_of(second))
    except Mismatch:
        raise unsettled(value) from None
    dtype = kind.dtype

    def run(flag: Any, a: Any, b: Any) -> Any:
        return jnp.where(flag, jnp.asarray(a).astype(dtype), jnp.asarray(b).astype(dtype))

    operands = [x if isinstance(x, Tensor) else jnp.asarray(x) for x in (value.flag, first, second)]
    return run_call(Call(run, "where"), operands)
