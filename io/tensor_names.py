"""Under which name each tensor of a model goes into its files."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from kayax.bridge.cells import Storage
from kayax.bridge.parameter import Parameter
from kayax.bridge.tensor import Tensor, view
from kayax.layers.layer import Layer


class Names:
    """The name in the file of every cell that a saved function uses."""

    def __init__(self, layer: Layer | None):
        everything = layer.to_static_state_dict() if layer is not None else {}
        self.persistable = dict(layer.state_dict()) if layer is not None else {}
        self.tensors: dict[str, Tensor] = dict(everything)
        self.buffers = {n for n, t in everything.items() if not isinstance(t, Parameter)}
        self._stored: dict[str, str] = {}           # unique name -> the first tensor with it that a file holds
        self._written: set[str] = set()
        self._by_storage: dict[Storage, str] = {}
        for name, tensor in everything.items():
            self._by_storage.setdefault(tensor.storage, name)

    def of(self, storage: Storage, captured: Sequence[Tensor]) -> str:
        """The structured name; a tensor that belongs to no layer (a closure's, a global) gets a name here."""
        name = self._by_storage.get(storage)
        if name is None:
            owner = next((t for t in captured if t.storage is storage), None)
            tensor = owner if owner is not None else view(storage)
            name = f"captured_{sum(n.startswith('captured_') for n in self.tensors)}"
            self.tensors[name] = tensor
            self._by_storage[storage] = name
            if not isinstance(tensor, Parameter):
                self.buffers.add(name)
        return name

    def unstored(self, tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Those that no file holds yet. A reader finds tied tensors, which share a unique name, by one of them."""
        for name, tensor in tensors.items():
            first = self._stored.setdefault(tensor.name, name)
            tied = first != name and self.tensors[first].storage is tensor.storage
            if not tied and name not in self._written:
                self._written.add(name)
                yield name, tensor
