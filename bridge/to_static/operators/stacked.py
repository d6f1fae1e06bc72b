"""A tensor that was stacked out of a list of staged length: its rows beyond that number are no part of it.

Reductions over the rows leave them out. Where each row is computed by itself, they are copies of the first row, which
have no gradient: so they never raise, overflow or give a gradient that the rows which count do not.
"""
from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.call import Call, is_inexact
from kayax.bridge.convert import to_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.kinds import Aval
from kayax.bridge.merging import kind_of
from kayax.bridge.ops import activation, common, manipulation_join
from kayax.bridge.series import Counted, Series, counting, is_grown, refusal
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.spec.size import Size

_FACTS = ("ndim", "dtype", "stop_gradient")          # alike for any number of rows


@dataclasses.dataclass(eq=False, repr=False)
class Stacked(Counted):
    """The first `length` rows of a tensor, which is all that `paddle.stack` gives of a list of staged length."""

    tensor: Tensor
    length: Any

    def whole(self) -> Tensor:
        return self.tensor[:int(self.length)].clone()

    def __getattr__(self, name: str) -> Any:
        if name == "shape":
            return Sizes(self.length, tuple(self.tensor.shape[1:]))
        if name in _FACTS:
            return getattr(self.tensor, name)
        function: Any = getattr(Tensor, name, None)
        if _plain(function) not in KNOWING:
            return super().__getattr__(name)
        return types.MethodType(function, self)

    def rows(self) -> Tensor:
        """The tensor, its rows beyond the length made copies of the first."""
        return run_call(_filled, [self.tensor, _array(self.length), self.tensor[0].detach()])

    def only(self, otherwise: Any) -> Tensor:
        """The tensor, its rows beyond the length made of this number."""
        return run_call(_filled, [self.tensor, _array(self.length), jnp.asarray(otherwise)])

    def listed(self) -> list:
        """Its rows as a list of staged length."""
        kind = kind_of(self.tensor)
        form = dataclasses.replace(kind, shape=kind.shape[1:], weak=False)
        return [Series(form, [self.tensor], self.length, kind.shape[0], least=1)]


_filled = Call(counting, "where")


def _array(n: Any) -> Any:
    return n if isinstance(n, Tensor) else jnp.asarray(n)


@dataclasses.dataclass(eq=False, repr=False)
class Sizes(Counted):
    """The shape of a stacked tensor, of which single sizes can be had."""

    length: Any
    others: tuple

    def whole(self) -> Size:
        return Size([int(self.length), *self.others])


# ---- made of a list --------------------------------------------------------------------------------------------


def stack(items: list, axis: Any = 0, name: str | None = None, **more: Any) -> Stacked:
    """``paddle.stack(items)``."""
    tensor, length = _column(items, False, axis, more)
    return Stacked(tensor, length)


def concat(items: list, axis: Any = 0, name: str | None = None, **more: Any) -> Stacked:
    """``paddle.concat(items)``."""
    tensor, length = _column(items, False, axis, more)
    if tensor.ndim < 2:
        raise refusal()
    return Stacked(tensor.flatten(0, 1), length * tensor.shape[1])


def tensor_of(data: list, *args: Any, **more: Any) -> Stacked:
    """``paddle.to_tensor(data)``, of numbers."""
    tensor, length = _column(data, True, 0, args or more)
    return Stacked(tensor.astype(to_tensor([np.dtype(tensor.storage.array.dtype).type(0).item()]).dtype), length)


def _column(items: Any, numbers: bool, axis: Any, more: Any) -> tuple[Tensor, Any]:
    """All items as rows of one tensor, and how many there are; none is an error."""
    series = grown.packed(items) if is_grown(items) and not more else None
    if series is None or not isinstance(series.form, Aval) or series.form.weak is not numbers or axis != 0:
        raise refusal()
    grown.need_item(items)
    return series.stacks[0], series.length


# ---- functions of it -------------------------------------------------------------------------------------------


def _plain(function: Any) -> Any:
    return getattr(function, "__wrapped__", function)


