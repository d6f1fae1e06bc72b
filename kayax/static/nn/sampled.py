"""``static.nn.nce``: a classifier of many classes that is trained on a few of them at a time."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import kayax as _paddle
from kayax.bridge.staging import staged
from kayax.bridge.tensor import wrap
from kayax.layers.parameter import new_parameter
from kayax.spec import unique_name


def nce(input: Any, label: Any, num_total_classes: int, sample_weight: Any = None, param_attr: Any = None,
        bias_attr: Any = None, num_neg_samples: int | None = None, name: str | None = None, sampler: str = "uniform",
        custom_dist: Any = None, seed: int = 0, is_sparse: bool = False) -> Any:
    """The loss of noise-contrastive estimation (Gutmann and Hyvärinen 2010), ``[batch, 1]``: the class of each sample
    is told from `num_neg_samples` others (10 if None), drawn with replacement.

    input: ``[batch, features]``, floating. label: the true classes, ``[batch, n]``, int64. sample_weight: a factor for
    each sample. sampler: "uniform", "log_uniform" (small numbers are more likely) or "custom_dist", with the
    probability of each class in `custom_dist`. seed: of the draws; 0 for new ones in each run. is_sparse: accepted;
    gradients are dense. The draws are not those of Paddle's generator.
    """
    for what, value, kinds in (("input", input, ("float32", "float64")), ("label", label, ("int64",))):
        if not isinstance(value, _paddle.Tensor) or value.dtype.name not in kinds:
            raise TypeError(f"{what} of nce must be a variable of {' or '.join(kinds)}, but got {value!r}.")
    if input.ndim != 2:
        raise ValueError(f"input must have 2 dims, but it has {input.ndim}.")
    probability = _probabilities(sampler, num_total_classes, custom_dist)
    drawn = 10 if num_neg_samples is None else int(num_neg_samples)
    prefix = name or unique_name.generate("nce")
    weight: Any = new_parameter([num_total_classes, input.shape[1]], input.dtype, None, param_attr, False, None, prefix)
    bias: Any = new_parameter([num_total_classes, 1], input.dtype, None, bias_attr, True, None, prefix)
    other = _draw(label, drawn, probability, seed)
    classes = _paddle.concat([label, other.detach()], 1)
    logits = (_paddle.gather(weight, classes.flatten()).reshape([-1, classes.shape[1], input.shape[1]])
              * input.unsqueeze(1)).sum(-1)
    if bias is not None:
        logits = logits + _paddle.gather(bias.flatten(), classes.flatten()).reshape([-1, classes.shape[1]])
    noise = _paddle.gather(_paddle.to_tensor(probability.astype(input.dtype.numpy)), classes.flatten())
    noise = noise.reshape([-1, classes.shape[1]]) * drawn
    found = _paddle.nn.functional.sigmoid(logits)
    n = label.shape[1]
    cost = -(_paddle.log(found / (found + noise))[:, :n].sum(1, keepdim=True)
             + _paddle.log(noise / (found + noise))[:, n:].sum(1, keepdim=True))
    return (cost if sample_weight is None else cost * sample_weight) / (drawn + 1)


def _probabilities(sampler: str, classes: int, custom: Any) -> np.ndarray:
    if sampler == "custom_dist":
        if custom is None:
            raise AssertionError("The sampler custom_dist needs the probabilities of the classes in custom_dist.")
        return np.asarray(custom, np.float64)
    if sampler == "uniform":
        return np.full(classes, 1.0 / classes)
    if sampler != "log_uniform":
        raise Exception(f"sampler must be 'uniform', 'log_uniform' or 'custom_dist', but got {sampler!r}.")
    return np.diff(np.log(np.arange(1.0, classes + 2.0))) / math.log(classes)


def _draw(label: Any, count: int, probability: np.ndarray, seed: int) -> Any:
    """Classes with these probabilities, `count` for each sample."""
    numbers = (_fixed(label, count, seed) if seed else
               _paddle.rand([label.shape[0], count], "float64"))
    bounds = _paddle.to_tensor(np.minimum(np.cumsum(probability), 1.0))
    found = _paddle.searchsorted(bounds, numbers.flatten(), right=True).reshape([-1, count])
    return found.clip(max=len(probability) - 1).astype("int64")


@staged
def _fixed(label: Any, count: int, seed: int) -> Any:
    shape = label.storage.array.shape[0], count
    return wrap(jax.random.uniform(jax.random.key(seed), shape, jnp.float64))


__all__ = ["nce"]
