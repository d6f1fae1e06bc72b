"""Layers that hold layers or parameters."""
from __future__ import annotations

import numbers
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kayax.bridge.journal import touch_contents
from kayax.bridge.parameter import Parameter
from kayax.bridge.state import bump
from kayax.bridge.tensor import Tensor
from kayax.layers.layer import Layer, _adopt
from kayax.spec.errors import ArgumentError, NoEntryError


class Sequential(Layer):
    """Layers that run one after the other.

    layers: Layers, or ``(name, layer)`` pairs, or one ordered dict of them. Indexing by position, name or slice.
    """

    def __init__(self, *layers: Any):
        super().__init__()
        if len(layers) == 1 and isinstance(layers[0], (OrderedDict, dict)):
            for name, layer in layers[0].items():
                self.add_sublayer(name, layer)
        elif layers and all(isinstance(pair, (tuple, list)) for pair in layers):
            for name, layer in layers:
                self.add_sublayer(str(name), layer)
        else:
            for i, layer in enumerate(layers):
                self.add_sublayer(str(i), layer)

    def __getitem__(self, index: int | str | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(*list(self._sub_layers.values())[index])
        if isinstance(index, str):
            return self._sub_layers[index]
        return list(self._sub_layers.values())[_checked(index, len(self))]

    def __setitem__(self, name: Any, layer: Any) -> None:
        self.add_sublayer(str(name), layer)

    def __delitem__(self, name: Any) -> None:
        name = str(name)
        if name not in self._sub_layers:
            raise KeyError(f"Sequential has no layer {name!r}.")
        touch_contents(self._sub_layers)
        del self._sub_layers[name]
        bump()

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._sub_layers.values())

    def append(self, module: Any) -> Sequential:
        """Add a layer at the end."""
        self.add_sublayer(str(len(self)), module)
        return self

    def insert(self, index: int, module: Any) -> Sequential:
        """Put a layer in at a position; the later ones move up."""
        _renumber(self, index, module)
        return self

    def extend(self, sequential: Iterable[Any]) -> Sequential:
        """Add layers at the end."""
        for module in sequential:
            self.append(module)
        return self

    def forward(self, input: Any) -> Any:
        for layer in self._sub_layers.values():
            input = layer(input)
        return input


class LayerList(Layer):
    """A list of Layers."""

    def __init__(self, sublayers: Iterable[Any] | None = None):
        super().__init__()
        self.extend(sublayers or ())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._sub_layers.values())[index])
        return self._sub_layers[str(_checked(index, len(self)))]

    def __setitem__(self, index: int, layer: Any) -> None:
        self.add_sublayer(str(_checked(index, len(self))), layer)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self._sub_layers.values())
        del kept[index]
        self._refill(kept)

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._sub_layers.values())

    def _refill(self, layers: list[Any]) -> None:
        touch_contents(self._sub_layers)
        self._sub_layers.clear()
        bump()
        for i, layer in enumerate(layers):
            self.add_sublayer(str(i), layer)

    def append(self, sublayer: Any) -> LayerList:
        """Add a layer at the end."""
        self.add_sublayer(str(len(self)), sublayer)
        return self

    def insert(self, index: int, sublayer: Any) -> None:
        """Put a layer in at a position; the later ones move up."""
        _renumber(self, index, sublayer)

    def pop(self, key: int | slice) -> Any:
        """Take a layer, or a list of them, out."""
        taken = self[key]
        del self[key]
        return taken

    def extend(self, sublayers: Iterable[Any]) -> LayerList:
        """Add layers at the end."""
        for layer in sublayers:
            self.append(layer)
        return self

    def __add__(self, other: Iterable[Any]) -> LayerList:
        return type(self)([*self, *other])

    def __iadd__(self, other: Iterable[Any]) -> LayerList:
        return self.extend(other)


