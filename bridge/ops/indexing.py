"""Reading and writing by index: ``x[...]`` and ``x[...] = value`` in every form Paddle takes.

An index is taken apart once into a plan: what is part of the program (which dimensions are cut, how long a slice is)
and what is given to it when it runs (where a slice starts, integers, index Tensors): ``x[i]`` in a loop is one program.
"""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge import known_sizes
from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.layout import INT, NEW, WHOLE, indexed, is_open
from kayax.bridge.ops.index_plan import ARRAY, TRUE, Plan
from kayax.bridge.registry import attach
from kayax.bridge.staging import staged
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.views import view_of

_calls: dict[Any, Call] = {}


# ---- the programs --------------------------------------------------------------------------------------------------

def _numpy_index(parts: tuple, given: tuple, shape: tuple) -> tuple:
    """The index in NumPy's form, with run-time integers and arrays in their places."""
    rest = iter(given)
    out: list[Any] = []
    for part in parts:
        if part is WHOLE or part == WHOLE:
            out.append(slice(None))
        elif part == NEW:
            out.append(None)
        elif part == TRUE or part is False:
            out.append(part == TRUE)
        elif part in (INT, ARRAY):
            out.append(next(rest))
        elif part[0] == "cut":
            out.append(slice(*part[1:]))
        else:
            start = next(rest)
            out.append(slice(start, start + part[1]) if isinstance(start, int) else start + jnp.arange(part[1]))
    return tuple(out)


def _window(parts: tuple, given: tuple, shape: tuple) -> tuple:
    """Where the block that a basic index reads starts, its sizes, and the result's shape; strides are left out."""
    rest = iter(given)
    starts, sizes, out = [], [], []
    dim = 0
    for part in parts:
        if part == NEW:
            out.append(1)
            continue
        if part == INT:
            starts.append(next(rest))
            sizes.append(1)
        elif type(part) is tuple and part[0] == "start":
            starts.append(next(rest))
            sizes.append(part[1])
            out.append(part[1])
        else:
            starts.append(0)
            sizes.append(shape[dim])
            out.append(shape[dim] if part == WHOLE else part)
        dim += 1
    return starts, sizes, out


def _strides(parts: tuple) -> tuple:
    """What is left to do after the block was cut out: only slices with steps."""
    return tuple(slice(*p[1:]) if type(p) is tuple and p[0] == "cut" else slice(None)
                 for p in parts if p != INT and p != NEW)


def _read_basic(parts: tuple) -> Any:
    strided = any(type(p) is tuple and p[0] == "cut" for p in parts)

    def getitem(x: Any, *given: Any) -> Any:
        if all(isinstance(g, int) for g in given):
            return x[_numpy_index(parts, given, x.shape)]
        starts, sizes, _ = _window(parts, given, x.shape)
        block = lax.dynamic_slice(x, _same_type(starts), sizes)
        block = block.reshape([s for s, p in zip(sizes, [p for p in parts if p != NEW], strict=True) if p != INT])
        if strided:
            block = block[_strides(parts)]
        return block.reshape(_with_new(parts, block.shape)) if NEW in parts else block

    return getitem


def _with_new(parts: tuple, shape: tuple) -> list:
    rest = iter(shape)
    return [1 if p == NEW else next(rest) for p in parts if p != INT]


def _same_type(starts: list) -> list:
    wide = jax.config.jax_enable_x64        # type: ignore[attr-defined]
    return [jnp.asarray(s, np.int64 if wide else np.int32) for s in starts]


def _fitted(value: Any, shape: tuple, dtype: Any) -> Any:
    """The value in the dtype and the shape of what it replaces; leading sizes of 1 may be dropped."""
    value = jnp.asarray(value)
    if value.dtype.kind == "c" and dtype.kind != "c":
        raise ValueError(f"A complex value cannot be written into a Tensor of {dtype.name}.")
    value = value.astype(dtype)
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = value[0]
    try:
        return jnp.broadcast_to(value, shape)
    except ValueError:
        raise ValueError(f"A value of shape {list(value.shape)} does not broadcast to {list(shape)}, the shape of what "
                         "the index selects.") from None


def _write_basic(parts: tuple) -> Any:
    strided = any(type(p) is tuple and p[0] == "cut" for p in parts)

    def setitem(x: Any, value: Any, *given: Any) -> Any:
        if strided or all(isinstance(g, int) for g in given):
            return _write(parts, x, value, given)
        starts, sizes, out = _window(parts, given, x.shape)
        block = _fitted(value, tuple(out), x.dtype).reshape(sizes)
        return lax.dynamic_update_slice(x, block, _same_type(starts))

    return setitem


def _write(parts: tuple, x: Any, value: Any, given: tuple) -> Any:
    index = _numpy_index(parts, given, x.shape)
    target = jax.eval_shape(lambda a: a[index], x).shape
    return x.at[index].set(_fitted(value, target, x.dtype))


def _arranged(parts: tuple) -> tuple:
    """The parts in two steps, as in Paddle: first ints and slices, then index arrays on what they leave."""
    basic = tuple(WHOLE if p == ARRAY else p for p in parts if p != TRUE and p is not False)
    then = tuple(p if p in (ARRAY, TRUE) or p is False else WHOLE for p in parts if p != INT)
    return basic, then


def _split_given(parts: tuple, given: tuple) -> tuple[tuple, tuple]:
    needs = [p for p in parts if p in (INT, ARRAY) or (type(p) is tuple and p[0] == "start")]
    pairs = list(zip(needs, given, strict=True))
    return tuple(g for p, g in pairs if p != ARRAY), tuple(g for p, g in pairs if p == ARRAY)


