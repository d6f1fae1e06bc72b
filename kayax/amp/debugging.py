"""``paddle.amp.debugging``: where nan and inf come from, and which types operations compute in.

What is looked at are operations that run eagerly. Those inside a converted program are not seen one by one.
"""
from __future__ import annotations

import contextlib
import enum
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import Op, unwatch, watch
from kayax.bridge.rng import seed
from kayax.bridge.tensor import Tensor

_SHORT = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64"}


class DebugMode(enum.Enum):
    """What a check does: raise, or print; and whether it prints of all results, not of those with nan or inf alone."""

    CHECK_NAN_INF_AND_ABORT = 0
    CHECK_NAN_INF = 1
    CHECK_ALL_FOR_OVERFLOW = 2
    CHECK_ALL = 3


def check_numerics(tensor: Tensor, op_type: str, var_name: str,
                   debug_mode: DebugMode = DebugMode.CHECK_NAN_INF_AND_ABORT) -> tuple[Tensor, Tensor]:
    """([nans, infs, zeros], [maximum, minimum, mean]) of a floating Tensor.

    With nan or inf among them a line is printed and, in the mode CHECK_NAN_INF_AND_ABORT, a RuntimeError raised.
    op_type, var_name: what the line calls the operation and the Tensor.
    """
    stats, values = _look(np.asarray(tensor.numpy()), op_type, var_name, debug_mode, str(tensor.place)[6:-1], None)
    return to_tensor(np.asarray(stats, "int64")), to_tensor(np.asarray(values, "float32"))


def _look(array: np.ndarray, op: str, name: str, mode: DebugMode, device: str, folder: str | None) -> tuple:
    dtype = _SHORT.get(array.dtype.name, array.dtype.name)
    wide = array.astype(np.float64)
    nans, infs, zeros = int(np.isnan(wide).sum()), int(np.isinf(wide).sum()), int((wide == 0).sum())
    with np.errstate(invalid="ignore"):
        values = (float(np.fmax.reduce(wide, None, initial=-np.inf)), float(np.fmin.reduce(wide, None, initial=np.inf)),
                  float(wide.mean())) if wide.size else (0.0, 0.0, 0.0)
    bad = nans or infs
    if bad or mode is DebugMode.CHECK_ALL or (mode is DebugMode.CHECK_ALL_FOR_OVERFLOW and _overflows(values)):
        line = (f"[PRECISION]{' [ERROR]' if bad else ''} in [device={device}, op={op}, tensor={name}, dtype={dtype}], "
                f"numel={wide.size}, num_nan={nans}, num_inf={infs}, num_zero={zeros}, max={values[0]:e}, "
                f"min={values[1]:e}, mean={values[2]:e}")
        _write(line, folder)
    if bad and mode is DebugMode.CHECK_NAN_INF_AND_ABORT:
        raise RuntimeError(f"The result of `{op}` ({dtype}, {name or 'no name'}) has {nans} nan and {infs} inf.")
    return (nans, infs, zeros), values


def _overflows(values: tuple) -> bool:
    return max(abs(values[0]), abs(values[1])) > float(np.finfo(np.float16).max)


def _write(line: str, folder: str | None) -> None:
    if folder is None:
        print(line)
        return
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"worker_{os.getpid()}.log"), "a") as file:
        file.write(line + "\n")


class TensorCheckerConfig:
    """What `enable_tensor_checker` looks for.

    enable: whether at all. debug_mode: see `DebugMode`. output_dir: lines go to a file there, not to the screen.
    checked_op_list, skipped_op_list: names of operations to look at (None: all), and to leave out. debug_step: the
    steps (start, end) to look at, each call of `enable_tensor_checker` being a step. stack_height_limit: accepted; the
    error's own traceback is the stack.
    """

    current_step_id = 0

    def __init__(self, enable: bool, debug_mode: DebugMode = DebugMode.CHECK_NAN_INF_AND_ABORT,
                 output_dir: str | None = None, checked_op_list: Any = None, skipped_op_list: Any = None,
                 debug_step: Any = None, stack_height_limit: int = 1):
        if not isinstance(debug_mode, DebugMode):
            raise ValueError(f"debug_mode must be a DebugMode, but got {debug_mode!r}.")
        if debug_step is not None and (len(debug_step) != 2 or debug_step[0] >= debug_step[1]):
            raise ValueError(f"debug_step must be (start, end) with start before end, but got {debug_step!r}.")
        self.enable, self.debug_mode, self.output_dir = enable, debug_mode, output_dir
        self.checked = None if checked_op_list is None else frozenset(checked_op_list)
        self.skipped = frozenset(skipped_op_list or ())
        self.debug_step = debug_step
        self.stack_height_limit = stack_height_limit
        self._looking = False
        if enable:
            seed(123)

    def update_and_check_step_id(self) -> bool:
        """Whether the present step is to be looked at; counts it if steps were chosen."""
        if not self.enable or self.debug_step is None:
            return self.enable
        inside = self.debug_step[0] <= TensorCheckerConfig.current_step_id < self.debug_step[1]
        TensorCheckerConfig.current_step_id += 1
        return inside

    def start_check_nan_inf(self) -> None:
        """Look at every operation from now on."""
        if self.enable and not self._looking:
            watch(self._see)
            self._looking = True

    def stop_check_nan_inf(self) -> None:
        """Look no longer."""
        if self._looking:
            unwatch(self._see)
            self._looking = False

    def _see(self, operation: Op, out: Any) -> None:
        name = operation.name.rpartition(".")[2]
        if name in self.skipped or (self.checked is not None and name not in self.checked):
            return
        for tensor in _results(out):
            array = tensor.storage.array
            if tensor.dtype.is_floating and not isinstance(array, jax.core.Tracer):
                _look(np.asarray(array), name, "", self.debug_mode, str(tensor.place)[6:-1], self.output_dir)


