"""``paddle.incubate.autograd``: products with Jacobians, and Jacobians as matrices."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kayax.bridge.autograd import grad as _grad
from kayax.bridge.tensor import Tensor
from kayax.layers import ops


def _listed(value: Any) -> list[Tensor]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _separate(xs: Any) -> list[Tensor]:
    """Copies of the inputs that gradients go to and that have no history."""
    copies = [x.detach() for x in _listed(xs)]
    for x in copies:
        x.stop_gradient = False
    return copies


def _like(found: list[Any], given: Any) -> Any:
    return tuple(found) if isinstance(given, (list, tuple)) else found[0]


def _pulled(ys: list[Tensor], xs: list[Tensor], vs: list[Tensor] | None, keep: bool = True) -> list[Tensor]:
    found = _grad(ys, xs, vs, create_graph=keep, allow_unused=True)
    return [ops.zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]


def _checked(v: Any, like: list[Tensor], what: str) -> list[Tensor]:
    vs = [ops.ones_like(t) for t in like] if v is None else _listed(v)
    if [list(t.shape) for t in vs] != [list(t.shape) for t in like]:
        raise RuntimeError(f"v must have the shapes of the {what}, {[list(t.shape) for t in like]}, but has "
                           f"{[list(t.shape) for t in vs]}.")
    return vs


def vjp(func: Callable, xs: Any, v: Any = None) -> tuple[Any, Any]:
    """``func(*xs)``, and `v` (ones if None) times its Jacobian. xs: a Tensor or a list of them."""
    inputs = _separate(xs)
    ys = func(*inputs)
    return ys, _like(_pulled(_listed(ys), inputs, _checked(v, _listed(ys), "results")), xs)


def jvp(func: Callable, xs: Any, v: Any = None) -> tuple[Any, Any]:
    """``func(*xs)``, and its Jacobian times `v` (ones if None). xs: a Tensor or a list of them."""
    inputs = _separate(xs)
    ys = func(*inputs)
    return ys, forward_grad(ys, inputs, v)


class Jacobian:
    """The Jacobian of `func` at `xs` as one matrix, [results, inputs], of all elements in a row.

    is_batched: the first axis of inputs and results counts independent samples, [samples, results, inputs].
    """

    def __init__(self, func: Callable, xs: Any, is_batched: bool = False):
        self._value = _matrix(func, _separate(xs), is_batched)

    def __getitem__(self, index: Any) -> Tensor:
        return self._value[index]

    @property
    def shape(self) -> list[int]:
        """The shape of the matrix, or matrices."""
        return self._value.shape


class Hessian(Jacobian):
    """The second derivatives of `func`, which gives one number (one a sample), at `xs` as one symmetric matrix."""

    def __init__(self, func: Callable, xs: Any, is_batched: bool = False):
        def gradient(*inputs: Tensor) -> Tensor:
            y = func(*inputs)
            if y.size != (inputs[0].shape[0] if is_batched else 1):
                raise RuntimeError("The function must give one number, or one a sample, but the shape of its result is "
                                   f"{list(y.shape)}.")
            return _flat(_pulled([ops.sum(y)], list(inputs), None), is_batched)

        super().__init__(gradient, xs, is_batched)


def _flat(tensors: Sequence[Tensor], is_batched: bool) -> Tensor:
    rows = [ops.reshape(t, [t.shape[0], -1] if is_batched else [-1]) for t in tensors]
    return ops.concat(rows, -1)


def _matrix(func: Callable, inputs: list[Tensor], is_batched: bool) -> Tensor:
    ys = _flat(_listed(func(*inputs)), is_batched)
    columns = [ys[..., i] for i in range(ys.shape[-1])]
    rows = [_flat(_pulled([ops.sum(column)], inputs, None), is_batched) for column in columns]
    return ops.stack(rows, 1 if is_batched else 0)


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None) -> Any:
    """The gradients of `outputs` with respect to `inputs`, which can be differentiated again."""
    outs = _listed(outputs)
    return _like(_pulled(outs, _listed(inputs), None if grad_outputs is None else _listed(grad_outputs)), inputs)


def forward_grad(outputs: Any, inputs: Any, grad_inputs: Any = None) -> Any:
    """The Jacobian of `outputs` with respect to `inputs`, times `grad_inputs` (ones if None)."""
    outs, ins = _listed(outputs), _listed(inputs)
    # A vector times the Jacobian is linear in the vector: its own gradient is the Jacobian times something.
    dummies = [ops.zeros_like(y) for y in outs]
    for d in dummies:
        d.stop_gradient = False
    pulled = _pulled(outs, ins, dummies)
    return _like(_pulled(pulled, dummies, _checked(grad_inputs, ins, "inputs")), outputs)


_prim = [False]


def enable_prim() -> None:
    """Accepted for scripts that call it: JAX differentiates primitives in any case."""
    _prim[0] = True


def disable_prim() -> None:
    """Accepted for scripts that call it: JAX differentiates primitives in any case."""
    _prim[0] = False


def prim_enabled() -> bool:
    """Whether `enable_prim` was called last."""
    return _prim[0]


__all__ = ["Hessian", "Jacobian", "disable_prim", "enable_prim", "forward_grad", "grad", "jvp", "vjp"]
