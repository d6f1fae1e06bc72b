"""``paddle.incubate.asp``: training with weights of which in every block of m neighbours n are zero.

`decorate` an optimizer, `prune_model`, and go on training: after each step the pruned weights are zero again. JAX
computes with them as with any weights; the saved model is one that sparse kernels elsewhere can take.
"""
from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from kayax.bridge.autograd import no_grad
from kayax.bridge.staging import suspended
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.layers import ops
from kayax.layers.layer import Layer, _snake_case

Pruning = Callable[[np.ndarray, int, int, str, str], tuple[np.ndarray, np.ndarray]]


def calculate_density(x: Any) -> float:
    """The share of the elements that are not zero."""
    x = np.asarray(x)
    return float(np.count_nonzero(x) / x.size)


# ---- masks -----------------------------------------------------------------------------------------------------


def _padded(matrix: np.ndarray, multiples: Sequence[int]) -> np.ndarray:
    """With zeros behind the ends, so that blocks of these sizes fit."""
    return np.pad(matrix, [(0, -size % block) for size, block in zip(matrix.shape, multiples, strict=True)])


def _mask_1d(matrix: np.ndarray, n: int, m: int) -> np.ndarray:
    """In every row, of each `m` neighbours the `n` least are 0."""
    wide = _padded(matrix, (1, m))
    blocks = np.abs(wide).reshape(-1, m)
    mask = np.ones_like(blocks)
    np.put_along_axis(mask, np.argsort(blocks, axis=1)[:, :n], 0, axis=1)
    return mask.reshape(wide.shape)[:, :matrix.shape[1]]


def _in_blocks(masks_of: Callable[[np.ndarray], np.ndarray], matrix: np.ndarray, m: int) -> np.ndarray:
    """`masks_of` blocks [count, m, m], put together."""
    wide = _padded(matrix, (m, m))
    rows, columns = wide.shape[0] // m, wide.shape[1] // m
    blocks = np.abs(wide).reshape(rows, m, columns, m).swapaxes(1, 2).reshape(-1, m, m)
    masks = masks_of(blocks).reshape(rows, columns, m, m).swapaxes(1, 2).reshape(wide.shape)
    return masks[:matrix.shape[0], :matrix.shape[1]]


def _greedy(blocks: np.ndarray, n: int, m: int) -> np.ndarray:
    """From the greatest element down, keep each whose row and column have fewer than `n` kept ones."""
    masks, each = np.zeros_like(blocks), np.arange(len(blocks))
    for place in np.argsort(blocks.reshape(-1, m * m), axis=1)[:, ::-1].T:
        row, column = place // m, place % m
        free = (masks[each, row].sum(1) < n) & (masks[each, :, column].sum(1) < n)
        masks[each, row, column] = free
    return masks


@functools.cache
def _patterns(n: int, m: int) -> np.ndarray:
    """All m x m matrices of 0 and 1 with `n` ones in each row and at most `n` in each column."""
    rows = [np.isin(np.arange(m), kept).astype(float) for kept in itertools.combinations(range(m), n)]
    found = np.stack([np.stack(chosen) for chosen in itertools.product(rows, repeat=m)])
    return found[(found.sum(1) <= n).all(1)]


def _best(blocks: np.ndarray, n: int, m: int) -> np.ndarray:
    """Of all patterns the one under which most of the block's absolute values stay."""
    patterns = _patterns(n, m)
    return patterns[np.argmax(blocks.reshape(-1, m * m) @ patterns.reshape(-1, m * m).T, axis=1)]


_MASKS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "mask_1d": _mask_1d,
    "mask_2d_greedy": lambda matrix, n, m: _in_blocks(lambda blocks: _greedy(blocks, n, m), matrix, m),
    "mask_2d_best": lambda matrix, n, m: _in_blocks(lambda blocks: _best(blocks, n, m), matrix, m),
}


