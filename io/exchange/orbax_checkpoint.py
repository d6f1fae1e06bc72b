"""Orbax checkpoints of Layers: what JAX programs read and write."""
from __future__ import annotations

import os
from typing import Any

import jax

from kayax.io.exchange.extras import need
from kayax.layers.layer import Layer


def save_orbax(layer: Layer, path: Any, force: bool = False) -> None:
    """Write the parameters and buffers of a Layer as an Orbax checkpoint: a nested dict of arrays, as its names nest.

    path: a folder that does not exist yet; with `force` an existing checkpoint is replaced.
    """
    ocp = need("orbax.checkpoint", "interop")
    arrays = {name: tensor.storage.array for name, tensor in layer.state_dict().items()}
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(os.path.abspath(os.fspath(path)), _nested(arrays), force=force)


def load_orbax(layer: Layer, path: Any) -> None:
    """Read into a Layer what `save_orbax`, or a JAX program with the same names, wrote.

    Raises FileNotFoundError; ValueError if the names or shapes are not the Layer's.
    """
    ocp = need("orbax.checkpoint", "interop")
    folder = os.path.abspath(os.fspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no checkpoint {folder}.")
    state = layer.state_dict()
    shapes = {n: jax.ShapeDtypeStruct(tuple(t.shape), t.dtype.numpy) for n, t in state.items()}
    with ocp.StandardCheckpointer() as checkpointer:
        stored = {name: list(leaf.shape) for name, leaf in _flat(
            checkpointer.metadata(folder).item_metadata.tree)}
        wanted = {name: list(s.shape) for name, s in shapes.items()}
        if stored != wanted:
            differing = sorted(n for n in stored.keys() | wanted.keys() if stored.get(n) != wanted.get(n))
            lines = [f"{n}: here {wanted.get(n, 'none')}, in the checkpoint {stored.get(n, 'none')}" for n in differing]
            raise ValueError(f"The checkpoint {folder} does not fit the Layer:\n" + "\n".join(lines))
        restored = checkpointer.restore(folder, _nested(shapes))
    for name, array in _flat(restored):
        state[name].storage.array = array


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """``{"a.b": x}`` as ``{"a": {"b": x}}``."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        at = tree
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return tree


def _flat(tree: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        return [(prefix, tree)]
    return [pair for key, value in tree.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else key)]
