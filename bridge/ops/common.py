"""Linear maps, embeddings, and other common functions of `paddle.nn.functional`."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError, ConversionError, at_user_line
from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.bounds import need_range
from kayax.bridge.ops.promotion import cast, common, need
from kayax.bridge.registry import op
from kayax.bridge.staging import staged
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import default, to_numpy

_NAME = "nn.functional."


@op(name=_NAME + "linear", amp="linear")
def linear(x, weight, bias=None, name=None):
    """``x @ weight + bias``: x [..., in], weight [in, out] (or [in]: one output without a dimension), bias [out]."""
    if weight.ndim not in (1, 2):
        raise ValueError(f"weight must have 2 dimensions [in, out], or be a vector, but its shape is "
                         f"{list(weight.shape)}.")
    if not x.ndim or x.shape[-1] != weight.shape[0]:
        raise ValueError(f"The last dimension of x must be {weight.shape[0]}, the first of weight {list(weight.shape)}"
                         f", but x has the shape {list(x.shape)}.")
    if x.dtype != weight.dtype and "c" in (x.dtype.kind, weight.dtype.kind):
        dtype = common(x.dtype, weight.dtype)
        x, weight = cast(x, dtype), cast(weight, dtype)
    if x.dtype != weight.dtype:
        raise ArgumentError(f"x and weight must have one dtype, but are {x.dtype.name} and {weight.dtype.name}.")
    y = jnp.matmul(x, weight)
    return y if bias is None else y + bias.astype(common(y.dtype, bias.dtype) if bias.dtype.kind == "c" else y.dtype)


@op(name=_NAME + "bilinear", amp="bilinear")
def bilinear(x1, x2, weight, bias=None, name=None):
    """``x1 @ weight[i] @ x2`` for every output i: x1 [N, a], x2 [N, b], weight [out, a, b], bias [1, out]."""
    y = jnp.einsum("na,oab,nb->no", x1, weight, x2)
    return y if bias is None else y + bias


def _check_rows(x, weight, *rest):
    need_range(x, weight.shape[0], "x (the indices)")


@op(name=_NAME + "embedding", amp="lookup_table_v2", check=_check_rows)
def _embedding(x, weight, padding_idx):
    need(x, "x", (1,), "an integer Tensor of indices")
    if weight.ndim != 2:
        raise ValueError(f"weight must have 2 dimensions [entries, size], but its shape is {list(weight.shape)}.")
    # Indices outside of the table, negative ones included, give nan: a program cannot raise, and must not read on.
    index = jnp.where(x < 0, weight.shape[0], x)
    out = jnp.take(weight, index, axis=0, mode="fill")
    return out if padding_idx is None else jnp.where((x == padding_idx)[..., None], jnp.zeros((), out.dtype), out)


@staged
def embedding(x, weight, padding_idx=None, max_norm=None, norm_type=2.0, sparse=False, scale_grad_by_freq=False,
              name=None):
    """The rows of `weight` [entries, size] at the indices `x`, of any shape [...]; the result is [..., size].

    padding_idx: this index gives zeros and no gradient; negative ones count from the end. max_norm: used rows whose
    `norm_type`-norm is larger are first scaled down to it, in place. sparse: accepted; gradients are dense.
    scale_grad_by_freq: divide each row's gradient by how often it was used.
    An index outside of the table is a ValueError; inside of a converted function, or on a GPU or TPU, its row is nan.
    """
    entries = weight.shape[0]
    if padding_idx is not None:
        if not -entries <= padding_idx < entries:
            raise ValueError(f"padding_idx must be in [-{entries}, {entries}), but got {padding_idx}.")
        padding_idx %= entries
    if max_norm:
        weight.storage.array = _renorm_rows(x, weight, float(max_norm), float(norm_type)).storage.array
    if scale_grad_by_freq:
        return _embedding_by_frequency(x, weight, padding_idx)
    return _embedding(x, weight, padding_idx)


@op(name=_NAME + "embedding_renorm", differentiable=False, check=_check_rows)
def _renorm_rows(x, weight, max_norm, norm_type):
    norms = jnp.linalg.norm(weight, norm_type, axis=1)
    used = jnp.zeros(weight.shape[0], bool).at[x.reshape(-1)].set(True)
    factor = jnp.where(used & (norms > max_norm), max_norm / (norms + 1e-7), 1)
    return weight * factor[:, None].astype(weight.dtype)


@op(name=_NAME + "embedding_by_frequency", amp="lookup_table_v2", check=_check_rows)
def _embedding_by_frequency(x, weight, padding_idx):
    uses = jnp.zeros(weight.shape[0], weight.dtype).at[x.reshape(-1)].add(1)
    share = 1 / jnp.maximum(uses[x], 1)[..., None]
    out = _embedding.op.fn(x, weight, padding_idx)
    return out * share + jax.lax.stop_gradient(out * (1 - share))


@op(name=_NAME + "one_hot", differentiable=False)
def _one_hot(x, num_classes):
    need(x, "x", (1,), "an integer Tensor")
    return jax.nn.one_hot(x, num_classes, dtype=default().numpy)


@staged
def one_hot(x, num_classes=-1, name=None):
    """A new last axis of size `num_classes` with 1 at the position `x` and 0 elsewhere, in the default floating type.

    num_classes: -1 takes the largest value + 1, which must be known: not while converting. A value outside gives zeros
    while converting, and an error otherwise.
    """
    if isinstance(num_classes, Tensor):
        num_classes = num_classes.item()
    array = x.storage.array
    if not isinstance(array, jax.core.Tracer) and array.size and state.trace is None:
        low, high = int(array.min()), int(array.max())
        if num_classes == -1:
            num_classes = high + 1
        if low < 0 or high >= num_classes:
            raise ValueError(f"The values of x must be in [0, {num_classes}) (num_classes), but lie in "
                             f"[{low}, {high}].")
    elif num_classes == -1:
        raise ConversionError("one_hot with num_classes=-1 makes a Tensor whose shape depends on values, which a "
                              f"program cannot express.{at_user_line()}\nPass num_classes.")
    return _one_hot(x, int(num_classes))


@op(name=_NAME + "label_smooth", amp="label_smooth")
def label_smooth(label, prior_dist=None, epsilon=0.1, name=None):
    """``(1 - epsilon) * label + epsilon * prior``: `prior_dist` [1, classes], else uniform (Szegedy et al. 2015)."""
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must be in [0, 1], but got {epsilon}.")
    prior = 1 / max(label.shape[-1], 1) if prior_dist is None else prior_dist
    return (1 - epsilon) * label + epsilon * prior


@op(name=_NAME + "cosine_similarity", amp="cosine_similarity")
def cosine_similarity(x1, x2, axis=1, eps=1e-8):
    """``sum(x1 * x2) / max(|x1| * |x2|, eps)`` along `axis`, with broadcasting."""
    x1, x2 = jnp.broadcast_arrays(x1, x2)
    squares = jnp.sum(x1 * x1, axis) * jnp.sum(x2 * x2, axis)
    return jnp.sum(x1 * x2, axis) / jnp.sqrt(jnp.maximum(squares, eps * eps))


@op(name=_NAME + "pairwise_distance", amp="p_norm")
def pairwise_distance(x, y, p=2.0, epsilon=1e-6, keepdim=False, name=None):
    """The p-norm of ``x - y + epsilon`` along the last axis."""
    return jnp.linalg.norm(x - y + epsilon, p, axis=-1, keepdims=keepdim)


@op(name=_NAME + "sequence_mask", differentiable=False)
def _sequence_mask(x, maxlen, dtype):
    return (jnp.arange(maxlen) < x[..., None]).astype(to_numpy(dtype))


@staged
def sequence_mask(x, maxlen=None, dtype="int64", name=None):
    """A new last axis of size `maxlen` with 1 at the positions below `x`. Without it, the largest length is taken."""
    if isinstance(maxlen, Tensor):
        maxlen = maxlen.item()
    if maxlen is None or maxlen < 0:
        if state.trace is not None:
            raise ConversionError("sequence_mask without maxlen makes a Tensor whose shape depends on values, which a "
                                  f"program cannot express.{at_user_line()}\nPass maxlen.")
        maxlen = int(np.asarray(x.numpy()).max(initial=0))
    return _sequence_mask(x, maxlen if is_open(maxlen) else int(maxlen), dtype)


@op(name=_NAME + "gather_tree", differentiable=False)
def gather_tree(ids, parents):
    """The full beams of a beam search: from the last step back along `parents`. Both are [time, batch, beams]."""
    beams = jnp.broadcast_to(jnp.arange(ids.shape[2], dtype=parents.dtype), ids.shape[1:])

    def back(at, step):
        token, parent = step
        return jnp.take_along_axis(parent, at, 1), jnp.take_along_axis(token, at, 1)

    return jax.lax.scan(back, beams, (ids, parents), reverse=True)[1]


__all__ = [
    "bilinear", "cosine_similarity", "embedding", "gather_tree", "label_smooth", "linear", "one_hot",
    "pairwise_distance", "sequence_mask",
]
