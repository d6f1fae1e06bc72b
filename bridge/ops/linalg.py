"""Products of matrices and vectors."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.layout import exchanged, permuted
from kayax.bridge.open_sizes import is_size
from kayax.bridge.ops.promotion import axis_of, broadcastable, cast, common, rank, unify
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor


def _pair(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in the type they meet in; an integer `y` becomes what a floating `x` is."""
    dtype = x.dtype if rank(x.dtype) == 2 and rank(y.dtype) == 1 else common(x.dtype, y.dtype)
    return cast(x, dtype), cast(y, dtype)


def _sizes_meet(x: Any, y: Any, a: Any, b: Any) -> None:
    if a != b:
        raise ValueError(f"The last size of x and the second-last (or only) size of y must be equal, but the shapes "
                         f"are {list(x.shape)} and {list(y.shape)}.")


def _matmul(x: Any, y: Any, transpose_x: bool = False, transpose_y: bool = False) -> Any:
    if not x.ndim or not y.ndim:
        raise ValueError(f"matmul needs Tensors with 1 or more dimensions, but got shapes {list(x.shape)} and "
                         f"{list(y.shape)}.")
    x, y = _pair(x, y)
    if transpose_x and x.ndim > 1:
        x = jnp.swapaxes(x, -1, -2)
    if transpose_y and y.ndim > 1:
        y = jnp.swapaxes(y, -1, -2)
    _sizes_meet(x, y, x.shape[-1], y.shape[-2] if y.ndim > 1 else y.shape[0])
    return jnp.matmul(x, y)


@op(method=True)
def matmul(x, y, transpose_x=False, transpose_y=False, name=None):
    """The matrix product, with leading dimensions broadcast; of two vectors, their dot product.

    transpose_x, transpose_y: swap the last two dimensions of that operand first.
    """
    return _matmul(x, y, transpose_x, transpose_y)


@op(method=True)
def mm(input, mat2, name=None):
    """The matrix product."""
    return _matmul(input, mat2)


@op(method=True)
def bmm(x, y, name=None):
    """The matrix product of two batches: (b, n, m) and (b, m, p) give (b, n, p)."""
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0]:
        raise ValueError(f"bmm needs Tensors of shapes (b, n, m) and (b, m, p), but got {list(x.shape)} and "
                         f"{list(y.shape)}.")
    return _matmul(x, y)


@op(method=True)
def mv(x, vec, name=None):
    """The product of a matrix (n, m) and a vector (m,)."""
    if x.ndim != 2 or vec.ndim != 1:
        raise ValueError(f"mv needs a matrix and a vector, but got shapes {list(x.shape)} and {list(vec.shape)}.")
    return _matmul(x, vec)


@op(method=True)
def dot(x, y, name=None):
    """The sum of products over the last dimension of two Tensors of one shape, of 1 or 2 dimensions."""
    if x.ndim not in (1, 2) or x.shape != y.shape:
        raise ValueError(f"dot needs two Tensors of one shape with 1 or 2 dimensions, but got {list(x.shape)} and "
                         f"{list(y.shape)}.")
    x, y = _pair(x, y)
    return jnp.sum(x * y, -1, dtype=x.dtype)


@op
def vecdot(x, y, axis=-1, name=None):
    """The sum of products over `axis`, with broadcasting; `x` is conjugated."""
    x, y = unify(x, y)
    if x.ndim and y.ndim and x.shape[axis] == y.shape[axis]:
        return jnp.vecdot(x, y, axis=axis)
    return jnp.sum(jnp.conj(x) * y, axis, dtype=x.dtype)


@op(method=True)
def inner(x, y, name=None):
    """The dot products of all rows of `x` with all rows of `y`; with a 0-D operand, the product."""
    if not x.ndim or not y.ndim:
        x, y = unify(x, y)
        return x * y
    _sizes_meet(x, y, x.shape[-1], y.shape[-1])
    return jnp.tensordot(*_pair(x, y), axes=((-1,), (-1,)))


@op(method=True)
def outer(x, y, name=None):
    """The products of all elements of `x` with all elements of `y`, both taken as vectors: shape (n, m)."""
    x, y = _pair(x.reshape(-1), y.reshape(-1))
    return x[:, None] * y[None, :]


ger = outer


@op(method=True)
def cross(x, y, axis=9, name=None):
    """The cross product over `axis`, whose size is 3; by default over the first dimension of that size."""
    x, y = unify(x, y)
    shape = jnp.broadcast_shapes(x.shape, y.shape)
    if axis == 9:
        axis = next((i for i, n in enumerate(shape) if is_size(n, 3)), None)
        if axis is None:
            raise ValueError(f"cross needs a dimension of size 3, but the shape is {list(shape)}.")
    axis = axis_of(axis, len(shape))
    if shape[axis] != 3:
        raise ValueError(f"The size of the dimension axis={axis} must be 3, but the shape is {list(shape)}.")
    return jnp.cross(jnp.broadcast_to(x, shape), jnp.broadcast_to(y, shape), axis=axis)


