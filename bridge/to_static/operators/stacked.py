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
from kayax.bridge.ops import activation, common, dropout, manipulation, manipulation_join, norm
from kayax.bridge.ops.manipulation import moveaxis
from kayax.bridge.ops.promotion import axis_of
from kayax.bridge.series import Counted, Series, counting, is_grown, refusal
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.spec.size import Size

_PLACES = tuple([getattr(Tensor, name) for name in ("argmax", "argmin")])
_FACTS = ("ndim", "dtype", "stop_gradient")          # alike for any number of rows


@dataclasses.dataclass(eq=False, repr=False)
class Stacked(Counted):
    """The first `length` rows of a tensor, which is all that `paddle.stack` gives of a list of staged length.

    axis: which axis of what it stands for the rows lie along; `tensor` has them along its first.
    """

    tensor: Tensor
    length: Any
    axis: int = 0

    def whole(self) -> Tensor:
        rows = self.tensor[:int(self.length)]
        return moveaxis(rows, 0, self.axis).clone() if self.axis else rows.clone()

    def inner(self, axis: int) -> int:
        """The axis of `tensor` that is this one of what it stands for."""
        axis = axis_of(axis, self.tensor.ndim)
        return 0 if axis == self.axis else axis + (axis < self.axis)

    def __getattr__(self, name: str) -> Any:
        if name == "shape":
            sizes = list(self.tensor.shape[1:])
            return Sizes((*sizes[:self.axis], self.length, *sizes[self.axis:]))
        if name == "T":
            return _transpose(self, range(self.tensor.ndim)[::-1])
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
        """What Python goes over: a list of staged length if those are its rows."""
        if self.axis:
            return [item(self, i) for i in range(self.tensor.shape[1])]
        kind = kind_of(self.tensor)
        form = dataclasses.replace(kind, shape=kind.shape[1:], weak=False)
        return [Series(form, [self.tensor], self.length, kind.shape[0], least=1)]


_filled = Call(counting, "where")


def _array(n: Any) -> Any:
    return n if isinstance(n, Tensor) else jnp.asarray(n)


@dataclasses.dataclass(eq=False, repr=False)
class Sizes(Counted):
    """The shape of a stacked tensor, of which single sizes can be had."""

    sizes: tuple

    def whole(self) -> Size:
        return Size([int(n) for n in self.sizes])


# ---- made of a list --------------------------------------------------------------------------------------------


def stack(items: list, axis: Any = 0, name: str | None = None, **more: Any) -> Stacked:
    """``paddle.stack(items)``."""
    tensor, length = _column(items, False, more)
    if not isinstance(axis, int):
        raise refusal()
    return Stacked(tensor, length, axis_of(axis, tensor.ndim))


def concat(items: list, axis: Any = 0, name: str | None = None, **more: Any) -> Stacked:
    """``paddle.concat(items)``."""
    tensor, length = _column(items, False, more)
    if tensor.ndim < 2 or not isinstance(axis, int):
        raise refusal()
    at = axis_of(axis, tensor.ndim - 1)
    tensor = moveaxis(tensor, at + 1, 1) if at else tensor
    return Stacked(tensor.flatten(0, 1), length * tensor.shape[1], at)


def tensor_of(data: list, *args: Any, **more: Any) -> Stacked:
    """``paddle.to_tensor(data)``, of numbers."""
    tensor, length = _column(data, True, args or more)
    return Stacked(tensor.astype(to_tensor([np.dtype(tensor.storage.array.dtype).type(0).item()]).dtype), length)


def _column(items: Any, numbers: bool, more: Any) -> tuple[Tensor, Any]:
    """All items as rows of one tensor, and how many there are; none is an error."""
    series = grown.packed(items) if is_grown(items) and not more else None
    if series is None or not isinstance(series.form, Aval) or series.form.weak is not numbers:
        raise refusal()
    grown.need_item(items)
    return series.stacks[0], series.length


# ---- functions of it -------------------------------------------------------------------------------------------


def _plain(function: Any) -> Any:
    return inspect.unwrap(function) if isinstance(function, types.FunctionType) else function


def knowing(function: Any) -> Callable | None:
    """What stands for a function that is given a list of staged length, or a tensor made of one."""
    return KNOWING.get(_plain(function))


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
    return dict(list(found.arguments.items())[1:])


