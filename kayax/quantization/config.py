"""Which layers of a model are quantized, and how."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.nn import quant

_MAPPINGS = {quant.Stub: quant.QuanterStub, nn.Linear: quant.QuantedLinear, nn.Conv2D: quant.QuantedConv2D}
_LEAVES = (nn.ReLU, nn.AvgPool2D)


class SingleLayerConfig:
    """How one layer is quantized: factories for its input and its weight, or None."""

    def __init__(self, activation: Any, weight: Any):
        self.activation, self.weight = activation, weight

    def __repr__(self) -> str:
        return f"activation: {self.activation}\nweight: {self.weight}"


class QuantConfig:
    """How the layers of a model are quantized: factories of quanters or observers, for all and for some.

    activation, weight: for all layers; None for none. What is said of a layer or a name goes before what is said of a
    type, and that before what holds for the layer that it is in.
    """

    def __init__(self, activation: Any, weight: Any):
        self._global = None if activation is None and weight is None else SingleLayerConfig(activation, weight)
        self._by_name: dict[str, SingleLayerConfig] = {}
        self._by_type: dict[type, SingleLayerConfig] = {}
        self._by_layer: dict[Any, SingleLayerConfig] = {}
        self._mappings: dict[type, Any] = dict(_MAPPINGS)
        self._leaves: list[type] = []
        self._model: Any = None

    def add_layer_config(self, layer: Any, activation: Any = None, weight: Any = None) -> None:
        """For a layer, or for each of a list."""
        for one in layer if isinstance(layer, list) else [layer]:
            self.add_name_config(one.full_name(), activation, weight)

    def add_name_config(self, layer_name: Any, activation: Any = None, weight: Any = None) -> None:
        """For the layer of a full name, or for each of a list."""
        for name in layer_name if isinstance(layer_name, list) else [layer_name]:
            self._by_name[name] = SingleLayerConfig(activation, weight)

    def add_type_config(self, layer_type: Any, activation: Any = None, weight: Any = None) -> None:
        """For all layers of a type, or of each of a list."""
        for kind in layer_type if isinstance(layer_type, list) else [layer_type]:
            self._by_type[kind] = SingleLayerConfig(activation, weight)

    def add_qat_layer_mapping(self, source: type, target: type) -> None:
        """What layers of the type `source` become: ``target(layer, config)``."""
        for kind in (source, target):
            if not (isinstance(kind, type) and issubclass(kind, nn.Layer)):
                raise AssertionError(f"A mapping is from a type of Layer to another, but got {kind!r}.")
        self._mappings[source] = target

    def add_customized_leaf(self, layer_type: type) -> None:
        """Observe layers of this type as a whole, not what is in them."""
        self._leaves.append(layer_type)

    @property
    def customized_leaves(self) -> list[type]:
        """The types that are observed as a whole."""
        return self._leaves

    @property
    def qat_layer_mappings(self) -> dict[type, Any]:
        """What types of layers become."""
        return self._mappings

    @property
    def default_qat_layer_mapping(self) -> dict[type, Any]:
        """What types of layers become if nothing else is said."""
        return _MAPPINGS

    @property
    def global_config(self) -> SingleLayerConfig | None:
        """What holds for all layers."""
        return self._global

    # ---- as `quantize` asks -----------------------------------------------------------------------------------

    def specify(self, model: Any) -> None:
        """Find what holds for each layer of a model."""
        self._model = model
        self._specify(model)

    def _specify(self, layer: Any) -> None:
        for child in layer.children():
            config = self._by_type.get(type(child), self._by_layer.get(layer, self._global))
            config = self._by_name.get(child.full_name(), config)
            if config is not None:
                self._by_layer[child] = config
            self._specify(child)

    def quanted(self, layer: Any) -> Any:
        """What a layer becomes, or None if it stays."""
        config, target = self._by_layer.get(layer), self._mappings.get(type(layer))
        return None if config is None or target is None else target(layer, config)

    def is_quanted(self, layer: Any) -> bool:
        """Whether a layer is what some layer has become."""
        return type(layer) in self._mappings.values()

    def observer(self, layer: Any) -> Any:
        """An observer of a layer's input, or None if it has none or is no leaf."""
        leaf = isinstance(layer, (*_LEAVES, *self._leaves)) or not layer._sub_layers
        config = self._by_layer.get(layer) if leaf else None
        return None if config is None or config.activation is None else config.activation._instance(layer)

    def details(self) -> str:
        """What holds for each layer of the model."""
        return str(self) if self._model is None else self._details(self._model)

    def _details(self, layer: Any) -> str:
        lines = [f"({name}): {self._details(child)}, {self._by_layer[child]}".replace("\n", "\n  ")
                 for name, child in layer.named_children() if child in self._by_layer]
        return f"{type(layer).__name__}(" + "".join(f"\n  {line}" for line in lines) + ("\n" if lines else "") + ")"

    def __str__(self) -> str:
        parts = [f"Global config:\n{self._global}\n"]
        parts += [f"Layer type config:\n{self._by_type}\n"] if self._by_type else []
        parts += [f"Layer prefix config: \n{self._by_name}\n"] if self._by_name else []
        return "".join(parts)
