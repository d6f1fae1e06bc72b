"""Features from the middle of a network."""
from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

from kayax.layers.containers import LayerDict
from kayax.layers.layer import Layer
from kayax.layers.linear import Linear


class IntermediateLayerGetter(LayerDict):
    """The results of some sublayers of a model, which it runs in the order in which they were registered.

    return_layers: for the name of a direct sublayer, the name of its result. Layers behind the last of them are left
    out. Calling it gives an OrderedDict of the results; images are flattened before a Linear. ValueError if a name is
    not a sublayer's.
    """

    def __init__(self, model: Layer, return_layers: Mapping[str, str]):
        children = dict(model.named_children())
        missing = [name for name in return_layers if name not in children]
        if missing:
            raise ValueError(f"return_layers names {', '.join(missing)}, which the model has not; it has "
                             f"{', '.join(children)}.")
        last = max(list(children).index(name) for name in return_layers) if return_layers else -1
        super().__init__(dict(list(children.items())[:last + 1]))
        self.return_layers = dict(return_layers)

    def forward(self, x: Any) -> dict[str, Any]:
        """The results by their new names."""
        found: dict[str, Any] = collections.OrderedDict()
        for name, layer in self.items():
            if isinstance(layer, Linear) and x.ndim == 4:
                x = x.flatten(1)
            x = layer(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found

