"""Under which name each tensor of a model goes into its files."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

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

    def is_shared(self, name: str, stored: Iterable[str]) -> bool:
        """Whether the reader finds this tensor as another that is stored: by the unique name, which both have."""
        mine = self.tensors[name]
        twin = next((self.tensors[n] for n in stored if self.tensors[n].name == mine.name), None)
        return twin is not None and twin.storage is mine.storage
