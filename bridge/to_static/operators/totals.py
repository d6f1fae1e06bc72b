"""Built-in functions of the items of a list of staged length: `sum`, `max`, `min`, `any`, `all`."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.kinds import Aval
from kayax.bridge.merging import kind_of
from kayax.bridge.series import Series, counting, refusal
from kayax.bridge.tensor import Tensor, as_number
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v


def total(items: list, start: Any = 0) -> Any:
    """``sum(items, start)``."""
    series, kind = _column(items)
    one = kind_of(start + grown.row(series, 0))             # what an addition gives, whether or not there is an item
    if one.shape != kind_of(start).shape:
        grown.need_item(items)                              # without one, it is the start alone

    def run(stack: Any, n: Any) -> Any:
        found = jnp.sum(counting(stack.astype(one.dtype), n, jnp.asarray(0)), axis=0, dtype=one.dtype)
        return jnp.asarray(np.dtype(one.dtype).type(0).item()).at[()].set(found) if one.weak else found

    found = run_call(Call(run, "sum"), [series.stacks[0], series.length])
    found = found.detach() if kind.stop else found
    return start + (as_number(found) if one.weak else found)


def extreme(items: list, better: Callable) -> Any:
    """``max(items)`` or ``min(items)``: the first item that none is better than."""
    series, _ = _numbers(items)
    grown.need_item(items)

    def run(stack: Any, n: Any) -> Any:
        def look(i: Any, best: Any) -> Any:
            return jnp.where((i < n) & better(stack[i], stack[best]), i, best)

        return lax.fori_loop(1, stack.shape[0], look, jnp.zeros((), "int64"))

    return grown.row(series, run_call(Call(run, "argmax"), [series.stacks[0].detach(), series.length]))


def truth(items: list, function: Callable) -> Any:
    """``any(items)`` or ``all(items)``."""
    series, _ = _numbers(items)
    reduced = jnp.any if function is any else jnp.all

    def run(stack: Any, n: Any) -> Any:
        return reduced(counting(stack.astype(bool), n, jnp.asarray(function is all)))

    return as_number(run_call(Call(run, function.__name__), [series.stacks[0].detach(), series.length]))


def contains(items: list, item: Any) -> Any:
    """``item in items``."""
    return _where(items, item, "any", jnp.any)


def count(items: list, item: Any) -> Any:
    """``items.count(item)``."""
    return _where(items, item, "sum", lambda found: _weak(jnp.sum(found)))


def index(items: list, item: Any) -> Any:
    """``items.index(item)``; without one, the eager run raises the error."""
    missing = v.negated(v.truth(contains(items, item)))
    grown.hold(missing, "that a list whose length a tensor decides has an item", "Ask with `in`.")
    return _where(items, item, "argmax", lambda found: _weak(jnp.argmax(found)))


def _weak(number: Any) -> Any:
    """A whole number of Python's."""
    return jnp.asarray(0).at[()].set(number.astype("int64"))


def _where(items: list, item: Any, name: str, reduced: Callable) -> Any:
    """What is found of where the items equal a number."""
    series, _ = _numbers(items)
    if not isinstance(item, (Tensor, bool, int, float)):
        raise refusal()
    other = kind_of(item)
    if other.shape:
        raise refusal()
    if other.dtype.kind not in "biu":
        v.bail_if(item != item)                 # the very same nan is in a list that holds it

    def run(stack: Any, n: Any, one: Any) -> Any:
        return reduced(counting(stack == one, n, jnp.asarray(False)))

    operand = item.detach() if isinstance(item, Tensor) else jnp.asarray(item)
    return as_number(run_call(Call(run, name), [series.stacks[0].detach(), series.length, operand]))


def equal(a: Any, b: Any) -> Any:
    """``a == b`` of lists of numbers, one of staged length at least."""
    if type(a) is not type(b) or type(a) not in (list, tuple):
        return False
    if not a or not b:
        return as_number(v.truth(grown.length(a or b) == 0))
    (left, n), (right, m) = _stack_of(a), _stack_of(b)
    for stack in (left, right):
        if stack.storage.array.dtype.kind not in "biu":
            v.bail_if(run_call(_nans, [stack], False))                          # the very same nan equals itself here

    def run(p: Any, q: Any, n: Any, m: Any) -> Any:
        k = min(p.shape[0], q.shape[0])
        return (n == m) & jnp.all((p[:k] == q[:k]) | (jnp.arange(k) >= n))

    return as_number(run_call(Call(run, "equal"), [left, right, n, m], False))


def _stack_of(items: list) -> tuple[Tensor, Any]:
    """The items of a list of numbers as one tensor, and how many count."""
    if grown.is_grown(items):
        series, _ = _numbers(items)
        return series.stacks[0].detach(), series.length
    from kayax.bridge.convert import as_tensor
    from kayax.bridge.ops.manipulation_join import stack
    if not all(isinstance(x, (Tensor, bool, int, float)) and not kind_of(x).shape for x in items):
        raise refusal()
    return stack([as_tensor(x).detach() for x in items]), jnp.asarray(len(items))


_nans = Call(lambda stack: jnp.any(jnp.isnan(stack)), "any")


def _column(items: list) -> tuple[Series, Aval]:
    """The items of a list of tensors, or of numbers, as one."""
    series = grown.packed(items)
    if not isinstance(series.form, Aval):
        raise refusal()
    return series, series.form


def _numbers(items: list) -> tuple[Series, Aval]:
    series, kind = _column(items)
    if kind.shape:
        raise refusal()
    return series, kind