def _default_pruning(weight: np.ndarray, m: int, n: int, mask_algo: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Blocks lie along the inputs: the first dimension of a Linear's weight, the second one of a convolution's."""
    along = 1 if weight.ndim == 4 else 0
    if weight.ndim in (2, 4) and weight.shape[along] < m:
        warnings.warn(f"{name} of shape {list(weight.shape)} is not pruned: dimension {along} is smaller than {m}.",
                      stacklevel=4)
        return weight, np.ones_like(weight)
    turned = np.moveaxis(weight.T, -2, -1) if weight.ndim == 4 else weight.T
    rows = np.atleast_2d(turned.reshape(-1, turned.shape[-1]).astype(float))
    mask = _MASKS[mask_algo](rows, n, m).reshape(turned.shape)
    mask = (np.moveaxis(mask, -1, -2) if weight.ndim == 4 else mask).T.astype(weight.dtype)
    return weight * mask, mask


# ---- which parameters ------------------------------------------------------------------------------------------

_supported: dict[str, Pruning] = dict.fromkeys(("fc", "linear", "conv2d"), _default_pruning)
_excluded: dict[Any, list[str]] = {}


def add_supported_layer(layer: Layer | type[Layer] | str, pruning_func: Pruning | None = None) -> None:
    """Let the weights of a kind of layer be pruned, too.

    layer: a Layer, its class, or the name that its parameters' names begin with, or a parameter's whole name.
    pruning_func: ``f(weight, m, n, mask_algo, name) -> (pruned weight, mask)`` on NumPy arrays.
    """
    if not isinstance(layer, str):
        layer = _snake_case((layer if isinstance(layer, type) else type(layer)).__name__)
    _supported[layer] = pruning_func or _default_pruning


def set_excluded_layers(param_names: list[str], main_program: Any = None) -> None:
    """Leave out the parameters whose names contain one of these (a layer's `full_name()`)."""
    _excluded.setdefault(main_program, []).extend(param_names)


def reset_excluded_layers(main_program: Any = None) -> None:
    """Forget what `set_excluded_layers` was told for this program, or for all if None."""
    if main_program is None:
        _excluded.clear()
    else:
        _excluded.pop(main_program, None)


def _pruning(name: str) -> Pruning | None:
    """What prunes the parameter of this name; None if nothing does."""
    if any(part in name for names in _excluded.values() for part in names):
        return None
    layer, dot, kind = name.partition(".")
    if name in _supported or not dot or not kind.startswith("w_"):
        return _supported.get(name)
    return _supported.get(layer) or _supported.get(layer.rpartition("_")[0])


# ---- pruning and training --------------------------------------------------------------------------------------


def prune_model(model: Any, n: int = 2, m: int = 4, mask_algo: str = "mask_1d",
                with_mask: bool = True) -> dict[str, np.ndarray]:
    """Set the least of the weights of a Layer or a static Program to zero, and give the masks by parameter's name.

    n, m: of every `m` neighbours along the inputs, `n` become zero. mask_algo: "mask_1d"; or "mask_2d_greedy" and
    "mask_2d_best", which keep `n` in each row and column of m x m blocks. with_mask: further steps of the decorated
    optimizer keep them at zero.
    """
    if mask_algo not in _MASKS:
        raise AssertionError(f"mask_algo must be one of {', '.join(_MASKS)}, but got {mask_algo!r}.")
    masks = {}
    with suspended(), no_grad():
        for p in model.parameters() if isinstance(model, Layer) else model.all_parameters():
            prune = _pruning(p.name)
            if prune is None:
                continue
            if with_mask and _mask(p) is None:
                raise AssertionError(f"{p.name} has no mask yet: call asp.decorate(optimizer) with an optimizer of it "
                                     "first (and minimize, in a static program), or pass with_mask=False.")
            weight, masks[p.name] = prune(p.numpy(), m, n, mask_algo, p.name)
            p.set_value(weight.astype(p.numpy().dtype))
            if with_mask:
                _mask(p).set_value(masks[p.name].astype(p.numpy().dtype))
    return masks


def _mask(parameter: Tensor) -> Any:
    return parameter.__dict__.get("asp_mask")


def _give_masks(parameters: Iterable[Tensor]) -> None:
    with suspended(), no_grad():
        for p in parameters:
            if _mask(p) is None and _pruning(p.name) is not None:
                p.__dict__["asp_mask"] = mask = ops.ones_like(p)
                mask.name, mask.persistable = f"{p.name}.asp_mask", True


def _apply_masks(parameters: Iterable[Tensor]) -> None:
    with no_grad():
        for p in parameters:
            if _mask(p) is not None:
                p.storage.array = p.storage.array * _mask(p).storage.array


class OptimizerWithSparsityGuarantee:
    """An optimizer whose steps leave pruned weights at zero. All else is the inner optimizer's."""

    def __init__(self, optimizer: Any):
        self._optimizer = optimizer
        _give_masks(self._parameters())

    def __getattr__(self, name: str) -> Any:
        if name == "_optimizer":
            raise AttributeError(name)
        return getattr(self._optimizer, name)

    def _parameters(self) -> list[Tensor]:
        return self._optimizer._parameter_list_flat()

    def step(self) -> None:
        """The inner step, then the masks."""
        self._optimizer.step()
        _apply_masks(self._parameters())

    def minimize(self, loss: Tensor, startup_program: Any = None, parameter_list: Any = None,
                 no_grad_set: Any = None) -> Any:
        """The inner `minimize`, then the masks."""
        out = self._optimizer.minimize(loss, startup_program, parameter_list, no_grad_set)
        parameters = [p for p, _ in out[1]]
        _give_masks(parameters)
        if state.graph is None:
            _apply_masks(parameters)
        else:
            state.graph.record(_apply_masks, (parameters,), {})
        return out

    def state_dict(self) -> dict[str, Any]:
        """The inner state, and the masks."""
        return {**self._optimizer.state_dict(), **{_mask(p).name: _mask(p) for p in self._masked()}}

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state with its masks."""
        masks = {_mask(p).name: _mask(p) for p in self._masked()}
        missing = sorted(masks.keys() - state_dict.keys())
        if missing:
            raise AssertionError(f"The state has no {missing[0]}: it is not that of an optimizer decorated by asp.")
        for name, mask in masks.items():
            mask.set_value(state_dict[name])
        self._optimizer.set_state_dict({k: v for k, v in state_dict.items() if k not in masks})

    def _masked(self) -> list[Tensor]:
        return [p for p in self._parameters() if _mask(p) is not None]


def decorate(optimizer: Any) -> OptimizerWithSparsityGuarantee:
    """The optimizer, whose steps leave at zero what `prune_model` sets to zero."""
    return OptimizerWithSparsityGuarantee(optimizer)


__all__ = ["add_supported_layer", "calculate_density", "decorate", "prune_model", "reset_excluded_layers",
           "set_excluded_layers"]
