"""Layers that are compiled by themselves, where the function that calls them runs eagerly."""
from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from kayax.bridge.to_static.convert import is_users

if TYPE_CHECKING:
    from kayax.layers.layer import Layer

_MOST = 8               # kinds of arguments: a layer that is called with ever new shapes is better not compiled
_compiled: weakref.WeakKeyDictionary[Layer, Any] = weakref.WeakKeyDictionary()


def compiled_forward(layer: Layer) -> Any:
    """The layer's forward as programs of its own; as it is where that gains nothing."""
    from kayax.bridge.to_static.static_function import StaticFunction
    own: Any = type(layer).forward
    if "forward" in layer.__dict__ or not hasattr(own, "__code__") or not (layer._sub_layers or is_users(own)):
        return layer.forward
    found = _compiled.get(layer)
    if found is None:
        found = _compiled[layer] = StaticFunction(own, instance=layer)
    return found if len(found.programs) <= _MOST else layer.forward
