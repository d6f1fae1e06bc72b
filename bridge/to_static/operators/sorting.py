"""`sorted` and `list.sort` where tensors decide the order: of items that are alike, by keys that are numbers."""
from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp

from kayax.bridge.call import Call
from kayax.bridge.convert import as_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.kinds import Aval
from kayax.bridge.merging import kind_of
from kayax.bridge.ops.manipulation_join import stack
from kayax.bridge.ops.order import argsort
from kayax.bridge.series import Series, is_grown, refusal
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import staged_if
from kayax.bridge.to_static.operators.outcome import NONE, Return, value_of


def sorted_(iterable: Any, *, key: Any = None, reverse: Any = False) -> list:
    """`sorted`."""
    from kayax.bridge.to_static.operators.call import call
    from kayax.bridge.to_static.operators.stores import item
    if is_grown(iterable):
        return _of_staged_length(iterable, key, bool(reverse))
    items = list(iterable)
    keys = items if key is None else [call(key, x) for x in items]
    if not any(map(v.is_staged, keys)):
        order: Any = sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)
        return [items[i] for i in order]
    if len(items) < 2:
        return items
    order = _order(keys, bool(reverse))
    return [item(items, order[i]) for i in range(len(items))]


def sort(items: list, **options: Any) -> None:
    """``items.sort()``."""
    items[:] = sorted_(items, **options)


def _order(keys: list, reverse: bool) -> Tensor:
    """For each place the number of the item that comes there; equal ones stay in their order."""
    kinds = {(kind.dtype, kind.weak) for kind in map(_kind, keys)}
    if len(kinds) > 1:
        raise _unlike()
    column = stack([as_tensor(k).detach().reshape([]) for k in keys])
    _refuse_nan(column)
    return run_call(Call(lambda k: argsort(k, 0, reverse), "argsort"), [column], False)


def _kind(key: Any) -> Aval:
    if not isinstance(key, (Tensor, bool, int, float)):
        raise _unlike()
    kind = kind_of(key)
    if kind.shape not in ((), (1,)) or kind.dtype.kind == "c":
        raise _unlike()
    return kind


def _unlike() -> ConversionError:
    return ConversionError("sorted() by what are no numbers of one dtype, in an order that a tensor decides."
                           f"{at_user_line()}\nSort by one number (`key=lambda item: item.score`), or stack the "
                           "tensors and use paddle.argsort.")


def _refuse_nan(column: Tensor) -> None:
    """With a nan, the order is the one that Python's comparisons happen to give."""
    if column.storage.array.dtype.kind in "fV":
        grown.hold(column.isnan().any(), "that no key that a list is sorted by is nan", "Use paddle.argsort.")


def _of_staged_length(items: list, key: Any, reverse: bool) -> list:
    series = grown.packed(items)
    if key is not None:
        column = _keys(series, key)
    elif isinstance(series.form, Aval) and not series.form.shape and series.form.dtype.kind in "iufb":
        column = series.stacks[0].detach()
    else:
        raise refusal()

    def order(column: Any, n: Any) -> Any:
        counts = jnp.arange(column.shape[0]) < n
        return jnp.lexsort((_places(column, reverse), ~counts))

    if column.storage.array.dtype.kind in "fV":
        beyond = Call(lambda k, n: jnp.any(jnp.isnan(k) & (jnp.arange(k.shape[0]) < n)), "any")
        grown.hold(run_call(beyond, [column, series.length], False), "that no item of a sorted list is nan",
                   "Stack them, and use paddle.sort.")
    found = run_call(Call(order, "argsort"), [column, series.length], False)
    stacks = [run_call(_take, [rows, found]) for rows in series.stacks]
    return [dataclasses.replace(series, stacks=stacks)]


def _keys(series: Series, key: Any) -> Tensor:
    """The key of every row; the function is asked for those alone that are items."""
    from kayax.bridge.to_static.operators.call import call
    if series.capacity > _MOST:
        raise refusal()

    def asked(i: int) -> Any:
        row = grown.row(series, i)
        if i < series.least:
            return call(key, row)
        there = v.truth(series.length > i)
        return value_of(staged_if(there, lambda: Return(call(key, row)), lambda: None, NONE))

    keys = [asked(i) for i in range(series.capacity)]
    if len({(kind.dtype, kind.weak) for kind in map(_kind, keys)}) > 1:
        raise _unlike()
    return stack([as_tensor(k).detach().reshape([]) for k in keys])


_MOST = 256             # items whose keys are worked out one by one


def _places(column: Any, reverse: bool) -> Any:
    """The place of each among all."""
    order = argsort(column, 0, reverse)
    return jnp.zeros_like(order).at[order].set(jnp.arange(order.shape[0]))


_take: Call = Call(lambda rows, order: jnp.take(rows, order, axis=0), "gather")

__all__ = ["sort", "sorted_"]
