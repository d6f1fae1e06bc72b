"""Nested lists, tuples and dicts: their leaves in order (of dicts, by sorted keys), and functions of them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax


def is_sequence(seq: Any) -> bool:
    """Whether it is a list, a tuple or a dict."""
    return isinstance(seq, (list, tuple, dict))


def _is_leaf(value: Any) -> bool:
    return not is_sequence(value)


def flatten(nest: Any) -> list[Any]:
    """The leaves of a nested structure."""
    return jax.tree.leaves(nest, is_leaf=_is_leaf)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure like `structure` with these leaves."""
    leaves, kind = jax.tree.flatten(structure, is_leaf=_is_leaf)
    if len(leaves) != len(flat_sequence):
        raise ValueError(f"The structure has {len(leaves)} leaves, but flat_sequence has {len(flat_sequence)}.")
    return jax.tree.unflatten(kind, flat_sequence)


def map_structure(func: Callable, *structure: Any) -> Any:
    """The structure whose leaves are `func` of the leaves of these structures, which are alike."""
    return jax.tree.map(func, *structure, is_leaf=_is_leaf)


def to_sequence(nest: Any) -> Any:
    """A list of it, unless it is a list, tuple or dict."""
    return nest if is_sequence(nest) else [nest]


__all__ = ["flatten", "is_sequence", "map_structure", "pack_sequence_as", "to_sequence"]