def _reduction(function: Callable, otherwise: Callable | None) -> Callable:
    """A reduction; what a row that does not count is made of, or None for the mean, which also counts."""
    def run(x: Stacked, *args: Any, **kwargs: Any) -> Any:
        found = _arguments(function, args, kwargs)
        axis, keep = found["axis"], found.get("keepdim")
        every = axis is None or axis == []
        axes = range(x.tensor.ndim) if every else [axis] if isinstance(axis, int) else axis
        inner = [x.inner(a) for a in axes]
        if not every:
            found["axis"] = inner[0] if isinstance(axis, int) else inner
        if 0 not in inner:
            before = sum(axis_of(a, x.tensor.ndim) < x.axis for a in axes)
            return _row_by_row(function, x, found, x.axis - (0 if keep else before))
        if every and x.axis and function in _PLACES:            # a place among all elements, in their order
            raise refusal()
        if otherwise is None:
            out = _mean(x, tuple(inner), bool(keep))
        else:
            out = function(x.only(otherwise(x.tensor.storage.array.dtype)), **found)
        return moveaxis(out, 0, x.axis) if keep and x.axis else out

    return run


def _mean(x: Stacked, axes: tuple, keepdim: bool) -> Tensor:
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


def _row_by_row(function: Callable, x: Stacked, arguments: dict[str, Any], axis: int) -> Stacked:
    out = function(x.rows(), **arguments)
    if not isinstance(out, Tensor) or out.shape[:1] != x.tensor.shape[:1]:
        raise refusal()
    return Stacked(out, x.length, axis)


def _of_rows(function: Callable, along: bool = False) -> Callable:
    """A function of each element; or along an axis, which must not be that of the rows."""
    def run(x: Stacked, *args: Any, **kwargs: Any) -> Stacked:
        found = _arguments(function, args, kwargs)
        if along:
            if not isinstance(found["axis"], int) or x.inner(found["axis"]) == 0:
                raise refusal()
            found["axis"] = x.inner(found["axis"])
        return _row_by_row(function, x, found, x.axis)

    return run


def _linear(x: Stacked, weight: Any, bias: Any = None, name: str | None = None) -> Stacked:
    """Of each row by itself."""
    grown.refuse_in((weight, bias))
    if x.inner(-1) == 0:
        raise refusal()
    return Stacked(common.linear(x.rows(), weight, bias), x.length, x.axis)


def _embedding(x: Stacked, weight: Any, padding_idx: Any = None, max_norm: Any = None, *args: Any,
               **kwargs: Any) -> Stacked:
    if max_norm:                                # it scales the rows that are looked up, in place
        raise refusal()
    return Stacked(common.embedding(x.rows(), weight, padding_idx, None, *args, **kwargs), x.length, x.axis)


def _dropout(x: Stacked, p: Any = 0.5, *args: Any, **kwargs: Any) -> Stacked:
    found = _arguments(dropout.dropout, (p, *args), kwargs)
    if found["inplace"] or (p and found["training"]):           # as many random numbers as there are elements
        raise refusal()
    return Stacked(dropout.dropout(x.tensor, **found), x.length, x.axis)


def _layer_norm(x: Stacked, normalized_shape: Any, weight: Any = None, bias: Any = None, epsilon: float = 1e-5,
                name: str | None = None) -> Stacked:
    """Over axes of a row."""
    grown.refuse_in((normalized_shape, weight, bias))
    over = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    if x.axis >= x.tensor.ndim - over:
        raise refusal()
    return Stacked(norm.layer_norm(x.rows(), normalized_shape, weight, bias, epsilon), x.length, x.axis)


def _transpose(x: Stacked, perm: Any, name: str | None = None) -> Stacked:
    """The axes in another order."""
    ndim = x.tensor.ndim
    if not all(isinstance(a, int) for a in perm) or sorted(a % ndim for a in perm) != list(range(ndim)):
        raise refusal()
    inner = [x.inner(a) for a in perm]
    return Stacked(x.tensor.transpose([0, *(a for a in inner if a)]), x.length, inner.index(0))


def _unsqueeze(x: Stacked, axis: Any, name: str | None = None) -> Stacked:
    if not isinstance(axis, int):
        raise refusal()
    at = axis_of(axis, x.tensor.ndim + 1)
    before = at <= x.axis
    return Stacked(x.tensor.unsqueeze(at + before), x.length, x.axis + before)


def _squeeze(x: Stacked, axis: Any = None, name: str | None = None) -> Stacked:
    if not isinstance(axis, int) or x.inner(axis) == 0:
        raise refusal()
    inner = x.inner(axis)
    if x.tensor.shape[inner] != 1:
        return x
    return Stacked(x.tensor.squeeze(inner), x.length, x.axis - (inner <= x.axis))


