"""What calls that a static graph notes are given: variables where variables are wanted, as in Paddle's programs.

Eagerly more is taken: NumPy arrays and numbers are Tensors there.
"""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from kayax.bridge.open_sizes import is_open
from kayax.bridge.tensor import Tensor
from kayax.spec.errors import ArgumentError, NotATensorError

# Parameters that are variables; of the second kind also numbers and None reach an operation.
_FIRST = frozenset(("x", "input", "logits", "logit", "query", "x1", "arr", "input1", "anchor", "log_probs", "v",
                    "theta"))
_OTHERS = _FIRST | {"y", "other", "x2", "label", "index", "condition", "values", "inputs", "operands"}
# The operators of a variable are these too: one of their operands may be a number.
_OPERATORS = frozenset("""
    add subtract multiply divide floor_divide remainder __pow__ matmul bitwise_and bitwise_or bitwise_xor
    bitwise_left_shift bitwise_right_shift equal not_equal less_than less_equal greater_than greater_equal""".split())
# What Paddle's programs refuse in the first parameter: truths, and integers as well.
_NO_BOOLS = frozenset("""
    acos amax amin argmax argmin argsort asin atan conj cos cosh crop cumsum diag digamma erf exp expm1
    histogram i0 index_sample isfinite isinf isnan kthvalue lgamma log log10 log1p log2 logcumsumexp logit logsumexp max
    min mode nansum put_along_axis reciprocal repeat_interleave rsqrt shard_index sigmoid sin sinh sort sqrt stanh
    take_along_axis tan tanh topk trace unique unstack nn.functional.nll_loss""".split())
_FLOATS = frozenset("""batch_norm nanmean std var metric.correct""".split()) | {f"nn.functional.{name}" for name in
    """
    binary_cross_entropy binary_cross_entropy_with_logits cosine_similarity cross_entropy group_norm
    hinge_embedding_loss instance_norm kl_div l1_loss label_smooth layer_norm margin_ranking_loss maxout mse_loss
    normalize npair_loss relu smooth_l1_loss softmax_with_cross_entropy square_error_cost triplet_margin_loss
    """.split()}
_NUMBERS = (bool, int, float, complex, np.generic)


def check_noted(fn: Callable, args: tuple, kwargs: dict[str, Any]) -> None:
    """A NotATensorError if an argument that must be a variable is something else."""
    for name, place, plain in _wanted(fn):
        if place < len(args):
            value = args[place]
        elif name in kwargs:
            value = kwargs[name]
        else:
            continue
        if isinstance(value, (Tensor, jax.Array)) or (plain and (
                    value is None or isinstance(value, _NUMBERS) or is_open(value))):
            continue
        if not _holds_variables(value):
            raise NotATensorError(f"`{_name(fn)}` was given {_shown(value)} for `{name}`, which must be a variable of "
                                  "the program. Feed it through paddle.static.data, or make a constant of it with "
                                  "paddle.to_tensor or paddle.full.")
    _check_dtype(fn, args, kwargs)


def check_variable(value: Any, name: str, function: str, kinds: str = "", several: bool = False) -> None:
    """A TypeError unless this is a variable of one of these kinds of NumPy's (any, if none), or a list of such."""
    values = value if several and isinstance(value, (list, tuple)) else [value]
    for one in values:
        if not isinstance(one, (Tensor, jax.Array)):
            raise NotATensorError(f"{name} of {function} must be a variable of the program, but got {_shown(one)}.")
        dtype = one.storage._array.dtype if isinstance(one, Tensor) else one.dtype
        if kinds and dtype.kind not in kinds:
            raise ArgumentError(f"{name} of {function} cannot be of {dtype.name}. Cast it.")


def check_choice(arguments: dict[str, Any]) -> None:
    """A TypeError if what `cond`, `case` or `switch_case` decides by is no variable of truths or of integers."""
    pairs = arguments.get("pred_fn_pairs", ())
    preds = [arguments["pred"]] if "pred" in arguments else [
        p[0] for p in pairs if isinstance(p, (list, tuple)) and p] if isinstance(pairs, (list, tuple)) else []
    for pred in preds:
        if not isinstance(pred, bool):
            check_variable(pred, "pred", "cond or case", "b")
    if "branch_index" in arguments:
        check_variable(arguments["branch_index"], "branch_index", "switch_case", "iu")


def check_test(outs: Sequence[Any]) -> None:
    """A TypeError unless a loop's condition gave one variable of truths."""
    if len(outs) != 1:
        raise TypeError(f"cond of while_loop must give one variable of the program, but gave {len(outs)}: a loop "
                        "cannot end by Python values.")
    check_variable(outs[0], "The result of cond", "while_loop", "b")


def _check_dtype(fn: Callable, args: tuple, kwargs: dict[str, Any]) -> None:
    """A TypeError if the first argument is of integers or truths where Paddle's programs refuse them."""
    name = _name(fn)
    refused = "iub" if name in _FLOATS else "b" if name in _NO_BOOLS else ""
    if refused:
        value = args[0] if args else next(iter(kwargs.values()), None)
        dtype = value.storage._array.dtype if isinstance(value, Tensor) else None
        if dtype is not None and dtype.kind in refused:
            raise TypeError(f"`{name}` takes no variable of {dtype.name}. Cast it: x.astype('float32').")


@functools.lru_cache(maxsize=4096)
def _wanted(fn: Callable) -> list[tuple[str, int, bool]]:
    """The parameters that must be variables, with their places, and whether they may be numbers or None as well."""
    operation = hasattr(fn, "signature")
    signature = fn.signature if operation else inspect.signature(fn)        # type: ignore[attr-defined]
    found = []
    for place, (name, parameter) in enumerate(signature.parameters.items()):
        required = parameter.default is inspect.Parameter.empty
        other = operation and name in _OTHERS
        if required and (other or (place == 0 and name in _FIRST)):
            found.append((name, place, place > 0 or _name(fn) in _OPERATORS))
    return found


def _name(fn: Any) -> str:
    return str(getattr(fn, "name", None) or getattr(fn, "__name__", "a call"))


def _holds_variables(value: Any) -> bool:
    """Whether this is a list of variables, or of such lists."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(v, (Tensor, jax.Array)) or _holds_variables(v) for v in value)


def _shown(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__module__}.{type(value).__name__}".replace("builtins.", "")


__all__ = ["check_choice", "check_noted", "check_test", "check_variable"]
