"""Tensors that a function leaves in attributes of objects: outputs of its program, put there after each call."""
from __future__ import annotations

from typing import Any

from kayax.bridge.either import tensors_in
from kayax.bridge.errors import KeptError
from kayax.bridge.journal import changed_attributes, was_loaded
from kayax.bridge.places import Attribute
from kayax.bridge.snapshots import of_ours
from kayax.bridge.state import bump, state
from kayax.bridge.tensor import Tensor


def take() -> list[Any]:
    """What the run which ends now leaves in attributes, with tensors of its own in it; they get back what they held."""
    found = [(place, old) for place, old in changed_attributes() if _is_kept(place)]
    for place, _ in found:
        if was_loaded(place):
            raise KeptError(
                f"{place} is read before it is stored, a tensor from call to call, which a program cannot keep in an "
                "attribute.\nKeep it in a buffer (`register_buffer(name, tensor)`) that is there from the start.")
    trace = state.trace
    assert trace is not None
    trace.kept = [place for place, _ in found]
    values = [place.get() for place, _ in found]
    for place, old in found:
        place.put(old)
    return values


def _is_kept(place: Attribute) -> bool:
    owner: Any = type(place.owner)
    if of_ours(owner) and not hasattr(owner, "named_sublayers"):          # the context of a PyLayer, and the like
        return False
    return any(t.storage.trace is state.trace for t in tensors_in(place.get()))


def put(place: Attribute, value: Any) -> None:
    """Leave a value in an attribute, as the eager run does."""
    owner = place.owner
    buffers = getattr(owner, "_buffers", None)
    there = buffers is None or place.name in buffers or place.name in vars(owner)
    if isinstance(place.get(), Tensor) and there:
        place.put(value)
        bump()
    else:
        setattr(owner, place.name, value)


__all__ = ["put", "take"]
