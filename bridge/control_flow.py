"""Choices and loops that depend on tensors: run as Python where the value is known, staged into the program where not.

Each branch or body is functionalized, so that it may read and write cells as any code does; what all of them read goes
in, what any of them writes comes out. The staged form is one operation at the door, so its gradient is the tape's.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.call import Call, is_inexact
from kayax.bridge.cells import Storage
from kayax.bridge.convert import as_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.functionalize import INPUT, NEW, OUTER, Abstract, Functionalized
from kayax.bridge.staging import staged
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, view
from kayax.spec import tree

_CHECKPOINTS = 64               # copies of a loop's variables that a differentiable loop keeps


@staged
def cond(pred: Any, true_fn: Callable | None = None, false_fn: Callable | None = None, name: str | None = None,
         return_names: Any = None) -> Any:
    """``true_fn()`` if `pred` is true, else ``false_fn()``.

    pred: a Tensor with one boolean, or a bool. Both functions return the same structure with the same shapes and dtypes
    (None for a function that is None). Eagerly only the chosen one runs; while converting both are in the program.
    """
    branches = [false_fn or _nothing, true_fn or _nothing]
    if not callable(branches[0]) or not callable(branches[1]):
        raise TypeError("cond takes functions without arguments for true_fn and false_fn.")
    return _select(pred, branches, ["false_fn", "true_fn"])


@staged
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
    functions = [f for _, f in pairs] + [default if default is not None else pairs[-1][1]]
    position = sum((as_tensor(branch_index) > i).astype("int32") for i in indices)
    known = sum((as_tensor(branch_index) == i).astype("int32") for i in indices) > 0
    chosen = known.astype("int32") * position + (1 - known.astype("int32")) * len(indices)
    return _select(chosen, functions, [*map(str, indices), "default"])


@staged
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


@staged
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
    variables = list(loop_vars)
    going = cond(*variables)
    if state.trace is None or not _is_traced(going):
        while going:
            variables = _as_list(body(*variables), len(loop_vars))
            going = cond(*variables)
            if _is_traced(going):
                return _stage_loop(cond, body, variables)
        return variables
    return _stage_loop(cond, body, variables)


# ---- branches --------------------------------------------------------------------------------------------------


def _nothing() -> None:
    return None


def _is_traced(value: Any) -> bool:
    return isinstance(value, Tensor) and isinstance(value.storage.array, jax.core.Tracer)


def _without_inputs(branch: Callable) -> Callable:
    return lambda _: branch()


def _select(index: Any, branches: list[Callable], names: list[str]) -> Any:
    if isinstance(index, Tensor) and index.size != 1:
        raise ValueError(f"The condition must have one element, but its shape is {list(index.shape)}.")
    if not _is_traced(index):
        return branches[int(index)]()
    facts = [Functionalized(_without_inputs(f), []) for f in branches]
    for fact, name in zip(facts, names, strict=True):
        _check_pure(fact, name)
        if fact.out_spec != facts[0].out_spec:
            raise ConversionError(
                f"The branches give different structures: {names[0]} gives {facts[0].out_spec!r}, {name} gives "
                f"{fact.out_spec!r}.{at_user_line()}\nReturn the same structure from each.")
    writes, reads = _union(facts, "writes"), _union(facts, "reads")
    cells = [*(s for s in reads if s not in writes), *writes]

    def run(chosen: Any, *arrays: Any) -> tuple:
        values = dict(zip(cells, arrays, strict=True))
        return lax.switch(chosen.reshape(()).astype(jnp.int32), [_branch(f, values, writes) for f in facts])

    shapes = [jax.eval_shape(_branch(f, {c: c.array for c in cells}, writes)) for f in facts]
    for name, shape in zip(names, shapes, strict=True):
        _check_same(shapes[0], shape, names[0], name)
    outs = run_call(Call(run, "cond"), [index, *_sources(cells, facts)])
    return _finish(list(outs), facts, writes)


def _branch(fact: Functionalized, values: dict[Storage, Any], writes: list[Storage]) -> Callable[[], tuple]:
    """The branch as a function of nothing: all its outputs, then the new values of all that any branch writes."""
    def run() -> tuple:
        outputs, new = fact.pure([], [values[s] for s in fact.reads], [values[s] for s in fact.writes])
        now = values | dict(zip(fact.writes, new, strict=True))
        return (*_all_outputs(fact, outputs, (), now), *(now[s] for s in writes))

    return run


def _all_outputs(fact: Functionalized, outputs: Sequence[Any], inputs: Sequence[Any],
                 values: dict[Storage, Any]) -> list:
    """An array for every Tensor that the function returned, those that were there before included."""
    found = []
    for kind, *rest in fact.outs:
        if kind is NEW:
            found.append(outputs[rest[1]])
        elif kind is INPUT:
            found.append(inputs[rest[0]])
        else:
            assert kind is OUTER
            storage = rest[0].storage
            found.append(values[storage] if storage in values else storage.array)   # noqa: SIM401 (.array notes a read)
    return found


def _check_pure(fact: Functionalized, name: str) -> None:
    if fact.grad_changes or fact.input_grads:
        raise ConversionError(f"backward() inside {name} cannot be staged.{at_user_line()}\nCall it outside.")


def _check_same(first: tuple, other: tuple, name: str, other_name: str) -> None:
    for i, (a, b) in enumerate(zip(first, other, strict=True)):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ConversionError(
                f"The branches differ in result {i}: {name} gives {a.dtype.name}{list(a.shape)}, {other_name} gives "
                f"{b.dtype.name}{list(b.shape)}.{at_user_line()}\nGive one shape and dtype from each (cast, or pad).")


def _union(facts: Sequence[Functionalized], what: str) -> list[Storage]:
    return list(dict.fromkeys(s for f in facts for s in getattr(f, what)))


def _sources(cells: Sequence[Storage], facts: Sequence[Functionalized]) -> list[Any]:
    """For each cell the Tensor through which a gradient goes to it, or its array where none does."""
    owners = {t.storage: t for f in facts for t in f.captured}
    owners |= {r[0].storage: r[0] for f in facts for k, *r in f.outs if k is OUTER and not r[0]._stop_gradient}
    return [owners[c] if c in owners else c.array for c in cells]           # noqa: SIM401 (.array notes a read)


def _finish(outs: list[Tensor], facts: Sequence[Functionalized], writes: list[Storage]) -> Any:
    n = len(outs) - len(writes)
    for storage, new in zip(writes, outs[n:], strict=True):
        storage.array = new.storage.array
    stops = [all(_stops(f.outs[i]) for f in facts) for i in range(n)]
    results = [o.detach() if stop else o for o, stop in zip(outs[:n], stops, strict=True)]
    return tree.unflatten(facts[0].out_spec, results)


def _stops(out: tuple) -> bool:
    kind, *rest = out
    return rest[0] if kind is NEW else rest[0]._stop_gradient if kind is OUTER else False


# ---- loops -----------------------------------------------------------------------------------------------------


def _as_list(result: Any, n: int) -> list[Any]:
    values = list(result) if isinstance(result, (list, tuple)) else [result]
    if len(values) != n:
        raise ValueError(f"The body of while_loop must return {n} variables, but it returned {len(values)}.")
    return values


def _stage_loop(cond: Callable, body: Callable, variables: list[Any]) -> list[Any]:
    leaves, spec = tree.flatten(variables, lambda v: isinstance(v, (Tensor, int, float, bool)))
    given = [as_tensor(v) for v in leaves]
    carried = list(given)

    def unpack(tensors: Sequence[Tensor]) -> list[Any]:
        return tree.unflatten(spec, tensors)

    step = _settled(lambda ts: _as_list(body(*unpack(ts)), len(variables)), carried)
    test = Functionalized(lambda ts: cond(*unpack(ts)), carried)
    for fact, name in ((test, "cond"), (step, "body")):
        _check_pure(fact, f"the {name} of while_loop")
    if step.out_spec != spec:
        raise ConversionError(f"The body of while_loop must return what it is given, {spec!r}, but it returned "
                              f"{step.out_spec!r}.{at_user_line()}")
    writes = _union([test, step], "writes")
    reads = [s for s in _union([test, step], "reads") if s not in writes]
    n, m = len(carried), len(writes)

    def run(*arrays: Any) -> tuple:
        start, constants = arrays[:n + m], dict(zip(reads, arrays[n + m:], strict=True))

        def call(fact: Functionalized, now: Sequence[Any]) -> tuple[list, dict]:
            values = constants | dict(zip(writes, now[n:], strict=True))
            outputs, new = fact.pure(now[:n], [values[s] for s in fact.reads], [values[s] for s in fact.writes])
            values |= dict(zip(fact.writes, new, strict=True))
            return _all_outputs(fact, outputs, now[:n], values), values

        def going(now: tuple) -> Any:
            return call(test, now)[0][0].reshape(()).astype(bool)

        def round_(now: tuple) -> tuple:
            outputs, values = call(step, now)
            return (*outputs, *(values[s] for s in writes))

        _check_round(start, jax.eval_shape(round_, start))
        return _loop(going, round_, start, differentiable)

    tensors = [*(t.storage.array if t._stop_gradient else t for t in given),
               *_sources(writes, [test, step]), *_sources(reads, [test, step])]
    differentiable = state.grad_enabled and any(
        isinstance(t, Tensor) and not t._stop_gradient and is_inexact(t.storage.array) for t in tensors)
    outs = list(run_call(Call(run, "while_loop"), tensors))
    for storage, new in zip(writes, outs[n:], strict=True):
        storage.array = new.storage.array
    return unpack(outs[:n])


def _settled(body: Callable, carried: list[Tensor]) -> Functionalized:
    """The body with every variable marked as wanting a gradient that wants one after some round."""
    while True:
        examples = [Abstract(t.storage.array.shape, t.storage.array.dtype, t._stop_gradient) for t in carried]
        fact = Functionalized(body, examples)
        late = [i for i, out in enumerate(fact.outs) if not _stops(out) and out[0] is not INPUT
                and carried[i]._stop_gradient and is_inexact(carried[i].storage.array)]
        if not late or len(fact.outs) != len(carried):
            return fact
        for i in late:
            carried[i] = view(carried[i].storage)
            carried[i]._stop_gradient = False


def _loop(going: Callable, round_: Callable, start: tuple, differentiable: bool) -> tuple:
    if not differentiable:
        return lax.while_loop(going, round_, start)
    from equinox.internal import while_loop as checkpointed
    return checkpointed(going, round_, start, kind="checkpointed", checkpoints=_CHECKPOINTS)


def _check_round(start: Sequence[Any], after: Sequence[Any]) -> None:
    for i, (a, b) in enumerate(zip(start, after, strict=True)):
        if tuple(a.shape) != tuple(b.shape) or a.dtype != b.dtype:
            raise ConversionError(
                f"The variable {i} of while_loop changes from {a.dtype.name}{list(a.shape)} to "
                f"{b.dtype.name}{list(b.shape)} in a round, which a program cannot express.{at_user_line()}\n"
                "Cast or shape it before the loop.")