_ELEMENTS = ("abs", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "tanh", "sin", "cos", "floor", "ceil",
             "round", "reciprocal", "neg", "clip", "isnan", "isinf", "isfinite", "logical_not", "cast", "astype",
             "sign", "sigmoid", "detach", "clone")
_ACTIVATIONS = ("relu", "relu6", "gelu", "silu", "swish", "mish", "leaky_relu", "elu", "celu", "selu", "softplus",
                "softsign", "sigmoid", "tanh", "log_sigmoid", "hardsigmoid", "hardswish", "hardtanh")
_ALONG = ("softmax", "log_softmax")
_REDUCTIONS = {"sum": lambda dtype: 0, "prod": lambda dtype: 1, "max": _least, "amax": _least, "min": _greatest,
               "amin": _greatest, "argmax": _least, "argmin": _greatest, "any": lambda dtype: 0, "all": lambda dtype: 1,
               "mean": None}


def _known() -> dict[Any, Callable]:
    """What knows a list of staged length, or a tensor that was stacked out of one, as its first argument."""
    known: dict[Any, Callable] = {
        common.linear: _linear, norm.layer_norm: _layer_norm, manipulation.transpose: _transpose,
        manipulation.unsqueeze: _unsqueeze, manipulation.squeeze: _squeeze,
        common.embedding: _embedding, dropout.dropout: _dropout}
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
        return x.sizes[key]
    if x.axis or isinstance(key, tuple):
        return _part(x, key if isinstance(key, tuple) else (key,))
    if isinstance(key, slice):
        return x if key == slice(None) else stack(grown.item(x.listed(), key))
    if not _is_whole(key):
        raise refusal()
    return grown.item(x.listed(), key)


def _part(x: Stacked, key: tuple) -> Any:
    """``x[i, a:b, ...]``: parts of the rows, then one of these or some."""
    if not all(isinstance(k, (int, slice)) and not isinstance(k, bool) for k in key) or len(key) > x.tensor.ndim:
        raise refusal()
    key = (*key, *[slice(None)] * (x.axis + 1 - len(key)))
    of_rows, others = key[x.axis], (*key[:x.axis], *key[x.axis + 1:])
    numbers = sum(isinstance(k, int) for k in key[:x.axis])
    cut = Stacked(x.tensor[(slice(None), *others)] if others else x.tensor, x.length)
    found = item(cut, of_rows)
    return Stacked(found.tensor, found.length, x.axis - numbers) if isinstance(found, Stacked) else found


def _is_whole(key: Any) -> bool:
    """Whether a key is the number of one row."""
    if v.is_staged(key):
        return key.storage.array.dtype.kind in "iu" and not key.storage.array.ndim
    return isinstance(key, int) and not isinstance(key, bool)


def _operator(name: str) -> Callable:
    def run(x: Stacked, *others: Any) -> Stacked:
        other: Any = others[0] if others else 0
        if isinstance(other, Stacked) and other.length is x.length and (
                (other.axis, other.tensor.shape) == (x.axis, x.tensor.shape)):
            others = (other.rows(),)
        elif not _fits(name, x, other):
            raise refusal()
        elif x.axis and isinstance(other, Tensor) and other.ndim == x.tensor.ndim:
            others = (moveaxis(other, x.axis, 0),)
        out = getattr(Tensor, name)(x.rows(), *others)
        if not isinstance(out, Tensor) or out.shape[:1] != x.tensor.shape[:1]:
            raise refusal()
        return Stacked(out, x.length, x.axis)

    return run


def _fits(name: str, x: Stacked, other: Any) -> bool:
    """Whether an operand is the same for each row."""
    if isinstance(other, (bool, int, float)):
        return True
    if not isinstance(other, Tensor):
        return False
    ndim = x.tensor.ndim
    if "matmul" in name:
        return name == "__matmul__" and x.inner(-1) != 0 and ndim >= 2 and other.ndim in (1, 2)
    first = x.axis - (ndim - other.ndim)                # the axis of the operand that meets the rows
    return other.ndim <= ndim and (first < 0 or (other.ndim == ndim and other.shape[first] == 1))


Stacked.__getitem__ = item                                  # type: ignore[assignment,method-assign]
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    for _sign in (f"__{_name}__", f"__r{_name}__"):
        setattr(Stacked, _sign, _operator(_sign))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "invert", "and", "or", "xor"):
    setattr(Stacked, f"__{_name}__", _operator(f"__{_name}__"))
