"""The base of every learning-rate scheduler, and how a new value reaches the optimizers that use it."""
from __future__ import annotations

import warnings
import weakref
from typing import Any

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.state import tracing
from kayax.bridge.tensor import Tensor


class LRScheduler:
    """A learning rate that changes when `step()` is called.

    A subclass gives `get_lr()`, computed from `self.base_lr` and `self.last_epoch`.

    learning_rate: the rate it starts from, not negative. last_epoch: where to go on from (-1 to start afresh).
    verbose: print every new rate.
    """

    keys: list[str]

    def __init__(self, learning_rate: float = 0.1, last_epoch: int = -1, verbose: bool = False):
        if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float)):
            raise TypeError(f"learning_rate must be a float, but got {type(learning_rate).__name__}.")
        if learning_rate < 0:
            raise ValueError(f"learning_rate must not be negative, but got {learning_rate}.")
        self._start(learning_rate, last_epoch, verbose)
        self.step()

    def _start(self, learning_rate: float, last_epoch: int, verbose: bool) -> None:
        self._listeners: weakref.WeakSet[Any] = weakref.WeakSet()
        self.base_lr = float(learning_rate)
        self.last_lr = float(learning_rate)
        self.last_epoch = last_epoch
        self.verbose = verbose

    @property
    def last_lr(self) -> float:
        """The learning rate now. Writing it sets the rate of every optimizer that uses this scheduler."""
        return self._last_lr

    @last_lr.setter
    def last_lr(self, value: float) -> None:
        self._last_lr = value
        for optimizer in self._listeners:
            optimizer._receive_lr(value)

    def __call__(self) -> float:
        """The learning rate now."""
        return self.last_lr

    def step(self, epoch: int | None = None) -> None:
        """Move on by one epoch, or to `epoch`, and set the new learning rate.

        It must be called outside of a converted function, where it would run only once.
        """
        self._forbid_tracing()
        if epoch is None:
            self.last_epoch += 1
            self.last_lr = self.get_lr()
        else:
            self.last_epoch = epoch
            closed_form = getattr(self, "_get_closed_form_lr", None)
            self.last_lr = closed_form() if closed_form else self.get_lr()
        self._tell()

    def get_lr(self) -> float:
        """The learning rate of epoch `last_epoch`: to be written by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr(), which returns the learning rate.")

    def _tell(self) -> None:
        if self.verbose:
            print(f"Epoch {self.last_epoch}: {type(self).__name__} set learning rate to {self.last_lr}.")

    def _forbid_tracing(self) -> None:
        if tracing():
            raise ConversionError(
                f"{type(self).__name__}.step() was called inside a function that is being converted. It would run "
                f"once, and never again when the program runs.{at_user_line()}\n"
                "Call scheduler.step() outside of the converted function, after each call of it.")

    # ---- state -----------------------------------------------------------------------------------------------

    def state_keys(self) -> None:
        """Set `self.keys`, the names of the attributes that `state_dict` saves. A subclass may name others."""
        self.keys = ["last_epoch", "last_lr"]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on from here."""
        self.state_keys()
        state = {}
        for key in self.keys:
            if hasattr(self, key):
                value = getattr(self, key)
                state[key] = float(value) if isinstance(value, Tensor) else value
        return state

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state. A missing entry is a RuntimeError, an unknown one a warning."""
        self.state_keys()
        for key in self.keys:
            if key not in state_dict:
                raise RuntimeError(f"The state of {type(self).__name__} needs {key!r}, but it holds {list(state_dict)}."
                                   " It may have been saved from another kind of scheduler.")
        for key in self.keys:
            setattr(self, key, state_dict[key])
        unused = [key for key in state_dict if key not in self.keys]
        if unused:
            warnings.warn(f"The state of {type(self).__name__} holds entries that it does not use: {unused}. It may "
                          "have been saved from another kind of scheduler.", stacklevel=2)

    set_dict = set_state_dict

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_listeners"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._listeners = weakref.WeakSet()


# ---- checks that several schedulers share ---------------------------------------------------------------------

def require(condition: bool, message: str, error: type[Exception] = ValueError) -> None:
    """Raise `error` with `message` unless the condition holds."""
    if not condition:
        raise error(message)


def require_type(value: Any, kinds: Any, name: str) -> None:
    """Raise a TypeError unless `value` has one of the types."""
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = " or ".join(k.__name__ for k in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise TypeError(f"{name} must be of type {wanted}, but got {type(value).__name__}.")


def require_callable(value: Any, name: str) -> None:
    """Raise a TypeError unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function of the epoch, but got {type(value).__name__}.")
