"""PyLayer: an operation whose gradient the user writes."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.autograd import enable_grad, no_grad
from kayax.bridge.call import is_inexact
from kayax.bridge.cells import Storage
from kayax.bridge.hooking import closed_world
from kayax.bridge.journal import born
from kayax.bridge.staging import run_users
from kayax.bridge.state import state
from kayax.bridge.tape import Node, edge_of
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.trace import Trace


class PyLayerContext:
    """What `forward` hands to `backward`: tensors by `save_for_backward`, anything else as attributes."""

    def __init__(self) -> None:
        self._saved: tuple = ()
        self._not_differentiable: tuple = ()
        self._materialize = True
        self._cast_gradients = True
        self._unpack: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for `backward`; call it once."""
        hooks = state.saved_hooks
        if hooks is not None:
            tensors, self._unpack = tuple(map(hooks.pack_hook, tensors)), hooks.unpack_hook
        self._saved = tensors

    def saved_tensor(self) -> tuple:
        """What `save_for_backward` was given."""
        return self._saved if self._unpack is None else tuple(map(self._unpack, self._saved))

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """These outputs have no gradient."""
        self._not_differentiable = args

    def mark_not_inplace(self, *args: Any) -> None:
        """Accepted: outputs are never the inputs' own storage here."""

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a missing gradient reaches `backward` as zeros (the default) or as None."""
        self._materialize = bool(value)


    def set_grad_in_dtype_consistent(self, flag: bool) -> None:
        """Whether a gradient reaches `backward` in the dtype of its output (the default), or as it comes."""
        self._cast_gradients = bool(flag)


class PyLayer:
    """Subclass it with static methods ``forward(ctx, *args)`` and ``backward(ctx, *gradients)``; call `apply`.

    `backward` gets one gradient for each Tensor that `forward` returned, and returns one for each Tensor argument (None
    where the argument needs none).
    """

    @staticmethod
    def forward(ctx: PyLayerContext, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("A PyLayer needs a static method forward(ctx, *args).")

    @staticmethod
    def backward(ctx: PyLayerContext, *args: Any) -> Any:
        """The gradients of the inputs, of those of the outputs; a subclass defines it."""
        raise NotImplementedError("A PyLayer needs a static method backward(ctx, *gradients).")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and leave `backward` on the tape."""
        if state.graph is not None:
            return state.graph.record(cls.apply, args, kwargs)
        slots = [(None, i) for i, a in enumerate(args) if isinstance(a, Tensor)]
        slots += [(k, None) for k, v in kwargs.items() if isinstance(v, Tensor)]      # type: ignore[misc]
        inputs = [args[i] if k is None else kwargs[k] for k, i in slots]
        recording = state.grad_enabled and any(not t._stop_gradient for t in inputs)

        def run(ctx: PyLayerContext, tensors: Sequence[Tensor]) -> Any:
            positional, named = list(args), dict(kwargs)
            for (key, index), tensor in zip(slots, tensors, strict=True):
                if key is None:
                    positional[index] = tensor                  # type: ignore[call-overload]
                else:
                    named[key] = tensor
            with no_grad():
                return run_users(cls.forward, ctx, *positional, **named)

        if recording and state.trace is not None:
            state.trace.note_method(cls, "backward")            # it runs later
        if recording and state.trace is not None and state.trace.uses_tape is False:
            return _staged(cls, run, inputs)
        ctx = born(PyLayerContext())
        out = run(ctx, inputs)
        return _record(cls, ctx, inputs, out) if recording else out


def _record(cls: type[PyLayer], ctx: PyLayerContext, inputs: list[Tensor], out: Any) -> Any:
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    arrays = [t.storage.array for t in inputs]
    avals = [(o.storage.array.shape, o.storage.array.dtype) if isinstance(o, Tensor) else None for o in outs]
    wants = [not t._stop_gradient for t in inputs]

    def pullback(given: tuple[bool, ...] | None, cotangents: Sequence[Any]) -> list[Any]:
        rest = iter(cotangents)
        full = list(cotangents) if given is None else [wrap(next(rest), False) if g else None for g in given]
        with enable_grad() if given is None else no_grad():
            grads = _call_backward(cls, ctx, full, avals, wants)
        _check_shapes(cls, grads, inputs)
        wanted = [g for g, e in zip(grads, edges, strict=True) if e is not None]
        return wanted if given is None else [None if g is None else g.storage.array for g in wanted]

    edges = tuple(edge_of(t, a) for t, a in zip(inputs, arrays, strict=True))
    node = Node(None, arrays, edges, len(outs), pullback)
    closed = {id(t) for t in ctx._not_differentiable}
    new = [wrap(o.storage.array, False, node, i)
           if isinstance(o, Tensor) and id(o) not in closed and is_inexact(o.storage.array) else o
           for i, o in enumerate(outs)]
    return type(out)(new) if isinstance(out, (tuple, list)) else new[0]


def _call_backward(cls: type[PyLayer], ctx: PyLayerContext, cotangents: list[Any], avals: list[Any],
                   wants: list[bool]) -> list[Any]:
    """What the user's `backward` gives for each Tensor argument; `wants` says which of them need a gradient."""
    full = [wrap(jnp.zeros(*aval)) if c is None and aval is not None and ctx._materialize else c
            for c, aval in zip(cotangents, avals, strict=True)]
    if ctx._cast_gradients:
        full = [c if c is None or aval is None or c.storage.array.dtype == aval[1] else c.astype(aval[1])
                for c, aval in zip(full, avals, strict=True)]
    full = [c for c, aval in zip(full, avals, strict=True) if aval is not None]     # what is no Tensor has none
    grads = run_users(cls.backward, ctx, *full)
    grads = list(grads) if isinstance(grads, (tuple, list)) else [grads]
    if len(grads) == sum(wants) != len(wants):      # one for each argument that needs one, as Paddle allows too
        rest = iter(grads)
        grads = [next(rest) if wanted else None for wanted in wants]
    if len(grads) != len(wants):
        raise ValueError(f"{cls.__name__}.backward gave {len(grads)} gradients, but forward has {len(wants)} Tensor "
                         "arguments.")
    return grads


