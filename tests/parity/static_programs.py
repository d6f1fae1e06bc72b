"""The third way to run a case: as a program of static mode, noted first and run by an Executor.

Cotangents are fed, since the shapes of results may be open while a program is built; which results have one, and their
shapes, come from the record.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from harness import (
    Case,
    Record,
    Value,
    cotangent,
    dtype_name,
    facts_of,
    flatten,
    is_tensor,
    layer_values,
    snapshot,
    with_cotangent,
)


def run(case: Case, P: Any, want: Record, dims: str = "closed") -> Record:
    """Run a case as a program. dims: those of the inputs are "closed", or open in the "first" place, or "all" open."""
    feed = {f"x{i}": _host(P, array, spec.dtype) for i, (array, spec) in
            enumerate(zip(case.arrays(), case.inputs, strict=True))}
    with _static_mode(P):
        main, startup = P.static.Program(), P.static.Program()
        with P.static.program_guard(main, startup):
            inputs = [_declare(P, f"x{i}", array.shape, spec.dtype, dims, not (case.grad and spec.differentiable))
                      for i, (array, spec) in enumerate(zip(case.arrays(), case.inputs, strict=True))]
            return _build_and_run(case, P, want, (main, startup), inputs, feed)


def _build_and_run(case: Case, P: Any, want: Record, programs: tuple[Any, Any], inputs: list[Any],
                   feed: dict[str, Any]) -> Record:
    main, startup = programs
    exe, net, record = P.static.Executor(P.CPUPlace()), None, {}
    wanted = {f"grad.{i}": x for i, x in enumerate(inputs)}
    if case.kind == "layer":
        net = case.fn(P)
        if not case.train:
            net.eval()
        record = facts_of(net)
        wanted |= {f"grad.{key}": p for key, p in net.named_parameters()}
        out = case.call(P, net, *inputs) if case.call else net(*inputs)
    else:
        out = case.fn(P, *inputs)
    exe.run(startup)
    for held, value in layer_values(net, case.name) if net is not None else ():
        variable = P.static.global_scope().find_var(held.name)
        if variable is None:  # a buffer that the forward does not use
            held.set_value(value)
        else:
            variable.get_tensor().set(value, P.CPUPlace())
    leaves = flatten(P, out, "out", {})
    fetches = {path: leaf for path, leaf in leaves.items() if is_tensor(P, leaf)}
    declared = {path: (list(leaf.shape), dtype_name(leaf.dtype), leaf.stop_gradient) for path, leaf in fetches.items()}
    for path in leaves.keys() - fetches.keys():
        record[path] = want[path] if _has_open(leaves[path]) else snapshot(P, leaves[path])
    targets, given = [], []
    for i, path in enumerate(with_cotangent(want, list(fetches)) if case.grad else []):
        shape, dtype = want[path].array.shape, want[path].dtype
        feed[f"cotangent{i}"] = _host(P, cotangent(case, i, shape, dtype), dtype)
        targets.append(fetches[path])
        given.append(_declare(P, f"cotangent{i}", shape, dtype, "closed", True))
    if targets:
        asked = {path: x for path, x in wanted.items() if not x.stop_gradient}
        found = P.static.gradients(targets, list(asked.values()), given)
        record |= {path: None for path, grad in zip(asked, found, strict=True) if grad is None}
        fetches |= {path: grad for path, grad in zip(asked, found, strict=True) if grad is not None}
    if net is not None:
        fetches |= {f"buffer.{key}": b for key, b in net.named_buffers() if not key.endswith("_dropout_state")}
    values = exe.run(main, feed=feed, fetch_list=list(fetches.values()))
    for (path, variable), value in zip(fetches.items(), values, strict=True):
        record[path] = _value(value, dtype_name(variable.dtype))
    _check_declared(declared, record)
    return record


def _value(array: Any, declared: str) -> Value:
    if declared != "bfloat16":
        return Value(np.asarray(array), str(array.dtype))
    bits = array if array.dtype == np.uint16 else array.view(np.uint16)  # Paddle gives the bits
    return Value((bits.astype(np.uint32) << 16).view(np.float32), "bfloat16")


def _has_open(value: Any) -> bool:
    """Whether a size in it is open, and so no number while the program is built."""
    if isinstance(value, (list, tuple)):
        return any(map(_has_open, value))
    return not isinstance(value, (int, float, str, bool, np.ndarray, np.generic, type(None)))


def _check_declared(declared: dict[str, tuple], record: Record) -> None:
    """What a Variable said of itself must be true of its value."""
    for path, (shape, dtype, stop) in declared.items():
        value = record[path]
        open_or_so = (not isinstance(d, int) or d in (-1, n) for d, n in zip(shape, value.array.shape, strict=False))
        fits = len(shape) == value.array.ndim and all(open_or_so)
        if not fits or dtype != value.dtype:
            raise AssertionError(f"{path} was declared as {dtype}{shape}, and is {value.dtype}{value.array.shape}")
        record[path] = replace(value, stop_gradient=bool(stop))


def _declare(P: Any, name: str, shape: tuple, dtype: str, dims: str, stop: bool) -> Any:
    shape = [None if dims == "all" or (dims == "first" and i == 0) else n for i, n in enumerate(shape)]
    made = P.static.data(name, shape, dtype)
    made.stop_gradient = stop
    return made


def _host(P: Any, array: np.ndarray, dtype: str) -> Any:
    if dtype == "bfloat16":
        with _eager(P):
            return P.to_tensor(array, dtype="bfloat16")
    return np.asarray(array).astype(dtype)


@contextlib.contextmanager
def _static_mode(P: Any) -> Iterator[None]:
    P.enable_static()
    try:
        with P.utils.unique_name.guard():
            yield
    finally:
        P.disable_static()


@contextlib.contextmanager
def _eager(P: Any) -> Iterator[None]:
    static = not P.in_dynamic_mode()
    P.disable_static()
    try:
        yield
    finally:
        if static:
            P.enable_static()
