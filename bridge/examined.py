"""What a call does that a static graph notes, learned by running it before there are values.

It is run over abstract values, open dims and all. Where these do not settle what it does (an open dim that must fit a
known one; a result whose shape depends on values), it is run for some sizes, and for some values of its inputs: what
these runs have in common is known of its results.
"""
from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge import rng
from kayax.bridge.cells import Storage
from kayax.bridge.errors import ConversionError, OpenDimensionError
from kayax.bridge.state import state
from kayax.bridge.symbols import (
    NoValueError,
    Symbol,
    as_one,
    closed,
    dims_in,
    is_symbolic,
    new_dim,
    open_dims,
    plain_values,
)
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.trace import Trace
from kayax.spec import tree


def put(tensor: Tensor, value: Any) -> None:
    """Let a symbolic Tensor be this value, with its place in the graph of gradients unless it is to have none."""
    storage = tensor.storage
    storage._array, storage.trace, storage.version = value.storage.array, state.trace, 0
    tensor.node, tensor.index = (None, 0) if tensor._stop_gradient else (value.node, value.index)


@contextlib.contextmanager
def symbols_kept(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Inside, these Tensors may be filled; afterwards they are symbolic again."""
    kept = [(t, t.storage, t.storage._array, t._stop_gradient) for t in tensors]
    try:
        yield
    finally:
        for tensor, storage, symbol, stop in kept:
            tensor.storage, storage._array, storage.trace, storage.version = storage, symbol, None, 0
            tensor.node, tensor.index, tensor._grad, tensor._stop_gradient = None, 0, None, stop


@contextlib.contextmanager
def sizes_known(sizes: dict[str, Any]) -> Iterator[None]:
    """Inside, graphs that run take these sizes for the open dims (none: open dims stay what they are)."""
    held, state.sizes = state.sizes, sizes
    try:
        yield
    finally:
        state.sizes = held


def examining() -> bool:
    """Whether a call is only looked at, to learn what it gives: graphs that run name a size ""."""
    return state.sizes is not None and "" not in state.sizes


def tensors_in(value: Any) -> list[Tensor]:
    """The Tensors in nested arguments, bounds of slices included."""
    found: list[Tensor] = []
    for leaf in tree.flatten(value, lambda v: isinstance(v, (Tensor, slice)))[0]:
        found += [v for v in (leaf.start, leaf.stop, leaf.step) if isinstance(v, Tensor)] if isinstance(
            leaf, slice) else [leaf]
    return found


class Examined:
    """What a call does, learned from one run.

    outs: for each result a Tensor that was there before, or (shape, dtype, stop_gradient). storages, used: the symbolic
    storages that it could read, and whether it does. after: for each of these what it is afterwards, and its
    stop_gradient. sizes: numbers for the open dims, or other dims, if it is run for such. fill: what its inputs are
    filled with, if it is run on values.
    """

    def __init__(self, fn: Callable, args: tuple, kwargs: dict[str, Any], known: Sequence[Tensor],
                 sizes: dict[str, Any] | None = None, fill: Callable | None = None):
        self.sizes = sizes or {}
        self.tried = fill is not None or any(isinstance(n, int) for n in self.sizes.values())
        given = [t for t in tensors_in((args, kwargs)) if is_symbolic(t)]
        unique: dict[Storage, Tensor] = {}
        for t in (*given, *known) if _has_closures(args, kwargs) else given:
            if is_symbolic(t):
                unique.setdefault(t.storage, t)
        self.storages, self.tensors = list(unique), list(unique.values())
        self.before = [(*self._closed(s._array), t._stop_gradient) for s, t in unique.items()]
        if sizes:
            args, kwargs = closed((args, kwargs), sizes)
        if fill is None:
            avals = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype, _ in self.before]
            jaxpr = jax.make_jaxpr(lambda arrays: self._run(fn, args, kwargs, arrays))(avals).jaxpr
            seen = {v for eqn in jaxpr.eqns for v in eqn.invars if not hasattr(v, "val")}
            seen |= {v for v in jaxpr.outvars if not hasattr(v, "val")}
            arguments = {t.storage for t in given}          # they must have a value, even if it does not matter
            self.used = [s in arguments or v in seen for s, v in zip(unique, jaxpr.invars, strict=True)]
        else:
            with _generator_kept():
                self._run(fn, args, kwargs, [fill(shape, dtype, i) for i, (shape, dtype, _) in enumerate(self.before)])
            self.used = [True] * len(self.tensors)
        self.effect = bool(self.writes)

    def _closed(self, symbol: Symbol) -> tuple[tuple, Any]:
        return tuple(closed(list(symbol.shape), self.sizes) if self.sizes else symbol.shape), symbol.dtype

    def _run(self, fn: Callable, args: tuple, kwargs: dict[str, Any], arrays: Sequence[Any]) -> list[Any]:
        trace = Trace()
        with trace, symbols_kept(self.tensors), sizes_known(self.sizes):
            # Other Tensors of the same storages among the arguments (detached ones) see the values too.
            for tensor, array in zip(self.tensors, arrays, strict=True):
                put(tensor, wrap(array))
            leaves, self.spec = tree.flatten(fn(*args, **kwargs), lambda v: isinstance(v, Tensor))
            self.outs: list[Any] = []
            for leaf in leaves:
                array = leaf.storage.array
                stays = any(leaf is t for t in self.tensors) or (leaf.storage.trace is not trace)
                self.outs.append(leaf if stays else (array.shape, array.dtype, leaf._stop_gradient))
            self.after = [(t.storage._array.shape, t.storage._array.dtype, t._stop_gradient) for t in self.tensors]
            self.rewritten = [t.storage for t in self.tensors if t.storage.version]
            generator = rng.default_generator().storage
            self.writes = [s for s in trace.writes if s is not generator]
            self.captured = list(trace.captured)
            return [t.storage.array for t in (*leaves, *(t for t in self.tensors if t.storage.version))]

    def changed(self) -> list[tuple[Tensor, Symbol, bool]]:
        """The symbolic Tensors that it writes in place and makes something else of: what they are afterwards."""
        return [(t, Symbol(*now[:2]), now[2])
                for t, old, now in zip(self.tensors, self.before, self.after, strict=True) if now != old]


def _has_closures(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether a call may look at Tensors that are not among its arguments: one that takes functions."""
    return any(callable(v) and not isinstance(v, (type, Tensor)) for v in plain_values((args, kwargs)))


@contextlib.contextmanager
def _generator_kept() -> Iterator[None]:
    """Random numbers that are drawn inside change nothing outside."""
    storage = rng.default_generator().storage
    held = storage._array
    try:
        yield
    finally:
        storage._array = held


# ---- trials -----------------------------------------------------------------------------------------------------

_SIZES = (2, 0, 6, 1, 12, 3, 8, 4, 5)
_ENOUGH = 5                             # sizes for which it succeeds
_MOST = 250                             # runs
_NEEDS_VALUES = (
    ConversionError, NoValueError, jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError, jax.errors.NonConcreteBooleanIndexError)


def _ramp(shape: tuple, dtype: Any, place: int) -> Any:
    return jnp.asarray(np.arange(int(np.prod(shape))).reshape(shape) % 3).astype(dtype)


# Ones and zeros are whole numbers, truths and probabilities; a result whose shape depends on values has different
# shapes for some of these.
_FILLS: tuple[Callable, ...] = (
    lambda shape, dtype, place: jnp.ones(shape, dtype), _ramp, lambda shape, dtype, place: jnp.zeros(shape, dtype),
    lambda shape, dtype, place: jnp.full(shape, place, dtype), lambda shape, dtype, place: jnp.full(shape, 2, dtype))


def examine(fn: Callable, args: tuple, kwargs: dict[str, Any], known: Sequence[Tensor]) -> Examined:
    """What a call does: `known` are the symbolic Tensors that functions among its arguments may look at."""
    try:
        return Examined(fn, args, kwargs, known)
    except Exception as error:
        found = _as_one(fn, args, kwargs, known) or _tried(error, fn, args, kwargs, known)
        if not found or len({len(run.outs) for run in found}) > 1:
            raise
    return _common(found) if found[0].tried else found[0]


def _dims(args: tuple, kwargs: dict[str, Any], known: Sequence[Tensor]) -> tuple[set[str], list[Tensor]]:
    """The open dims that a call may meet, and the Tensors that it may look at."""
    given = [*tensors_in((args, kwargs)), *(known if _has_closures(args, kwargs) else ())]
    return dims_in((args, kwargs, [t.storage._array.shape for t in given if is_symbolic(t)])), given


def _as_one(fn: Callable, args: tuple, kwargs: dict[str, Any], known: Sequence[Tensor]) -> list[Examined]:
    """A run in which open dims at the same place of different inputs are equal, if there are such and it succeeds."""
    same = as_one(_dims(args, kwargs, known)[0])
    with contextlib.suppress(Exception):
        return [_apart(Examined(fn, args, kwargs, known, same))] if same else []
    return []


def _apart(run: Examined) -> Examined:
    """The same, where sizes that rest on that assumption are open dims of their own."""
    counted = list(map(str, run.sizes.values()))
    merged = {n for n in counted if counted.count(n) > 1}

    def own(shape: tuple) -> tuple:
        return tuple([d if merged.isdisjoint(dims_in([d])) else new_dim(i) for i, d in enumerate(shape)])

    run.outs = [one if isinstance(one, Tensor) else (own(one[0]), *one[1:]) for one in run.outs]
    for i, (tensor, old, now) in enumerate(zip(run.tensors, run.before, run.after, strict=True)):
        same = now[0] == old[0]
        run.before[i] = (tensor.storage._array.shape, *old[1:])
        run.after[i] = (run.before[i][0] if same else own(now[0]), *now[1:])
    return run


def _tried(error: Exception, fn: Callable, args: tuple, kwargs: dict[str, Any],
           known: Sequence[Tensor]) -> list[Examined]:
    """Runs that succeed, for sizes and values that differ; none if there is nothing to choose."""
    dims, given = _dims(args, kwargs, known)
    names = sorted(dims)
    numbers = {n for n in plain_values((args, kwargs, [list(t.storage._array.shape) for t in given]))
               if type(n) is int and 0 < n < 10_000}
    needs_values = _needs_values(error)
    found: list[Examined] = []
    for sizes in itertools.islice(_choices(names, numbers), _MOST) if names else [{}] if needs_values else []:
        for fill in _FILLS if needs_values else (None,):
            try:
                found.append(Examined(fn, args, kwargs, known, sizes, fill))
            except Exception as again:
                if fill is None and _needs_values(again):
                    return _tried(again, fn, args, kwargs, known)
        if len({tuple(run.sizes.values()) for run in found}) >= _ENOUGH:
            break
    return found


def _needs_values(error: Exception) -> bool:
    return isinstance(error, _NEEDS_VALUES) and not isinstance(error, OpenDimensionError)


def _choices(names: Sequence[str], numbers: set[int]) -> Iterator[dict[str, int]]:
    """Sizes for open dims: the same for all, then each by itself, those that occur in the call first."""
    likely = [*sorted(numbers), *(n for n in _SIZES if n not in numbers)]
    for n in likely:
        yield dict.fromkeys(names, n)
    for some in itertools.product(likely[:6], repeat=len(names)):
        yield dict(zip(names, some, strict=True))


def _common(found: list[Examined]) -> Examined:
    """What several runs have in common: sizes that differ from run to run are open."""
    first = found[0]
    first.outs = [one if isinstance(one, Tensor) else (_shape([run.outs[i][0] for run in found], found), *one[1:])
                  for i, one in enumerate(first.outs)]
    for i, (tensor, old, now) in enumerate(zip(first.tensors, first.before, first.after, strict=True)):
        if all(run.after[i] == run.before[i] for run in found):
            first.after[i] = old
        elif all(run.after[i][0] == run.before[i][0] for run in found):
            first.after[i] = (tensor.storage._array.shape, *now[1:])
        else:
            first.after[i] = (_shape([run.after[i][0] for run in found], found), *now[1:])
    return first


def _shape(shapes: list[tuple], found: list[Examined]) -> tuple:
    if len({len(shape) for shape in shapes}) > 1:
        raise ConversionError("The number of dimensions of a result depends on the values or sizes of its inputs: a "
                              "static graph must know it.")
    return tuple([_dim(sizes, found, i) for i, sizes in enumerate(zip(*shapes, strict=True))])


def _dim(sizes: Sequence[int], found: list[Examined], place: int) -> Any:
    """A size that is the same in all runs, the one open dim that it always is, or a new open dim."""
    names = [n for n in found[0].sizes if all(run.sizes[n] == size for run, size in zip(found, sizes, strict=True))]
    if len(found) > 1 and len(set(sizes)) == 1 and not names and (_vary(found) or sizes[0] in _fixed(found[0])):
        return sizes[0]
    if len(found) > 1 and len(names) == 1:
        return open_dims(names)[0]
    return new_dim(place)


def _vary(found: list[Examined]) -> bool:
    """Whether the open dims had sizes of their own in some run: otherwise much that differs is the same."""
    return any(len(set(run.sizes.values())) != 1 for run in found) or len(found[0].sizes) == 1


def _fixed(run: Examined) -> set[int]:
    """The sizes that the inputs are known to have."""
    return {n for t in run.tensors for n in t.storage._array.shape if isinstance(n, int)}