def _arguments(function: Callable, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name, the tensor left out; only what every operation has under these names."""
    try:
        found = inspect.signature(function).bind(None, *args, **kwargs)
    except TypeError:                           # an error, or a second name of a parameter
        raise refusal() from None
    found.apply_defaults()
    grown.refuse_in(found.arguments.values())
    if any(isinstance(a, Tensor) for a in found.arguments.values()):
        raise refusal()
    return found.arguments


def _reduction(function: Callable, otherwise: Callable | None) -> Callable:
    """A reduction; what a row that does not count is made of, or None for the mean, which also counts."""
    def run(x: Stacked, *args: Any, **kwargs: Any) -> Any:
        axis = _arguments(function, args, kwargs)["axis"]
        axes = range(x.tensor.ndim) if axis is None or axis == [] else [axis] if isinstance(axis, int) else axis
        if 0 not in [a % x.tensor.ndim for a in axes]:
            return _row_by_row(function, x, args, kwargs)
        if otherwise is None:
            return _mean(x, tuple(axes), *args, **kwargs)
        return function(x.only(otherwise(x.tensor.storage.array.dtype)), *args, **kwargs)

    return run


def _mean(x: Stacked, axes: tuple, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    if not is_inexact(x.tensor.storage.array):
        raise refusal()

    def run(stack: Any, n: Any) -> Any:
        counts = (jnp.arange(stack.shape[0]) < n).reshape((-1, *[1] * (stack.ndim - 1)))
        return jnp.mean(stack, axes, keepdims=keepdim, where=counts)

    return run_call(Call(run, "mean"), [x.tensor, _array(x.length)])


def _least(dtype: Any) -> Any:
    return False if dtype.kind == "b" else -np.inf if dtype.kind in "fV" else np.iinfo(dtype).min


def _greatest(dtype: Any) -> Any:
    return True if dtype.kind == "b" else np.inf if dtype.kind in "fV" else np.iinfo(dtype).max


def _row_by_row(function: Callable, x: Stacked, args: tuple, kwargs: dict[str, Any]) -> Stacked:
    out = function(x.rows(), *args, **kwargs)
    if not isinstance(out, Tensor) or out.shape[:1] != x.tensor.shape[:1]:
        raise refusal()
    return Stacked(out, x.length)


def _of_rows(function: Callable, along: bool = False) -> Callable:
    """A function of each element; or along an axis, which must not be that of the rows."""
    def run(x: Stacked, *args: Any, **kwargs: Any) -> Stacked:
        found = _arguments(function, args, kwargs)
        if along and (not isinstance(found["axis"], int) or found["axis"] % x.tensor.ndim == 0):
            raise refusal()
        return _row_by_row(function, x, args, kwargs)

    return run


def _linear(x: Stacked, weight: Any, bias: Any = None, name: str | None = None) -> Stacked:
    """Of each row by itself."""
    grown.refuse_in((weight, bias))
    if x.tensor.ndim < 2:
        raise refusal()
    return Stacked(common.linear(x.rows(), weight, bias), x.length)


_ELEMENTS = ("abs", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "tanh", "sin", "cos", "floor", "ceil",
             "round", "reciprocal", "neg", "clip", "isnan", "isinf", "isfinite", "logical_not", "cast", "astype",
             "sign", "sigmoid", "detach", "clone")
_ACTIVATIONS = ("relu", "gelu", "silu", "leaky_relu", "elu", "softplus")
_ALONG = ("softmax", "log_softmax")
_REDUCTIONS = {"sum": lambda dtype: 0, "prod": lambda dtype: 1, "max": _least, "amax": _least, "min": _greatest,
               "amin": _greatest, "argmax": _least, "argmin": _greatest, "any": lambda dtype: 0, "all": lambda dtype: 1,
               "mean": None}


def _known() -> dict[Any, Callable]:
    """What knows a list of staged length, or a tensor that was stacked out of one, as its first argument."""
    known: dict[Any, Callable] = {common.linear: _linear}
    for names, owner, along in ((_ELEMENTS, Tensor, False), (_ACTIVATIONS, activation, False),
                                (_ALONG, activation, True)):
        known |= {getattr(owner, n): _of_rows(getattr(owner, n), along) for n in names}
    known |= {getattr(Tensor, n): _reduction(getattr(Tensor, n), fill) for n, fill in _REDUCTIONS.items()}
    lists = {manipulation_join.stack: stack, manipulation_join.concat: concat, to_tensor: tensor_of}
    return lists | {_plain(function): _of_one(run) for function, run in known.items()}


def _of_one(run: Callable) -> Callable:
    """What must not be given a list."""
    def guarded(x: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(x, Stacked):
            raise refusal()
        return run(x, *args, **kwargs)

    return guarded


KNOWING = _known()


# ---- items and operators ---------------------------------------------------------------------------------------


def item(x: Stacked | Sizes, key: Any) -> Any:
    """``x[key]``: a row, some of them, or a part of each."""
    if isinstance(x, Sizes):
        if type(key) is not int:
            raise refusal()
        return (x.length, *x.others)[key]
    if not isinstance(key, tuple):
        if isinstance(key, slice):
            if key == slice(None):
                return x
            return stack(grown.item(x.listed(), key))
        if not _is_whole(key):
            raise refusal()
        return grown.item(x.listed(), key)
    first, *rest = key
    if not all(isinstance(k, (int, slice)) and not isinstance(k, bool) for k in key) or len(key) > x.tensor.ndim:
        raise refusal()
    if isinstance(first, int):
        return item(x, first)[tuple(rest)] if rest else item(x, first)
    cut: Any = item(x, first)
    return Stacked(cut.tensor[(slice(None), *rest)], cut.length)


def _is_whole(key: Any) -> bool:
    """Whether a key is the number of one row."""
    if v.is_staged(key):
        return key.storage.array.dtype.kind in "iu" and not key.storage.array.ndim
    return isinstance(key, int) and not isinstance(key, bool)


def _operator(name: str) -> Callable:
    def run(x: Stacked, *others: Any) -> Stacked:
        other = others[0] if others else 0
        if isinstance(other, Stacked) and other.length is x.length and other.tensor.shape == x.tensor.shape:
            others = (other.rows(),)
        elif not _fits(name, x, other):
            raise refusal()
        out = getattr(Tensor, name)(x.rows(), *others)
        if not isinstance(out, Tensor) or out.shape[:1] != x.tensor.shape[:1]:
            raise refusal()
        return Stacked(out, x.length)

    return run


def _fits(name: str, x: Stacked, other: Any) -> bool:
    """Whether an operand is the same for each row."""
    if isinstance(other, (bool, int, float)):
        return True
    if not isinstance(other, Tensor):
        return False
    if "matmul" in name:
        return name == "__matmul__" and x.tensor.ndim >= 2 and other.ndim <= 2
    return other.ndim < x.tensor.ndim or (other.ndim == x.tensor.ndim and other.shape[0] == 1)


Stacked.__getitem__ = item                                  # type: ignore[assignment,method-assign]
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    for _sign in (f"__{_name}__", f"__r{_name}__"):
        setattr(Stacked, _sign, _operator(_sign))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "invert", "and", "or", "xor"):
    setattr(Stacked, f"__{_name}__", _operator(f"__{_name}__"))
