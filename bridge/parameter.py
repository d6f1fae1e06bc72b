"""The Parameter: a Tensor that is trained."""
from __future__ import annotations

from typing import Any

from kayax.bridge.cells import Storage
from kayax.bridge.tensor import Tensor, counter, fill
from kayax.bridge.told import Setting


class Parameter(Tensor):
    """A Tensor that is trained: `stop_gradient` is False, and it keeps its value for life (it is persistable).

    `optimize_attr["learning_rate"]` scales the learning rate, `regularizer` replaces the optimizer's weight decay, and
    `need_clip=False` leaves its gradient out of gradient clipping.
    """

    __slots__ = ()
    optimize_attr, regularizer, need_clip = Setting(), Setting(), Setting()
    is_parameter = True
    is_distributed = False          # each process holds all of it

    def __init__(self, data: Any = None, requires_grad: bool = True, *, dtype: Any = None, name: str | None = None,
                 trainable: bool = True, **attributes: Any):
        from kayax.bridge.convert import to_array
        fill(self, Storage(to_array([] if data is None else data, dtype)), not (trainable and requires_grad))
        self._name = name
        self.persistable = True
        self.optimize_attr = attributes.pop("optimize_attr", {"learning_rate": 1.0})
        self.regularizer = attributes.pop("regularizer", None)
        self.need_clip = attributes.pop("need_clip", True)
        self.__dict__.update(attributes)

    def initialize(self) -> None:
        """Give a Parameter that was made under `LazyGuard` its value now; any other one has it."""
        self.storage.array      # noqa: B018  (reading it makes it)

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = f"eager_param_{next(counter)}"
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def trainable(self) -> bool:
        """Whether the optimizer moves it: the opposite of `stop_gradient`."""
        return not self._stop_gradient

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.stop_gradient = not value

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    __str__ = __repr__
