"""Asking for gradients: `backward`, `grad`, and switching the recording on and off."""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from kayax.bridge import tape
from kayax.bridge.staging import run_users
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.errors import ArgumentError


class _GradMode:
    """A context manager and a decorator (with or without parentheses) that sets whether gradients are recorded."""

    _mode: bool
    _held: list[bool]
    __signature__ = inspect.Signature()         # as Paddle's; `fn` is there for a decorator without parentheses

    def __new__(cls, fn: Callable | None = None) -> Any:
        self: Any = super().__new__(cls)
        self._held = []
        return self(fn) if fn is not None else self

    def __enter__(self) -> None:
        self._held.append(state.grad_enabled)
        state.grad_enabled = self._mode

    def __exit__(self, *_: Any) -> None:
        state.grad_enabled = self._held.pop()

    def clone(self) -> Any:
        """Another one of the same kind."""
        return type(self)()

    def __call__(self, fn: Callable) -> Callable:
        mode = self._mode
        if inspect.isgeneratorfunction(fn):
            return _generating(fn, mode)

        @functools.wraps(fn)
        def run(*args: Any, **kwargs: Any) -> Any:
            held, state.grad_enabled = state.grad_enabled, mode
            try:
                return run_users(fn, *args, **kwargs)
            finally:
                state.grad_enabled = held

        return run


def _generating(fn: Callable, mode: bool) -> Callable:
    """A generator function whose body runs in this mode, while its consumer keeps its own."""
    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        generator = fn(*args, **kwargs)
        resume, value = generator.send, None
        while True:
            held, state.grad_enabled = state.grad_enabled, mode
            try:
                item = resume(value)
            except StopIteration as stop:
                return stop.value
            finally:
                state.grad_enabled = held
            try:
                resume, value = generator.send, (yield item)
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as error:
                resume, value = generator.throw, error

    return run


class no_grad(_GradMode):
    """Operations inside (or in the decorated function) are not recorded."""

    _mode = False


class enable_grad(_GradMode):
    """Operations inside are recorded again, within a `no_grad`."""

    _mode = True


class set_grad_enabled:
    """Switch the recording on or off, at once or for a `with` block."""

    def __init__(self, mode: bool):
        self.mode = bool(mode)
        self._held, state.grad_enabled = state.grad_enabled, self.mode

    def __enter__(self) -> None: ...

    def __exit__(self, *_: Any) -> None:
        state.grad_enabled = self._held

    def __call__(self, fn: Callable) -> Callable:
        """A function that runs in this mode; the mode that was there before it goes on."""
        self.__exit__()
        return (enable_grad() if self.mode else no_grad())(fn)

    def clone(self) -> set_grad_enabled:
        """Another one of the same mode, which is switched to at once."""
        return type(self)(self.mode)


def is_grad_enabled() -> bool:
    """Whether operations are recorded now."""
    return state.grad_enabled


def backward(tensors: Sequence[Tensor] | Tensor, grad_tensors: Any = None, retain_graph: bool = False, *,
             dump_backward_graph_path: str | None = None) -> None:
    """Add the gradients of the sum of `tensors` (each weighted with its `grad_tensors`) to the leaves' `.grad`."""
    _refuse_dump(dump_backward_graph_path)
    tensors = _as_list(tensors)
    given = _as_list(grad_tensors) if grad_tensors is not None else [None] * len(tensors)
    if len(given) != len(tensors):
        raise ArgumentError(f"There are {len(tensors)} tensors but {len(given)} grad_tensors.")
    roots, cotangents = _roots(tensors, given, False)
    if not roots:
        return
    tape.walk(roots, cotangents, retain_graph=retain_graph, create_graph=False)


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: bool = True, allow_unused: bool = False,
         no_grad_vars: Any = None, *, dump_backward_graph_path: str | None = None) -> list[Tensor | None]:
    """The gradients of the sum of `outputs` with respect to `inputs`, leaving every `.grad` alone.

    grad_outputs: a cotangent for each output, None for ones. create_graph: the result can be differentiated again.
    allow_unused: give None for an input that the outputs do not depend on, instead of an error.
    no_grad_vars: tensors through which no gradient passes. retain_graph: as in Paddle, the graph is kept either way.
    """
    _refuse_dump(dump_backward_graph_path)
    if not only_inputs:
        raise ArgumentError("only_inputs=False is not supported; call backward() to reach every leaf.")
    outputs, inputs = _as_list(outputs), _tensors(inputs, "inputs")
    given = _as_list(grad_outputs) if grad_outputs is not None else [None] * len(outputs)
    if len(given) != len(outputs):
        raise ArgumentError(f"There are {len(outputs)} outputs but {len(given)} grad_outputs.")
    blocked = _tensors(no_grad_vars, "no_grad_vars") if no_grad_vars is not None else []
    roots, cotangents = _roots(outputs, given, create_graph)
    targets = [_edge(t) for t in inputs]
    results = tape.walk(roots, cotangents, retain_graph=True, create_graph=create_graph, targets=targets,
                        blocked=[_edge(t) for t in blocked])
    for i, (tensor, result) in enumerate(zip(inputs, results, strict=True)):
        if result is None and not allow_unused:
            raise ValueError(f"The outputs do not depend on inputs[{i}] ({tensor.name}), so it has no gradient. Pass "
                             "allow_unused=True to get None for it.")
    return [r if r is None or isinstance(r, Tensor) else wrap(r) for r in results]


def _tensors(value: Any, name: str) -> list[Tensor]:
    value = _as_list(value)
    if not all(isinstance(item, Tensor) for item in value):
        raise ArgumentError(f"{name} is a Tensor or a list of Tensors, but got {value!r}.")
    return value


def _refuse_dump(path: str | None) -> None:
    if path is not None:
        raise NotImplementedError("dump_backward_graph_path: there is no picture of the eager tape. Convert the "
                                  "function (paddle.jit.to_static) and look at its program with jax.make_jaxpr.")


def _roots(tensors: Sequence[Tensor], given: Sequence[Any], create_graph: bool) -> tuple[list, list]:
    roots, cotangents = [], []
    for tensor, cotangent in zip(tensors, given, strict=True):
        if not isinstance(tensor, Tensor):
            raise ArgumentError(f"Gradients start from Tensors, but got {type(tensor).__name__}.")
        array = tensor.storage.array
        edge = tape.edge_of(tensor, array)
        if edge is None:
            continue
        if cotangent is None:
            value: Any = jnp.ones(array.shape, array.dtype)
        elif not isinstance(cotangent, Tensor):
            raise ArgumentError(f"The gradient of a result is a Tensor or None, but got {type(cotangent).__name__}.")
        else:
            value = cotangent if create_graph else cotangent.storage.array
            if tuple(value.shape) != tuple(array.shape):
                raise ArgumentError(f"A gradient of shape {list(value.shape)} was given for a tensor of shape "
                                 f"{list(array.shape)}.")
        roots.append(edge)
        cotangents.append(wrap(value) if create_graph and not isinstance(value, Tensor) else value)
    return roots, cotangents


def _edge(tensor: Tensor) -> Any:
    outside = state.trace is not None and tensor.storage.trace is not state.trace
    return tensor if tensor.node is None or outside else (tensor.node, tensor.index)


def _as_list(value: Any) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value]
