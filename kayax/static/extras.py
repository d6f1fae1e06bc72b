"""Small parts of ``paddle.static``: places, names, printing, measures, variables."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from kayax import CPUPlace, CUDAPlace
from kayax.bridge.checked import check_variable
from kayax.bridge.pylayer import PyLayer
from kayax.bridge.staging import staged
from kayax.bridge.state import outside_traces, state
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers.parameter import create_parameter
from kayax.spec.dtype import to_numpy


def cpu_places(device_count: int | None = None) -> list[Any]:
    """The CPU, `device_count` times (once if None)."""
    return [CPUPlace() for _ in range(device_count or 1)]


def cuda_places(device_ids: Sequence[int] | None = None) -> list[Any]:
    """The GPUs with these numbers, all that JAX sees if None."""
    found = [d.id for d in jax.devices() if d.platform in ("gpu", "cuda")]
    if not found:
        raise AssertionError("JAX sees no GPU. Use paddle.static.cpu_places().")
    if device_ids is None:
        device_ids = found
    return [CUDAPlace(i) for i in device_ids]


@contextlib.contextmanager
def name_scope(prefix: str | None = None) -> Iterator[None]:
    """A name for a part of a program in XLA's profiles."""
    with jax.named_scope(prefix or "scope"):
        yield


@contextlib.contextmanager
def device_guard(device: str | None = None) -> Iterator[None]:
    """Accepted: a program runs on one device. device: "cpu", "gpu" or "gpu:0", "" or None."""
    kind, _, index = (device or "").partition(":")
    if kind not in ("", "cpu", "gpu", "xpu", "npu") or (index and (kind == "cpu" or not index.isdigit())):
        raise ValueError(f"device must be 'cpu', 'gpu', such as 'gpu:0', '' or None, but got {device!r}.")
    yield


def create_global_var(shape: Sequence[int], value: Any, dtype: Any, persistable: bool = False, force_cpu: bool = False,
                      name: str | None = None) -> Tensor:
    """A variable that keeps its value from run to run, filled with `value` first."""
    with outside_traces():
        made = wrap(jax.numpy.full(tuple(shape), value, to_numpy(dtype)))
    made._name, made.persistable = name, True
    if state.graph is not None:
        state.graph.persistable.setdefault(made)
    return made


def Print(input: Tensor, first_n: int = -1, message: str | None = None, summarize: int = 20,
          print_tensor_name: bool = True, print_tensor_type: bool = True, print_tensor_shape: bool = True,
          print_tensor_layout: bool = True, print_tensor_lod: bool = True, print_phase: str = "both") -> Tensor:
    """Print a variable when the program runs (at most `first_n` times, if positive), and give it on.

    message: a line of text with it. summarize: how many elements. The other arguments choose lines, as in Paddle.
    """
    check_variable(input, "input", "Print")
    left = [first_n]
    name = input.name

    def show(value: Any) -> None:
        if left[0] == 0:
            return
        left[0] -= 1
        print(shown(np.asarray(value), name if print_tensor_name else "", summarize, message, print_tensor_lod,
                    print_tensor_shape, print_tensor_layout, print_tensor_type), flush=True)

    return _print(input, show)


def shown(value: np.ndarray, name: str, summarize: int, message: str | None = None, lod: bool = True,
          shape: bool = True, layout: bool = True, dtype: bool = True) -> str:
    """A value as Paddle's programs print one."""
    lines = [f"Variable: {name}" if name else "", f"  - message: {message}" if message else "",
             "  - lod: {}" if lod else "", f"  - place: {CPUPlace()}",
             f"  - shape: {list(value.shape)}" if shape else "", "  - layout: NCHW" if layout else "",
             f"  - dtype: {value.dtype}" if dtype else ""]
    data = " ".join(f"{v:f}" for v in value.reshape(-1)[:summarize if summarize >= 0 else None].astype(float))
    return "\n".join([*filter(None, lines), f"  - data: [{data}]"])


def _print_now(x: Tensor, show: Callable) -> Tensor:
    jax.debug.callback(show, x.storage.array)
    return x


_print_now.has_effect = True                    # type: ignore[attr-defined]
_print = staged(_print_now)


def py_func(func: Callable, x: Any, out: Any, backward_func: Callable | None = None,
            skip_vars_in_backward_input: Any = None) -> Any:
    """Call a Python function on the values of variables when the program runs.

    x: the variables that it gets. out: variables with the shapes and dtypes of what it returns, from
    ``program.create_var``. backward_func: gives the gradients of `x`, from the values of `x`, of the results (both
    without those in `skip_vars_in_backward_input`) and the gradients of the results; None for no gradient.
    """
    check_variable(x, "x", "py_func", several=True)
    check_variable(out, "out", "py_func", several=True)
    given, outs = (list(v) if isinstance(v, (list, tuple)) else [v] for v in (x, out))
    skipped = skip_vars_in_backward_input or []
    names = {v.name for v in (skipped if isinstance(skipped, (list, tuple)) else [skipped])}
    results = _call(func, backward_func, given, [_kind(o) for o in outs],
                    [v.name not in names for v in (*given, *outs)])
    return results if isinstance(out, (list, tuple)) else results[0]


def _kind(tensor: Tensor) -> tuple[tuple, Any]:
    return tuple(tensor.storage.array.shape), tensor.storage.array.dtype


@staged
def _call(func: Callable, backward: Callable | None, given: list[Tensor], kinds: list[tuple],
          seen: list[bool]) -> list[Tensor]:
    if backward is None:
        return _on_host(func, given, kinds)
    gradient = backward

    class Called(PyLayer):
        @staticmethod
        def forward(ctx: Any, *values: Tensor) -> Any:
            results = _on_host(func, values, kinds)
            ctx.save_for_backward(*values, *results)
            return tuple(results)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Any:
            known = [v for v, kept in zip(ctx.saved_tensor(), seen, strict=True) if kept]
            return tuple(_on_host(gradient, [*known, *gradients], [_kind(v) for v in given]))

    return list(Called.apply(*given))


def _on_host(func: Callable, given: Sequence[Tensor], kinds: list[tuple]) -> list[Tensor]:
    """What a Python function gives for these values, as arrays of these shapes and dtypes."""
    sizes = {len(t.storage.array.shape): t.storage.array.shape for t in given}
    shapes = [tuple(n if isinstance(n, int) else sizes.get(len(shape), shape)[i] for i, n in enumerate(shape))
              for shape, _ in kinds]               # an open dim is that of an input with as many

    def host(*arrays: Any) -> list[Any]:
        found = func(*[wrap(jax.numpy.asarray(a)) for a in arrays])
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        values = [v.numpy() if isinstance(v, Tensor) else v for v in found]
        return [np.asarray(v, dtype) for v, (_, dtype) in zip(values, kinds, strict=True)]

    avals = [jax.ShapeDtypeStruct(shape, dtype) for shape, (_, dtype) in zip(shapes, kinds, strict=True)]
    return [wrap(a) for a in jax.pure_callback(host, avals, *[t.storage.array for t in given])]


__all__ = ["Print", "cpu_places", "create_global_var", "create_parameter", "cuda_places", "device_guard",
           "name_scope", "py_func"]