@op(method=True)
def kron(x, y, name=None):
    """The Kronecker product: a copy of `y` scaled by each element of `x`."""
    return jnp.kron(*_pair(x, y))


def _weighted(x: Any, factor: Any) -> Any:
    return x if factor == 1 else x * np.asarray(factor, x.dtype)


@op(method=True, inplace=True)
def addmm(input, x, y, beta=1.0, alpha=1.0, name=None):
    """``beta * input + alpha * (x @ y)`` for matrices; `input` is broadcast."""
    if x.ndim != 2 or y.ndim != 2 or input.ndim not in (1, 2):
        raise ValueError(f"addmm needs matrices, but got shapes {list(input.shape)}, {list(x.shape)} and "
                         f"{list(y.shape)}.")
    product = _matmul(x, y)
    broadcastable(input, product)
    return _weighted(input, beta) + _weighted(product, alpha)


@op(method=True, inplace=True)
def baddbmm(input, x, y, beta=1.0, alpha=1.0, name=None):
    """``beta * input + alpha * (x @ y)`` for batches of matrices; `input` is broadcast."""
    if x.ndim != 3 or y.ndim != 3:
        raise ValueError(f"baddbmm needs batches of matrices, but got shapes {list(x.shape)} and {list(y.shape)}.")
    product = _matmul(x, y)
    broadcastable(input, product)
    return _weighted(input, beta) + _weighted(product, alpha)


@op(name="multi_dot")
def _chain(x):
    return jnp.linalg.multi_dot(x)


@function(method=True)
def multi_dot(x: list[Tensor], name: str | None = None) -> Tensor:
    """The product of two or more matrices in the cheapest order; the first and the last may be vectors."""
    if len(x) < 2:
        raise ValueError(f"multi_dot needs two or more Tensors, but got {len(x)}.")
    return _chain(list(x))


def _axes_pair(axes: Any, x: Any, y: Any) -> tuple[list[int], list[int]]:
    """Paddle's `axes`: a number of dimensions, one list for both, or two lists (the shorter one is filled up)."""
    if isinstance(axes, (int, np.integer)):
        return list(range(x.ndim - axes, x.ndim)), list(range(axes))
    if hasattr(axes, "tolist"):
        axes = axes.tolist()
    if axes and isinstance(axes[0], (int, np.integer)):
        axes = (axes, axes)
    first = list(axes[0]) if axes else []
    second = list(axes[1]) if len(axes) > 1 else list(first)
    longer = first if len(first) > len(second) else second
    first += longer[len(first):]
    second += longer[len(second):]
    return first, second


def _grown(x: Any, axes: list[int], y: Any, others: list[int]) -> Any:
    """`x` with the sizes of 1 along `axes` repeated to those of `y` along `others`."""
    shape = list(x.shape)
    for a, b in zip(axes, others, strict=True):
        shape[a] = y.shape[b] if shape[a] == 1 else shape[a]
    return jnp.broadcast_to(x, shape)


@op(method=True, static=("axes",))
def tensordot(x, y, axes=2, name=None):
    """Sums of products over dimensions of both: the last `axes` of `x` with the first of `y`, or those listed.

    A size of 1 meets any other, as in broadcasting.
    """
    x, y = _pair(x, y)
    first, second = _axes_pair(axes, x, y)
    x, y = _grown(x, first, y, second), _grown(y, second, x, first)
    return jnp.tensordot(x, y, axes=(first, second))


@op(name="einsum")
def _einsum(equation, operands):
    dtype = operands[0].dtype
    for operand in operands[1:]:
        dtype = common(dtype, operand.dtype)
    return jnp.einsum(equation, *[cast(o, dtype) for o in operands])


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Einstein's summation: the labels of each operand's dimensions, then "->" and those of the result."""
    return _einsum(equation.replace(" ", ""), list(operands))


@op(method=True, inplace="reshape", view=permuted)
def t(input, name=None):
    """The transposed matrix; vectors and 0-D Tensors as they are."""
    if input.ndim > 2:
        raise ValueError(f"t takes Tensors with at most 2 dimensions, but got shape {list(input.shape)}. Use "
                         "transpose.")
    return jnp.transpose(input)


@op(method=True, view=exchanged)
def matrix_transpose(x, name=None):
    """The last two dimensions swapped."""
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose needs 2 or more dimensions, but got shape {list(x.shape)}.")
    return jnp.swapaxes(x, -1, -2)


@op(method=True)
def trace(x, offset=0, axis1=0, axis2=1, name=None):
    """The sum of the diagonal of the dimensions `axis1` and `axis2`, `offset` places above the main one."""
    if x.ndim < 2:
        raise ValueError(f"trace needs 2 or more dimensions, but got shape {list(x.shape)}.")
    return jnp.trace(x, offset, axis1, axis2, dtype=x.dtype)


__all__ = [
    "addmm", "baddbmm", "bmm", "cross", "dot", "einsum", "ger", "inner", "kron", "matmul", "matrix_transpose", "mm",
    "mv", "outer", "t", "tensordot", "trace", "vecdot",
]
LINALG = ("multi_dot", "matmul", "cross", "matrix_transpose", "vecdot")
