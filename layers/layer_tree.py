"""Looking through a tree of layers: sublayers, parameters and buffers with their dotted names; what is done to all."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kayax.bridge.parameter import Parameter
from kayax.bridge.tensor import Tensor
from kayax.layers import layer_state

if TYPE_CHECKING:
    from kayax.layers.layer import Layer


class LayerTree:
    """What every Layer can say of those below it."""

    _sub_layers: OrderedDict[str, Any]

    def named_sublayers(self: Any, prefix: str = "", include_self: bool = False, layers_set: set | None = None,
                        remove_duplicate: bool = True) -> Iterator[tuple[str, Layer]]:
        """All layers below this one, depth first, with their dotted names; each once if `remove_duplicate`."""
        seen = layers_set if layers_set is not None else set()
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        if include_self:
            yield prefix, self
        for name, layer in self._sub_layers.items():
            if layer is not None:
                yield from layer.named_sublayers(f"{prefix}.{name}" if prefix else name, True, seen, remove_duplicate)

    def sublayers(self, include_self: bool = False) -> list[Layer]:
        """All layers below this one."""
        return [layer for _, layer in self.named_sublayers(include_self=include_self)]

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        """The direct sublayers with their names."""
        seen: set[Layer] = set()
        for name, layer in self._sub_layers.items():
            if layer is not None and layer not in seen:
                seen.add(layer)
                yield name, layer

    def children(self) -> Iterator[Layer]:
        """The direct sublayers."""
        return (layer for _, layer in self.named_children())

    def named_modules(self, memo: set | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Layer]]:
        """This layer and all below it with their names."""
        return self.named_sublayers(prefix, True, memo, remove_duplicate)

    def modules(self) -> Iterator[Layer]:
        """This layer and all below it."""
        return (layer for _, layer in self.named_modules())

    def _named(self: Any, store: str, prefix: str, include_sublayers: bool, unique: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        layers = self.named_sublayers(prefix, True, remove_duplicate=unique) if include_sublayers else [(prefix, self)]
        for path, layer in layers:
            for name, tensor in layer.__dict__[store].items():
                if tensor is not None and not (unique and id(tensor) in seen):
                    seen.add(id(tensor))
                    yield f"{path}.{name}" if path else name, tensor

    def named_parameters(self, prefix: str = "", include_sublayers: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names."""
        return self._named("_parameters", prefix, include_sublayers, remove_duplicate)

    def parameters(self, include_sublayers: bool = True) -> list[Parameter]:
        """The parameters, in the order in which they were made."""
        return [p for _, p in self.named_parameters(include_sublayers=include_sublayers)]

    def named_buffers(self, prefix: str = "", include_sublayers: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""
        return self._named("_buffers", prefix, include_sublayers, remove_duplicate)

    def buffers(self, include_sublayers: bool = True) -> list[Tensor]:
        """The buffers."""
        return [b for _, b in self.named_buffers(include_sublayers=include_sublayers)]

    def get_sublayer(self, target: str) -> Layer:
        """The layer at a dotted path."""
        return layer_state.at_path(self, target, LayerTree)

    get_submodule = get_sublayer

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        return layer_state.at_path(self, target, Tensor)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        return layer_state.at_path(self, target, Tensor)

    def set_sublayer(self, target: str, layer: Layer, strict: bool = False) -> None:
        """Put a layer at a dotted path; with `strict` one must be there already."""
        path, _, name = target.rpartition(".")
        parent: Any = self.get_sublayer(path) if path else self
        if strict and name not in parent._sub_layers:
            raise AttributeError(f"There is no sublayer {target!r} to replace.")
        parent.add_sublayer(name, layer)

    set_submodule = set_sublayer

    def apply(self: Any, fn: Callable[[Layer], Any]) -> Layer:
        """Call ``fn(layer)`` on every layer below this one, then on this one."""
        for layer in self.children():
            layer.apply(fn)
        fn(self)
        return self

    def requires_grad_(self: Any, requires_grad: bool = True) -> Layer:
        """Freeze or unfreeze all parameters."""
        for parameter in self.parameters():
            parameter.stop_gradient = not requires_grad
        return self

    def clear_gradients(self, set_to_zero: bool = True) -> None:
        """Clear the gradients of all trainable parameters."""
        for parameter in self.parameters():
            if not parameter.stop_gradient:
                parameter.clear_gradient(set_to_zero)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters, to None unless told otherwise."""
        self.clear_gradients(not set_to_none)