def _results(out: Any) -> list[Tensor]:
    return [t for t in (out if isinstance(out, (tuple, list)) else (out,)) if isinstance(t, Tensor)]


_checker: TensorCheckerConfig | None = None


def enable_tensor_checker(checker_config: TensorCheckerConfig) -> None:
    """Look for nan and inf in the results of operations from now on, as the config says."""
    global _checker
    disable_tensor_checker()
    if checker_config.update_and_check_step_id():
        checker_config.start_check_nan_inf()
        _checker = checker_config


def disable_tensor_checker() -> None:
    """Look no longer."""
    global _checker
    if _checker is not None:
        _checker.stop_check_nan_inf()
        _checker = None


def check_layer_numerics(func: Callable) -> Callable:
    """Decorate a Layer's `forward`: nan or inf in the result of an operation inside is a RuntimeError."""
    @functools.wraps(func)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not args or not isinstance(args[0], Tensor):
            raise RuntimeError("check_layer_numerics: the first argument of forward must be a Tensor.")
        see = TensorCheckerConfig(False)._see
        watch(see)
        try:
            return func(self, *args, **kwargs)
        finally:
            unwatch(see)

    return forward


# ---- which types operations compute in -------------------------------------------------------------------------------

_COLUMNS = {"float16": 0, "bfloat16": 1, "float32": 2}
_counts: dict[str, list[int]] = {}


def _count(operation: Op, out: Any) -> None:
    row = _counts.setdefault(operation.name.rpartition(".")[2], [0, 0, 0, 0])
    for tensor in _results(out)[:1]:
        row[_COLUMNS.get(tensor.dtype.name, 3)] += 1


def enable_operator_stats_collection() -> None:
    """Count operations by the type of their result from now on."""
    _counts.clear()
    watch(_count)


def disable_operator_stats_collection() -> None:
    """Count no longer, and print the table."""
    unwatch(_count)
    print("<{:-^120}>".format(" op list "))
    print("<{:-^40}".format(" Op Name "), "{:-^17}".format(" FP16 Calls "), "{:-^17}".format(" BF16 Calls "),
          "{:-^17}".format(" FP32 Calls"), "{:-^17}>".format(" Other Calls "), sep=" | ")
    for name, row in sorted(_counts.items()):
        print(f"  {name:<40}|  " + "|  ".join(f"{n:<17}" for n in row))
    print("<{:-^120}>\n".format(f" op count: {len(_counts)} "))


@contextlib.contextmanager
def collect_operator_stats() -> Iterator[None]:
    """Count operations by the type of their result inside the `with` block, and print the table at its end."""
    enable_operator_stats_collection()
    try:
        yield
    finally:
        disable_operator_stats_collection()


def compare_accuracy(dump_path: str, another_dump_path: str, output_filename: str, loss_scale: float = 1,
                     dump_all_tensors: bool = False) -> None:
    """Not possible: it reads what Paddle's kernels dump."""
    raise NotImplementedError("compare_accuracy reads what Paddle's kernels dump, and there are none here. Run both "
                              "precisions with TensorCheckerConfig(output_dir=...), and compare the files.")


__all__ = ["DebugMode", "TensorCheckerConfig", "check_layer_numerics", "check_numerics", "collect_operator_stats",
           "compare_accuracy", "disable_operator_stats_collection", "disable_tensor_checker",
           "enable_operator_stats_collection", "enable_tensor_checker"]