def _read_arrays(parts: tuple) -> Any:
    basic, then = _arranged(parts)
    read = _read_basic(basic)

    def getitem(x: Any, *given: Any) -> Any:
        numbers, arrays = _split_given(parts, given)
        if any(p != WHOLE for p in basic):
            x = read(x, *numbers)
        return x[_numpy_index(then, arrays, x.shape)]

    return getitem


def _write_arrays(parts: tuple) -> Any:
    basic, then = _arranged(parts)
    read = _read_basic(basic)

    def setitem(x: Any, value: Any, *given: Any) -> Any:
        numbers, arrays = _split_given(parts, given)
        # Positions of the flattened x, indexed the way x would be: what is read there is where to write.
        places = jnp.arange(math.prod(x.shape)).reshape(x.shape)
        if any(p != WHOLE for p in basic):
            places = read(places, *numbers)
        places = places[_numpy_index(then, arrays, places.shape)]
        return x.reshape(-1).at[places].set(_fitted(value, places.shape, x.dtype)).reshape(x.shape)

    return setitem


_MAKERS = {"get": _read_basic, "set": _write_basic, "get arrays": _read_arrays, "set arrays": _write_arrays}


def _unpacking(body: Any, operands: int) -> Any:
    """The body with the integers after its operands given as one vector."""
    def unpack(*args: Any) -> Any:
        return body(*args[:operands], *args[operands])

    return unpack


def _run(kind: str, operands: tuple, index: Any) -> Tensor:
    plan = Plan(operands[0].storage.array.shape, index)
    given = plan.given
    # A jitted call takes a NumPy array in half the time that a Python number takes.
    packed = state.trace is None and bool(given) and all([type(g) is int for g in given])
    parts = tuple(plan.parts)
    key = (kind, plan.arrays, packed, parts)
    call = _calls.get(key)
    if call is None:
        body = _MAKERS[kind + " arrays" if plan.arrays else kind](parts)
        call = _calls[key] = Call(_unpacking(body, len(operands)) if packed else body, f"{kind}item", folds="values")
    out = run_call(call, (*operands, np.array(given)) if packed else (*operands, *given))
    if kind == "get" and not plan.arrays:
        return view_of(operands[0], out, indexed, (parts,), tuple(given) if packed else _placed(operands[0], plan))
    return out


def _placed(x: Tensor, plan: Plan) -> tuple:
    """The run-time numbers of an index; a Tensor's value with the size of its dimension, since it may be negative."""
    sizes = [n for n, p in zip(x.storage.array.shape, [p for p in plan.parts if p != NEW], strict=True)
             if p == INT or p[0] == "start"]
    return tuple([g if isinstance(g, int) else _placed_one(g.storage.array if isinstance(g, Tensor) else g, n)
                  for g, n in zip(plan.given, sizes, strict=True)])


def _placed_one(array: Any, n: int) -> Any:
    return (array, n) if isinstance(array, jax.core.Tracer) or is_open(n) else int(array) % n


@staged
def _getitem(self: Tensor, index: Any) -> Tensor:
    """The elements at the index; of ints and slices a view, as in Paddle."""
    if _is_whole_mask(index, self):
        index = index if isinstance(index, Tensor) else np.asarray(index)
    if state.trace is None or not state.trace.root.open_known:
        return _run("get", (self,), index)
    out = _run("get", (self,), known_sizes.bounds(index))
    known_sizes.follow(known_sizes.item, (self, index), out)
    return out


@staged
def _setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write the value, broadcast and cast, at the index."""
    if state.trace is not None and state.trace.root.open_known:
        index = known_sizes.bounds(index)
    if isinstance(value, (list, tuple)):
        value = np.asarray([v.numpy() if isinstance(v, Tensor) else v for v in value])
    elif isinstance(value, (int, float, complex, np.generic)):
        value = np.asarray(value)
    elif isinstance(value, np.ndarray):
        value = value.copy()                    # the operation may run after the user has changed it
    elif not isinstance(value, (Tensor, jax.Array)):
        raise TypeError(f"A Tensor, a number or an array can be written into a Tensor, but got {type(value).__name__}.")
    if _is_whole_mask(index, self):
        mask = index if isinstance(index, Tensor) else wrap(jnp.asarray(index))
        if _fits_mask(self, mask, value):
            self._rebind(run_call(_masked, (self, mask, value)))
            return
    self._rebind(_run("set", (self, value), index))


def _is_whole_mask(index: Any, x: Tensor) -> bool:
    array = index.storage.array if isinstance(index, Tensor) else index if isinstance(index, np.ndarray) else None
    return array is not None and array.dtype == np.bool_ and tuple(array.shape) == tuple(x.shape[:array.ndim])


def _fits_mask(x: Tensor, mask: Tensor, value: Any) -> bool:
    """Whether the value is the same for every place of the mask."""
    inner = x.ndim - mask.ndim
    shape = np.shape(value) if not isinstance(value, Tensor) else tuple(value.shape)
    return len(shape) <= inner or (len(shape) == inner + 1 and shape[0] == 1)


def _write_where(x: Any, mask: Any, value: Any) -> Any:
    inner = x.shape[mask.ndim:]
    return jnp.where(mask.reshape(mask.shape + (1,) * len(inner)), _fitted(value, inner, x.dtype), x)


_masked = Call(_write_where, "setitem")
attach("__getitem__", _getitem)
attach("__setitem__", _setitem)

__all__: list[str] = []