def _check_shapes(cls: type[PyLayer], grads: list[Any], inputs: Sequence[Any]) -> None:
    for tensor, grad in zip(inputs, grads, strict=True):
        if grad is not None and tuple(grad.shape) != tuple(tensor.shape):
            raise ValueError(f"{cls.__name__}.backward gave a gradient of shape {list(grad.shape)} for an input of "
                             f"shape {list(tensor.shape)}.")


def _staged(cls: type[PyLayer], run: Any, inputs: list[Tensor]) -> Any:
    """In a converted forward the program is differentiated as a whole: there the user's gradient is a custom VJP."""
    shape: dict[str, Any] = {}
    wants = [not t._stop_gradient for t in inputs]
    n, cells = len(inputs), list[Storage]()               # the cells that forward reads follow the inputs

    def forward(*arrays: Any) -> tuple[tuple, tuple]:
        ctx, trace = born(PyLayerContext()), Trace(dict(zip(cells, arrays[n:], strict=True)), False)
        with trace:
            out = run(ctx, [wrap(a) for a in arrays[:n]])
            outs = list(out) if isinstance(out, (tuple, list)) else [out]
            held, spec = _take_tensors(ctx)
            closed = {id(t) for t in ctx._not_differentiable}
            avals = [(o.storage.array.shape, o.storage.array.dtype) if isinstance(o, Tensor) else None for o in outs]
            shape.update(out=out, outs=outs, ctx=ctx, spec=spec, closed=[id(o) in closed for o in outs], avals=avals,
                         reads=list(trace.reads), writes=list(trace.writes))
            results = tuple(o.storage.array for o in outs if isinstance(o, Tensor))
            return (*results, *(trace.values[s] for s in trace.writes)), held

    @jax.custom_vjp
    def op(*arrays: Any) -> tuple:
        return forward(*arrays)[0]

    def backward(held: tuple, cotangents: tuple) -> tuple:
        rest = iter(cotangents)
        with closed_world(f"{cls.__name__}.backward", "Give it to ctx.save_for_backward in forward."):
            full = [None if aval is None else _as_gradient(next(rest), *aval) for aval in shape["avals"]]
            ctx = _put_tensors(shape["ctx"], shape["spec"], held)
            grads = _call_backward(cls, ctx, full, shape["avals"], wants)
            _check_shapes(cls, grads, avals[:n])
            grads = [*grads, *(None for _ in cells)]
            found = tuple(_as_cotangent(g, a) for g, a in zip(grads, avals, strict=True))
        return found

    op.defvjp(forward, backward)
    for t in inputs:
        if t.storage.trace is not state.trace:
            state.trace.capture(t)              # type: ignore[union-attr]
    arrays = [jax.lax.stop_gradient(t.storage.array) if t._stop_gradient else t.storage.array for t in inputs]
    jax.eval_shape(forward, *arrays)
    cells += shape["reads"]
    arrays += [jax.lax.stop_gradient(cell.array) for cell in cells]
    avals = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays]
    rest = iter(op(*arrays))
    outs = []
    for old, closed in zip(shape["outs"], shape["closed"], strict=True):
        if isinstance(old, Tensor):
            array = next(rest)
            stopped = closed or not is_inexact(array)
            old = wrap(jax.lax.stop_gradient(array) if closed else array, stopped)
        outs.append(old)
    for cell in shape["writes"]:
        cell.array = next(rest)
    out = shape["out"]
    return type(out)(outs) if isinstance(out, (tuple, list)) else outs[0]


def _as_gradient(cotangent: Any, shape: Any, dtype: Any) -> Tensor:
    """What `backward` gets for an output: integers have zeros for a gradient, where JAX has none."""
    return wrap(jnp.zeros(shape, dtype) if cotangent.dtype == jax.dtypes.float0 else cotangent)


def _as_cotangent(grad: Tensor | None, array: Any) -> Any:
    if not is_inexact(array):
        return None
    return jnp.zeros(array.shape, array.dtype) if grad is None else grad.storage.array.astype(array.dtype)


def _take_tensors(ctx: PyLayerContext) -> tuple[tuple, list]:
    """The arrays of all Tensors among a context's saved tensors and attributes, and where each belongs."""
    places: list[tuple[str, int | None]] = [("_saved", i) for i, t in enumerate(ctx._saved) if isinstance(t, Tensor)]
    places += [(k, None) for k, v in ctx.__dict__.items() if isinstance(v, Tensor)]
    held = [ctx._saved[i] if i is not None else ctx.__dict__[k] for k, i in places]
    return tuple(t.storage.array for t in held), places


def _put_tensors(ctx: PyLayerContext, places: list, held: tuple) -> PyLayerContext:
    new = born(copy.copy(ctx))
    saved = list(ctx._saved)
    for (name, index), array in zip(places, held, strict=True):
        if index is None:
            new.__dict__[name] = wrap(array)
        else:
            saved[index] = wrap(array)
    new._saved = tuple(saved)
    return new


