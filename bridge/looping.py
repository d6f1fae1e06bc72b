"""A loop whose number of rounds only the program knows, with derivatives of any order.

First derivatives keep checkpoints (Griewank and Walther, 2000; Equinox has them). Their own derivatives do without:
each state is computed again from the start, so a second derivative takes time that is quadratic in the rounds.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.call import is_inexact

_CHECKPOINTS = 64               # copies of a loop's variables that a differentiable loop keeps


class _Round:
    """``round_(now, fixed) -> now``, tuples of arrays. tree: what its pullback's arrays are parts of."""

    def __init__(self, run: Callable):
        self.run = run
        self.tree: Any = None


def while_loop(round_: Callable, start: tuple, fixed: tuple, differentiable: bool = True) -> tuple:
    """``while now[0]: now = round_(now, fixed)``; with derivatives, in reverse mode, if it is differentiable."""
    if differentiable:
        return _loop(_Round(round_), start, fixed)
    return lax.while_loop(lambda now: now[0], lambda now: round_(now, fixed), start)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loop(round_: _Round, start: tuple, fixed: tuple) -> tuple:
    return lax.while_loop(lambda now: now[0], lambda now: round_.run(now, fixed), start)


def _loop_forward(round_: _Round, start: tuple, fixed: tuple) -> tuple:
    out, saved = _saving(round_, start, fixed)
    return out, (start, fixed, saved)


def _loop_backward(round_: _Round, residuals: tuple, cotangents: tuple) -> tuple:
    start, fixed, saved = residuals
    found = _pull(round_, start, fixed, saved, _inexact(start, cotangents))
    return _with_none(start, found[0]), _with_none(fixed, found[1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _saving(round_: _Round, start: tuple, fixed: tuple) -> tuple:
    """The loop, with what its pullback saved; that is a function of the same inputs, but no derivative looks at it."""
    from equinox.internal import while_loop as checkpointed

    def run(a: list, b: list) -> tuple[list, tuple]:
        known = _merged(fixed, b)
        end = checkpointed(lambda now: now[0], lambda now: round_.run(now, known), _merged(start, a),
                           kind="checkpointed", checkpoints=_CHECKPOINTS)
        return _inexact(end, end), end

    _, pullback, out = jax.vjp(run, _inexact(start, start), _inexact(fixed, fixed), has_aux=True)
    saved, round_.tree = jax.tree.flatten(pullback)
    return out, saved


def _saving_forward(round_: _Round, start: tuple, fixed: tuple) -> tuple:
    out, saved = _saving(round_, start, fixed)
    return (out, saved), (start, fixed, saved)


def _saving_backward(round_: _Round, residuals: tuple, cotangents: tuple) -> tuple:
    return _loop_backward(round_, residuals, cotangents[0])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _pull(round_: _Round, start: tuple, fixed: tuple, saved: list, cotangents: list) -> tuple[list, list]:
    """The cotangents of what is inexact in `start` and `fixed`, given those of what is inexact in the result."""
    return jax.tree.unflatten(round_.tree, saved)(list(cotangents))


def _pull_forward(round_: _Round, start: tuple, fixed: tuple, saved: list, cotangents: list) -> tuple:
    return _pull(round_, start, fixed, saved, cotangents), (start, fixed, cotangents)


def _pull_backward(round_: _Round, residuals: tuple, cotangents: tuple) -> tuple:
    start, fixed, given = residuals

    def run(a: list, b: list, c: list) -> tuple[list, list]:
        return _pull_again(round_.run, _merged(start, a), _merged(fixed, b), c)

    _, pullback = jax.vjp(run, _inexact(start, start), _inexact(fixed, fixed), given)
    a, b, c = pullback(cotangents)
    return _with_none(start, a), _with_none(fixed, b), None, c


_loop.defvjp(_loop_forward, _loop_backward)
_saving.defvjp(_saving_forward, _saving_backward)
_pull.defvjp(_pull_forward, _pull_backward)


def _pull_again(run: Callable, start: tuple, fixed: tuple, cotangents: list) -> tuple[list, list]:
    """What `_pull` gives, in terms of loops that have derivatives themselves."""
    m, n = len(start), len(cotangents)

    def forth(now: tuple, known: tuple) -> tuple:
        i = now[1] + 1
        return (i < known[0], i, *run(now[2:], known[1:]))

    def back(now: tuple, known: tuple) -> tuple:
        k, given, total = now[1], now[2:2 + n], now[2 + n:]
        first, rest = known[:m], known[m:]
        state = while_loop(forth, (k > 0, jnp.zeros_like(k), *first), (k, *rest))[2:]

        def once(a: list, b: list) -> list:
            return _inexact(state, run(_merged(state, a), _merged(rest, b)))

        _, pullback = jax.vjp(once, _inexact(state, state), _inexact(rest, rest))
        a, b = pullback(list(given))
        return (k > 0, k - 1, *map(_strong, a), *[_strong(x + y) for x, y in zip(total, b, strict=True)])

    rounds = _rounds(run, *jax.tree.map(lax.stop_gradient, (start, fixed)))
    zeros = [_strong(jnp.zeros_like(a)) for a in _inexact(fixed, fixed)]
    end = while_loop(back, (rounds > 0, rounds - 1, *map(_strong, cotangents), *zeros), (*start, *fixed))
    return list(end[2:2 + n]), list(end[2 + n:])


def _rounds(run: Callable, start: tuple, fixed: tuple) -> Any:
    def once(now: tuple) -> tuple:
        return (now[0] + 1, *run(now[1:], fixed))

    return lax.while_loop(lambda now: now[1], once, (jnp.zeros((), "int64"), *start))[0]


# ---- parts of tuples -------------------------------------------------------------------------------------------


def _inexact(like: Sequence[Any], values: Sequence[Any]) -> list:
    return [v for a, v in zip(like, values, strict=True) if is_inexact(a)]


def _merged(values: tuple, inexact: Sequence[Any]) -> tuple:
    """The values, with others in place of those that are inexact."""
    new = iter(inexact)
    return tuple([next(new) if is_inexact(a) else a for a in values])


def _with_none(values: tuple, inexact: Sequence[Any]) -> tuple:
    new = iter(inexact)
    return tuple([next(new) if is_inexact(a) else None for a in values])


def _strong(array: Any) -> Any:
    return lax.convert_element_type(array, array.dtype)
