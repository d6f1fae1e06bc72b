"""How a Model computes: `amp_configs` taken apart for `auto_cast`, `GradScaler` and `decorate`."""
from __future__ import annotations

import contextlib
from typing import Any

from kayax import amp

_LEVELS = ("O0", "O1", "O2")
_CASTING = ("custom_white_list", "custom_black_list", "dtype")
_SCALING = ("init_loss_scaling", "incr_ratio", "decr_ratio", "incr_every_n_steps", "decr_every_n_nan_or_inf",
            "use_dynamic_loss_scaling")


class Precision:
    """The precision that `Model.prepare` was told.

    configs: None (float32), a level "O0", "O1" or "O2", or a dict with "level" (O1 by default), the lists and "dtype"
    of `amp.auto_cast` and the arguments of `amp.GradScaler`.
    """

    def __init__(self, configs: str | dict[str, Any] | None = None):
        given: dict[str, Any] = {"level": configs} if isinstance(configs, str) else dict(configs or {"level": "O0"})
        self.level = given.pop("level", "O1")
        if self.level not in _LEVELS:
            raise ValueError(f"The level of amp_configs must be one of {', '.join(_LEVELS)}, but got {self.level!r}.")
        unknown = sorted(set(given) - {*_CASTING, *_SCALING})
        if unknown:
            raise ValueError(f"amp_configs has unknown keys: {', '.join(unknown)}. Besides 'level' it may have "
                             f"{', '.join((*_CASTING, *_SCALING))}.")
        self.casting = {k: given[k] for k in _CASTING if k in given}
        self.on = self.level != "O0"
        self.scaler = amp.GradScaler(**{k: given[k] for k in _SCALING if k in given}) if self.on else None

    def cast(self) -> Any:
        """A context in which operations run in this precision."""
        return amp.auto_cast(level=self.level, **self.casting) if self.on else contextlib.nullcontext()

    def prepare(self, network: Any, optimizer: Any) -> None:
        """For O2: low-precision parameters, with float32 masters in the optimizer."""
        if self.level == "O2":
            amp.decorate(network, optimizer, level="O2", dtype=self.casting.get("dtype", "float16"))
