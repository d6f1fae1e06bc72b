"""Paddle's functions for choices and loops on tensors: the operators of rewritten `if` and `while`, by hand."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kayax.bridge.convert import as_tensor
from kayax.bridge.either import Either, describe
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.convert import converted
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import has_either
from kayax.bridge.to_static.operators.logic import choose
from kayax.bridge.to_static.operators.loop import while_
from kayax.bridge.to_static.operators.outcome import Variables
from kayax.spec import tree


@staged(notes=True)
def cond(pred: Any, true_fn: Callable | None = None, false_fn: Callable | None = None, name: str | None = None,
         return_names: Any = None) -> Any:
    """``true_fn()`` if `pred` is true, else ``false_fn()``.

    pred: a Tensor with one boolean, or a bool. Both functions return the same structure with the same shapes and dtypes
    (None for a function that is None). Eagerly only the chosen one runs; while converting both are in the program.
    """
    branches = [true_fn or _nothing, false_fn or _nothing]
    if not callable(branches[0]) or not callable(branches[1]):
        raise TypeError("cond takes functions without arguments for true_fn and false_fn.")
    return _select(pred, branches[0], branches[1], ("true_fn", "false_fn"))


@staged(notes=True)
def switch_case(branch_index: Any, branch_fns: Any, default: Callable | None = None, name: str | None = None) -> Any:
    """The result of the function whose index is `branch_index`, or of `default` (the last one, if None) for any other.

    branch_fns: a list or tuple of functions, a list of ``(index, function)`` pairs, or a dict.
    """
    pairs = list(branch_fns.items()) if isinstance(branch_fns, dict) else list(branch_fns)
    if not pairs:
        raise ValueError("switch_case needs at least one function.")
    if not isinstance(pairs[0], (list, tuple)):
        pairs = list(enumerate(pairs))
    pairs = sorted(pairs, key=lambda pair: pair[0])
    indices = [i for i, _ in pairs]
    if len(set(indices)) < len(indices):
        raise ValueError(f"The indices of switch_case must differ, but got {indices}.")
    *first, (_, last) = pairs if default is None else [*pairs, (None, default)]
    return case([(branch_index == i, function) for i, function in first], last) if first else last()


@staged(notes=True)
def case(pred_fn_pairs: Sequence[tuple[Any, Callable]], default: Callable | None = None,
         name: str | None = None) -> Any:
    """The result of the first function whose predicate is true, or of `default` (the last one, if None)."""
    if not pred_fn_pairs or not all(isinstance(p, (list, tuple)) and len(p) == 2 and callable(p[1])
                                    for p in pred_fn_pairs):
        raise TypeError("case takes a list of (predicate, function) pairs.")
    (pred, function), *rest = pred_fn_pairs
    if rest:
        return cond(pred, function, lambda: case(rest, default))
    return cond(pred, function, default if default is not None else function)


def _nothing() -> None:
    return None


def _select(pred: Any, true_fn: Callable, false_fn: Callable, names: tuple[str, str]) -> Any:
    if isinstance(pred, Tensor) and pred.size != 1:
        raise ValueError(f"The condition must have one element, but its shape is {list(pred.shape)}.")
    if not v.is_staged(pred):
        return true_fn() if pred else false_fn()
    return _one_kind(choose(pred, converted(true_fn), converted(false_fn)), names)


def _one_kind(value: Any, names: tuple[str, str]) -> Any:
    """What both branches give, where a number and a tensor that it fits in are a tensor."""
    if isinstance(value, Either):
        try:
            return v.merged(value)
        except ConversionError:
            raise ConversionError(
                f"The branches differ: {names[0]} gives {describe(value.first)}, {names[1]} gives "
                f"{describe(value.second)}.{at_user_line()}\nGive one structure, shape and dtype from each.") from None
    found = None if isinstance(value, Tensor) else tree.parts(value)
    if found is None or not any(map(has_either, found[2], [3] * len(found[2]))):
        return value
    return tree.build(found[0], found[1], [_one_kind(part, names) for part in found[2]])


@staged(notes=True)
def while_loop(cond: Callable, body: Callable, loop_vars: Sequence[Any], is_test: bool = False,
               name: str | None = None) -> list[Any]:
    """Run ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` is true, and give the last variables.

    loop_vars: a list or tuple of Tensors, or structures of them. While converting, the variables keep their shapes and
    dtypes from round to round. If a gradient may be asked for, the loop keeps checkpoints (Griewank and Walther, 2000),
    so that its number of rounds need not be known.
    """
    if not callable(cond) or not callable(body):
        raise TypeError("while_loop takes two functions: cond and body.")
    if not isinstance(loop_vars, (list, tuple)) or not loop_vars:
        raise TypeError(f"while_loop takes a list or tuple of variables, but got {loop_vars!r}.")
    test, step = converted(cond), converted(body)
    now = list(loop_vars)

    def put(values: list[Any]) -> None:
        now[:] = values

    def round_() -> None:
        now[:] = _as_list(step(*now), len(loop_vars))

    def going() -> Any:
        flag = test(*now)
        if v.is_staged(flag):                       # numbers that the loop may change are tensors from the start
            now[:] = [_tensors(x) for x in now]
        return flag

    readers = [lambda i=i: now[i] for i in range(len(now))]                     # type: ignore[misc]
    names = [f"the variable {i} of while_loop" for i in range(len(now))]
    while_(going, round_, None, Variables(names, lambda: readers, put))         # type: ignore[arg-type, return-value]
    for i, value in enumerate(now):
        if isinstance(value, Either):
            raise ConversionError(
                f"The variable {i} of while_loop changes from {describe(value.first)} to {describe(value.second)} in a "
                f"round, which a program cannot express.{at_user_line()}\nCast or shape it before the loop.")
    return now


def _tensors(value: Any) -> Any:
    leaves, spec = tree.flatten(value, lambda x: isinstance(x, (Tensor, int, float, bool)))
    return tree.unflatten(spec, [as_tensor(x) for x in leaves])


def _as_list(result: Any, n: int) -> list[Any]:
    values = list(result) if isinstance(result, (list, tuple)) else [result]
    if len(values) != n:
        raise ValueError(f"The body of while_loop must return {n} variables, but it returned {len(values)}.")
    return values
