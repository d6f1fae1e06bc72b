"""Users' code inside a gradient that JAX computes: a hook as a function that is the identity but for its gradient."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

from kayax.bridge.errors import ConversionError
from kayax.bridge.state import state


@contextmanager
def closed_world(what: str, mend: str) -> Iterator[None]:
    """Code that runs in a program's backward: it may use what it is given, no other cell: its value would be frozen."""
    from kayax.bridge.trace import Trace
    trace, held = Trace(), state.grad_enabled
    state.grad_enabled = False
    try:
        with trace:
            yield
    finally:
        state.grad_enabled = held
    if trace.reads:
        raise ConversionError(f"{what} uses a Tensor (or a random number) from outside, which the backward program of "
                              f"a converted forward does not have. {mend}")


@jax.custom_vjp
def overwritten(old: Any, new: Any) -> Any:
    """The value `new` at the place of `old`: what is written under no_grad leaves the graph as it was."""
    return new


overwritten.defvjp(lambda old, new: (new, None), lambda _, cotangent: (cotangent, jax.numpy.zeros_like(cotangent)))


def hooked(array: Any, table: dict[int, Callable], key: int) -> Any:
    """The array itself; its gradient passes through the hook ``table[key]``, if that is still there."""
    from kayax.bridge.tensor import wrap

    @jax.custom_vjp
    def identity(a: Any) -> Any:
        return a

    def backward(_: None, cotangent: Any) -> tuple:
        hook = table.get(key)
        if hook is None:
            return (cotangent,)
        with closed_world("A hook", "Use the gradient alone, or convert the whole step with backward() inside."):
            new = hook(wrap(cotangent))
            return (cotangent if new is None else new.storage.array,)

    identity.defvjp(lambda a: (a, None), backward)
    return identity(array)
