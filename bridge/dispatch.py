"""The one door: every operation, eager or being converted, is run here and recorded on the tape here."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import lax

from kayax.bridge import known, rng
from kayax.bridge.call import Call, is_inexact, pull_back, split_vjp
from kayax.bridge.state import state
from kayax.bridge.tape import Node, edge_of
from kayax.bridge.tensor import Tensor, wrap


def run_call(call: Call, inputs: Sequence[Any], differentiable: bool = True) -> Any:
    """Run a call on Tensors and arrays; give Tensors in the structure of its outputs."""
    if state.trace is not None:
        return _run_traced(call, inputs, differentiable)
    recording = False
    arrays = []
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x.storage._array)         # first: a view that is behind gets its place in the graph here
            if not x._stop_gradient:
                recording = True
        else:
            arrays.append(x)
    generator = None
    if call.random:
        generator = rng.default_generator()
        arrays.insert(0, generator.storage._array)
        inputs = (None, *inputs)
    if not (recording and differentiable and state.grad_enabled):
        return _wrap(_advance(generator, call.forward(*arrays)))
    edges = _edges(inputs, arrays)
    if state.saved_hooks is not None:           # then a gradient starts from the inputs, which go through the hooks
        outs, pullback = call.forward(*arrays), None
        needed = call.needed(tuple([e is not None for e in edges]), arrays)
        arrays = state.saved_hooks.pack(arrays, needed if generator is None else [False, *needed[1:]])
    elif call.residuals:
        pair = call.saving(tuple([e is not None for e in edges]), tuple([(a.shape, a.dtype) for a in arrays]))
        outs, saved = pair.forward(*arrays)
        pullback = _Residuals(pair, saved, arrays)
    else:
        outs, pullback = call.forward(*arrays), None
    return _record(call, inputs, arrays, edges, _advance(generator, outs), pullback, generator is not None)


def _run_traced(call: Call, inputs: Sequence[Any], differentiable: bool) -> Any:
    trace = state.trace
    grad = state.grad_enabled and differentiable
    arrays: list[Any] = []
    whole: list[Any] = []                       # as they were before a cut
    recording, foldable = False, bool(call.folds)
    for x in inputs:
        if not isinstance(x, Tensor):
            arrays.append(x)
            whole.append(x)
            continue
        array = x.storage.array
        whole.append(array)
        foldable &= isinstance(array, jax.core.Tracer)          # a cell from outside may hold something else later
        if x.storage.trace is not trace:
            trace.capture(x)                                    # type: ignore[union-attr]
        trace.consumed.add(x.storage)                           # type: ignore[union-attr]
        if x._stop_gradient or not grad:
            array = _cut(array)
        else:
            recording = True
        arrays.append(array)
    generator = None
    if call.random:
        generator = rng.default_generator()
        arrays.insert(0, generator.storage.array)
        inputs = (None, *inputs)
    if not (recording and grad):
        outs = call.fn(*arrays)
        if foldable:
            known.note_call(call, whole, outs)
        return _wrap(_advance(generator, outs))
    edges = _edges(inputs, arrays)
    pullback = None
    if trace.uses_tape:                                         # type: ignore[union-attr]
        outs, vjp = split_vjp(call.fn, [e is not None for e in edges], arrays)
        pullback = _Vjp(vjp, outs)
    else:
        outs = call.fn(*arrays)
    return _record(call, inputs, arrays, edges, _advance(generator, outs), pullback, generator is not None)


def _cut(array: Any) -> Any:
    """Where the tape stops, JAX's own differentiation of the traced function has to stop too."""
    return lax.stop_gradient(array) if isinstance(array, jax.core.Tracer) else array


def _edges(inputs: Sequence[Any], arrays: Sequence[Any]) -> tuple:
    return tuple([edge_of(x, a) if isinstance(x, Tensor) else None for x, a in zip(inputs, arrays, strict=True)])


def _advance(generator: rng.Generator | None, outs: Any) -> Any:
    """The first output of a random call is the generator's next state."""
    if generator is None:
        return outs
    generator.storage.array = outs[0]
    return outs[1] if len(outs) == 2 else outs[1:]


def _wrap(outs: Any) -> Any:
    if isinstance(outs, jax.Array):
        return wrap(outs)
    if type(outs) in (tuple, list):
        return type(outs)([wrap(o) for o in outs])
    return wrap(outs) if not isinstance(outs, tuple) else type(outs)(*map(wrap, outs))


def _record(call: Call, inputs: Sequence[Any], arrays: list[Any], edges: tuple, outs: Any, pullback: Any,
            random: bool) -> Any:
    single = not isinstance(outs, (tuple, list))
    flat = (outs,) if single else outs
    offset = 1 if random else 0
    storages = [x.storage if isinstance(x, Tensor) else None for x in inputs]
    node = Node(call, arrays, edges, len(flat) + offset, pullback, storages)
    if single:
        return wrap(outs, False, node, offset) if is_inexact(outs) else wrap(outs)
    tensors = [wrap(o, False, node, i + offset) if is_inexact(o) else wrap(o) for i, o in enumerate(outs)]
    return type(outs)(tensors) if type(outs) in (tuple, list) else type(outs)(*tensors)


class _Residuals:
    """The pullback of a call that saved residuals."""

    __slots__ = ("pair", "saved", "arrays")

    def __init__(self, pair: Any, saved: list[Any], arrays: Sequence[Any]):
        self.pair, self.saved, self.arrays = pair, saved, arrays

    def __call__(self, given: tuple[bool, ...], cotangents: Sequence[Any]) -> Sequence[Any]:
        return self.pair.backward(given, self.saved, self.arrays, cotangents)


class _Vjp:
    """The pullback of a call that was traced: the function that `jax.vjp` gave."""

    __slots__ = ("vjp", "outs")

    def __init__(self, vjp: Any, outs: Any):
        self.vjp, self.outs = vjp, outs

    def __call__(self, given: tuple[bool, ...], cotangents: Sequence[Any]) -> Sequence[Any]:
        return pull_back(self.vjp, self.outs, given, cotangents)