class LayerDict(Layer):
    """A dictionary of Layers."""

    def __init__(self, sublayers: Any = None):
        super().__init__()
        if sublayers is not None:
            self.update(sublayers)

    def __getitem__(self, key: str) -> Layer:
        return self._sub_layers[key]

    def __setitem__(self, key: str, sublayer: Any) -> None:
        self.add_sublayer(key, sublayer)

    def __delitem__(self, key: str) -> None:
        touch_contents(self._sub_layers)
        del self._sub_layers[key]
        bump()

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sub_layers)

    def __contains__(self, key: object) -> bool:
        return key in self._sub_layers

    def clear(self) -> None:
        """Remove all layers."""
        touch_contents(self._sub_layers)
        self._sub_layers.clear()
        bump()

    def pop(self, key: str) -> Layer:
        """Remove a layer and give it back."""
        layer = self[key]
        del self[key]
        return layer

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._sub_layers.keys()

    def items(self) -> Iterable[tuple[str, Layer]]:
        """The names with their layers."""
        return self._sub_layers.items()

    def values(self) -> Iterable[Layer]:
        """The layers."""
        return self._sub_layers.values()

    def update(self, sublayers: Any) -> None:
        """Add the layers of a dict, of another LayerDict, or of ``(name, layer)`` pairs."""
        pairs = sublayers.items() if isinstance(sublayers, (Mapping, LayerDict)) else sublayers
        for pair in pairs:
            if len(pair) != 2:
                raise ArgumentError(f"LayerDict takes (name, layer) pairs, but got {pair!r}.")
            self.add_sublayer(*pair)


class ParameterList(Layer):
    """A list of Parameters."""

    def __init__(self, parameters: Iterable[Parameter] | None = None):
        super().__init__()
        for parameter in parameters or ():
            self.append(parameter)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._parameters.values())[index])
        return self._parameters[str(_checked(index, len(self)))]

    def __setitem__(self, index: int, parameter: Parameter) -> None:
        self.add_parameter(str(_checked(index, len(self))), parameter)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._parameters.values())

    def append(self, parameter: Parameter) -> ParameterList:
        """Add a Parameter at the end."""
        self.add_parameter(str(len(self)), parameter)
        return self


class ParameterDict(Layer):
    """A dictionary of Parameters."""

    def __init__(self, parameters: Any = None):
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Tensor:
        return self._parameters[key]

    def __setitem__(self, key: str, parameter: Parameter) -> None:
        self.add_parameter(key, parameter)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parameters.keys()

    def items(self) -> Iterable[tuple[str, Tensor]]:
        """The names with their parameters."""
        return self._parameters.items()

    def values(self) -> Iterable[Tensor]:
        """The parameters."""
        return self._parameters.values()

    def update(self, parameters: Any) -> None:
        """Add the Parameters of a dict, of another ParameterDict, or of ``(name, parameter)`` pairs."""
        pairs = parameters.items() if isinstance(parameters, (Mapping, ParameterDict)) else parameters
        for name, parameter in pairs:
            self.add_parameter(name, parameter)


class Identity(Layer):
    """Gives its input back; any arguments are accepted and ignored."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


def _checked(index: int, length: int) -> int:
    if not isinstance(index, numbers.Integral):
        raise NoEntryError(f"Entries are looked up by their numbers, but got {index!r}.")
    if not -length <= index < length:
        raise NoEntryError(f"The index {index} is out of range for {length} entries.")
    return int(index) % length


def _renumber(layer: Any, index: int, new: Any) -> None:
    layers = list(layer._sub_layers.values())
    if not -len(layers) <= index <= len(layers):
        raise ArgumentError(f"The index {index} is out of range for {len(layers)} entries.")
    layers.insert(index, _adopt(new))
    touch_contents(layer._sub_layers)
    layer._sub_layers.clear()
    for i, sublayer in enumerate(layers):
        layer.add_sublayer(str(i), sublayer)


__all__ = ["Identity", "LayerDict", "LayerList", "ParameterDict", "ParameterList", "Sequential"]
