"""Convolutions and pooling of sparse tensors [N, ..., channels] whose channels are dense.

Which inputs each output sees is found on the host, once for a call: a table [kernel positions, outputs] of the numbers
of input values, and of one row more where there is none (Graham et al. 2018).
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.bridge.sparse.tensor import SparseCooTensor
from kayax.bridge.sparse.values import host
from kayax.bridge.tensor import Tensor
from kayax.sparse.binary import add


def _sizes(value: Any, n: int, name: str) -> list[int]:
    sizes = [value] * n if isinstance(value, int) else [int(v) for v in value]
    if len(sizes) != n:
        raise ValueError(f"{name} must be a number or {n} of them, but got {value!r}.")
    return sizes


def _paddings(value: Any, n: int) -> list[int]:
    """The padding before and after of each spatial dimension; both are equal here."""
    if isinstance(value, str):
        raise ValueError(f"padding must be numbers for sparse tensors, but got {value!r}.")
    if not isinstance(value, int) and len(value) == 2 * n:
        if list(value[::2]) != list(value[1::2]):
            raise ValueError(f"padding must be the same before and after for sparse tensors, but got {value!r}.")
        value = value[::2]
    return _sizes(value, n, "padding")


def _need_input(x: Any, n: int, data_format: str) -> None:
    wanted = {2: "NHWC", 3: "NDHWC"}[n]
    if data_format != wanted:
        raise ValueError(f"data_format must be {wanted!r}, but got {data_format!r}.")
    if not isinstance(x, SparseCooTensor):
        raise TypeError(f"A sparse tensor in coordinates was expected, but got {type(x).__name__}.")
    if x.ndim != n + 2 or x.dense_dim() != 1:
        raise ValueError(f"x must be {wanted} with dense channels ({n + 2} dimensions, {n + 1} with indices), but its "
                         f"shape is {x.shape} with {x.sparse_dim()} sparse dimensions.")


def _neighbours(x: SparseCooTensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
                dilation: Sequence[int], same_places: bool) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """The table, the places of the outputs [dimensions, outputs], and the sizes of the output's sparse dimensions."""
    indices = host(x.indices()).astype(np.int64)
    steps, pads, spread = (np.array(v)[:, None] for v in (stride, padding, dilation))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [x.shape[0], *((size + 2 * p - span) // s + 1
                           for size, p, span, s in zip(x.shape[1:-1], padding, spans, stride, strict=True))]
    limits = np.array(sizes[1:])[:, None]
    seen, keys = [], []
    for offset in itertools.product(*map(range, kernel)):           # over the kernel, not over values
        at = indices[1:] + pads - np.array(offset)[:, None] * spread
        hits = np.flatnonzero(np.all((at % steps == 0) & (at >= 0) & (at // steps < limits), 0))
        seen.append(hits)
        keys.append(np.ravel_multi_index((indices[0, hits], *(at // steps)[:, hits]), sizes))
    outputs = x.keys() if same_places else np.unique(np.concatenate(keys))
    order = np.argsort(outputs, kind="stable")
    ranked = outputs[order]
    table = np.full((len(seen), len(outputs)), x.nnz())
    for row, hits, key in zip(table, seen, keys, strict=True):
        at = np.minimum(np.searchsorted(ranked, key), max(len(ranked) - 1, 0))
        found = ranked[at] == key if len(ranked) else np.zeros(len(key), bool)
        row[order[at[found]]] = hits[found]
    return table, np.stack(np.unravel_index(outputs, sizes)), sizes


@op(name="sparse.conv", amp="conv3d")
def _convolve(values, weight, table):
    padded = jnp.concatenate([values, jnp.zeros((1, values.shape[1]), values.dtype)])
    return jnp.einsum("kni,kio->no", padded[table], weight.reshape(-1, *weight.shape[-2:]))


@op(name="sparse.max_pool", amp="max_pool3d")
def _largest(values, table):
    padded = jnp.concatenate([values, jnp.full((1, values.shape[1]), -jnp.inf, values.dtype)])
    return jnp.max(padded[table], 0)


def _conv(x: Any, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int, n: int,
          data_format: str, subm: bool) -> SparseCooTensor:
    _need_input(x, n, data_format)
    if groups != 1:
        raise AssertionError(f"groups must be 1 for sparse tensors, but got {groups}.")
    if weight.ndim != n + 2 or weight.shape[-2] != x.shape[-1]:
        raise ValueError(f"weight must be [{n} kernel sizes, {x.shape[-1]}, out channels], but its shape is "
                         f"{weight.shape}.")
    kernel = list(weight.shape[:n])
    spread = _sizes(dilation, n, "dilation")
    if subm:                                        # the outputs lie where the inputs lie
        step, pads = [1] * n, [k // 2 * d for k, d in zip(kernel, spread, strict=True)]
    else:
        step, pads = _sizes(stride, n, "stride"), _paddings(padding, n)
    table, places, sizes = _neighbours(x, kernel, step, pads, spread, subm)
    indices = x.indices() if subm else to_tensor(places.astype(x.indices().dtype.numpy))
    sizes = list(x.shape[:-1]) if subm else sizes
    out = SparseCooTensor(indices, _convolve(x.values(), weight, table), [*sizes, weight.shape[-1]], not subm)
    return out if bias is None else add(out, bias)


def conv3d(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1, data_format: str = "NDHWC", name: str | None = None) -> SparseCooTensor:
    """A convolution of a sparse tensor [N, D, H, W, C]: it has values wherever the kernel meets one.

    weight: [kD, kH, kW, C, out]. bias: [out], added to the values. stride, padding, dilation: a number or three.
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, 3, data_format, False)


def conv2d(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1, data_format: str = "NHWC", name: str | None = None) -> SparseCooTensor:
    """A convolution of a sparse tensor [N, H, W, C] with a weight [kH, kW, C, out]: else as `conv3d`."""
    return _conv(x, weight, bias, stride, padding, dilation, groups, 2, data_format, False)


def subm_conv3d(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                dilation: Any = 1, groups: int = 1, data_format: str = "NDHWC", key: str | None = None,
                name: str | None = None) -> SparseCooTensor:
    """A submanifold convolution: it has values where x has them alone (Graham et al. 2018).

    stride and padding are accepted, and as in Paddle replaced by 1 and half the kernel; key is accepted. Else as
    `conv3d`.
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, 3, data_format, True)


def subm_conv2d(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                dilation: Any = 1, groups: int = 1, data_format: str = "NHWC", key: str | None = None,
                name: str | None = None) -> SparseCooTensor:
    """A submanifold convolution of a sparse tensor [N, H, W, C]: else as `subm_conv3d`."""
    return _conv(x, weight, bias, stride, padding, dilation, groups, 2, data_format, True)


def subm_conv3d_igemm(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                      dilation: Any = 1, groups: int = 1, data_format: str = "NDHWC", key: str | None = None,
                      name: str | None = None) -> SparseCooTensor:
    """`subm_conv3d`, which in Paddle has a second kernel of this name."""
    return subm_conv3d(x, weight, bias, stride, padding, dilation, groups, data_format, key, name)


def subm_conv2d_igemm(x: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                      dilation: Any = 1, groups: int = 1, data_format: str = "NHWC", key: str | None = None,
                      name: str | None = None) -> SparseCooTensor:
    """`subm_conv2d`, which in Paddle has a second kernel of this name."""
    return subm_conv2d(x, weight, bias, stride, padding, dilation, groups, data_format, key, name)


def max_pool3d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               data_format: str = "NDHWC", name: str | None = None) -> SparseCooTensor:
    """The largest value in each window of a sparse tensor [N, D, H, W, C] that has one. ceil_mode: must be False."""
    _need_input(x, 3, data_format)
    if ceil_mode:
        raise ValueError("ceil_mode=True is not possible for sparse tensors: pad instead.")
    kernel = _sizes(kernel_size, 3, "kernel_size")
    step = kernel if stride is None else _sizes(stride, 3, "stride")
    table, places, sizes = _neighbours(x, kernel, step, _paddings(padding, 3), [1] * 3, False)
    return SparseCooTensor(to_tensor(places.astype(x.indices().dtype.numpy)), _largest(x.values(), table),
                           [*sizes, x.shape[-1]], True)
