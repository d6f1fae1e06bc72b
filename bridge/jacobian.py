"""Jacobian and Hessian matrices, row by row."""
from __future__ import annotations

from typing import Any

from kayax.bridge.autograd import grad
from kayax.bridge.ops.creation import zeros_like
from kayax.bridge.ops.manipulation_join import stack
from kayax.bridge.tensor import Tensor


def jacobian(ys: Any, xs: Any, batch_axis: int | None = None) -> Any:
    """The derivatives of each element of `ys` with respect to each of `xs`: for shapes [M] and [N] a Tensor [M, N].

    ys, xs: Tensors of 0 or 1 dimensions (a 0-D one adds no dimension), or tuples of them, which give tuples.
    batch_axis: None, or 0 if the first dimension of both counts independent samples: [B, M] and [B, N] give [B, M, N],
        and ys of shape [B] counts as [B, 1] there.
    The result can be differentiated again. Differs from Paddle: it is computed at once, and is a Tensor.
    """
    if batch_axis not in (None, 0):
        raise ValueError(f"batch_axis must be None or 0, but got {batch_axis!r}.")
    if isinstance(ys, (tuple, list)):
        return tuple(jacobian(y, xs, batch_axis) for y in ys)
    if isinstance(xs, (tuple, list)):
        return tuple(jacobian(ys, x, batch_axis) for x in xs)
    lead = 0 if batch_axis is None else 1
    for name, tensor in (("ys", ys), ("xs", xs)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must hold Tensors, but got {type(tensor).__name__}.")
        if not lead <= tensor.ndim <= 1 + lead:
            raise ValueError(f"{name} must have {lead} or {1 + lead} dimensions with batch_axis={batch_axis}, but its "
                             f"shape is {list(tensor.shape)}.")
    if lead and ys.shape[0] != xs.shape[0]:
        raise ValueError(f"The first sizes must be equal, but the shapes are {list(ys.shape)} and {list(xs.shape)}.")
    if ys.ndim == lead:
        row = _row(ys, xs)
        return row.unsqueeze(1) if lead < row.ndim and lead else row
    return stack([_row(ys[:, i] if lead else ys[i], xs) for i in range(ys.shape[-1])], lead)


def _row(y: Tensor, x: Tensor) -> Tensor:
    if y.stop_gradient:
        return zeros_like(x)
    found = grad([y.sum()], [x], retain_graph=True, create_graph=True, allow_unused=True)[0]
    return zeros_like(x) if found is None else found


def hessian(ys: Tensor, xs: Any, batch_axis: int | None = None) -> Any:
    """The second derivatives of `ys`, one number (or one a sample), with respect to `xs` of shape [N]: [N, N].

    xs: a Tensor, or a tuple of them, which gives a tuple of tuples. batch_axis: as for `jacobian`.
    """
    samples = 1 if batch_axis is None else ys.shape[0]
    if ys.size != samples:
        raise ValueError(f"ys must hold one number{'' if batch_axis is None else ' a sample'}, but its shape is "
                         f"{list(ys.shape)}.")
    if isinstance(xs, (tuple, list)):
        return tuple(jacobian(_row(ys, x), xs, batch_axis) for x in xs)
    return jacobian(_row(ys, xs), xs, batch_axis)


__all__ = ["hessian", "jacobian"]
