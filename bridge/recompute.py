"""Recomputation: a part of a model whose intermediate values are not kept, but computed again for the gradient."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from kayax.bridge import rng
from kayax.bridge.autograd import backward, enable_grad
from kayax.bridge.enclose import enclosed
from kayax.bridge.pylayer import PyLayer
from kayax.bridge.staging import run_users, staged
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.spec import tree


@staged
def recompute(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``, with its intermediate values computed again when a gradient is asked for.

    function: a Layer or a function of Tensors, with any other arguments. preserve_rng_state: draw the same random
        numbers again (always so in a converted function). use_reentrant: accepted, both of Paddle's ways are one here.

    In a converted function it is `jax.checkpoint`. Eagerly the values are kept if no argument wants a gradient.
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    kwargs.pop("use_reentrant", None)
    if not state.grad_enabled:
        return run_users(function, *args, **kwargs)
    leaves, spec = tree.flatten((args, kwargs), lambda v: isinstance(v, Tensor))

    def call(tensors: Sequence[Tensor]) -> Any:
        positional, named = tree.unflatten(spec, tensors)
        return run_users(function, *positional, **named)

    if state.trace is not None:
        return enclosed(lambda: call(leaves), jax.checkpoint, "recompute")
    if all(t._stop_gradient for t in leaves):           # nothing would ask for the second run: keep the values
        return function(*args, **kwargs)
    return _twice(call, leaves, preserve)


class _Again(PyLayer):
    """Runs a function without recording, and again with recording when its gradient is wanted."""

    @staticmethod
    def forward(ctx: Any, again: _Run, *leaves: Any) -> Any:
        ctx.again = again
        ctx.save_for_backward(*leaves)
        return again.first(leaves)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return ctx.again.second(ctx.saved_tensor(), grads)


class _Run:
    """Both runs of a function: under the same precision, from the same random state."""

    def __init__(self, call: Callable, preserve: bool):
        self.call, self.amp = call, state.amp
        self.words = rng.get_rng_state() if preserve else None

    def first(self, leaves: Sequence[Tensor]) -> Any:
        flat, self.spec = tree.flatten(self.call(leaves), lambda v: isinstance(v, Tensor))
        return tuple(flat)

    def second(self, leaves: Sequence[Tensor], grads: Sequence[Any]) -> Any:
        inputs = []
        for leaf in leaves:
            inner = leaf.detach()
            inner.stop_gradient = leaf.stop_gradient
            inputs.append(inner)
        now = rng.get_rng_state()
        held, state.amp = state.amp, self.amp
        try:
            if self.words is not None:
                rng.set_rng_state(self.words)
            with enable_grad():
                outs, _ = tree.flatten(self.call(inputs), lambda v: isinstance(v, Tensor))
        finally:
            state.amp = held
            if self.words is not None:
                rng.set_rng_state(now)
        pairs = [(o, g) for o, g in zip(outs, grads, strict=True) if g is not None and not o.stop_gradient]
        backward([o for o, _ in pairs], [g for _, g in pairs])
        found = [x._grad for x in inputs]
        return tuple(found) if len(found) > 1 else found[0]


def _twice(call: Callable, leaves: list[Tensor], preserve: bool) -> Any:
    run = _Run(call, preserve)
    outs = _Again.apply(run, *leaves)
    return tree.unflatten(run.spec, list(outs) if isinstance(outs, (list, tuple)) else [outs])
