"""Weight decay as a part of the gradient: ``coeff * parameter`` (L2) or ``coeff * sign(parameter)`` (L1)."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.told import Settings


class WeightDecayRegularizer(Settings):
    """What a parameter's size adds to its gradient. coeff: its strength."""

    def __init__(self, coeff: float = 0.0):
        if isinstance(coeff, bool) or not isinstance(coeff, (int, float)):
            raise TypeError(f"{type(self).__name__} takes a coefficient of type float, but got {type(coeff).__name__}.")
        self.coeff = self._coeff = float(coeff)

    def gradient(self, parameter: Any) -> Any:
        """The gradient of the penalty at this array."""
        raise NotImplementedError(f"{type(self).__name__} must define gradient(parameter).")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), self.coeff))

    def __repr__(self) -> str:
        return f"{type(self).__name__}, coeff={self.coeff:f}"


class L1Decay(WeightDecayRegularizer):
    """The penalty ``coeff * sum(abs(parameter))``, which drives parameters to zero."""

    def gradient(self, parameter: Any) -> Any:
        return self.coeff * jnp.sign(parameter)


class L2Decay(WeightDecayRegularizer):
    """The penalty ``coeff / 2 * sum(parameter ** 2)``, which keeps parameters small."""

    def gradient(self, parameter: Any) -> Any:
        return self.coeff * parameter
