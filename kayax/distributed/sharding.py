"""``paddle.distributed.sharding``: optimizer states divided over processes; one process holds them all."""
from __future__ import annotations

import os
from typing import Any

from kayax import save
from kayax.distributed.environment import require_one


def group_sharded_parallel(model: Any, optimizer: Any, level: str, scaler: Any = None, group: Any = None,
                           offload: bool = False, sync_buffers: bool = False, buffer_max_size: int = 2**23,
                           segment_size: int = 2**20, sync_comm: bool = False, dp_group: Any = None,
                           exclude_layer: Any = None) -> tuple[Any, Any, Any]:
    """The model, optimizer and scaler as they are: with one process there is nothing to divide.

    level: "os", "os_g" or "p_g_os" (optimizer states, gradients, parameters).
    """
    require_one("sharding.group_sharded_parallel")
    if level not in ("os", "os_g", "p_g_os"):
        raise ValueError(f"level must be 'os', 'os_g' or 'p_g_os', but got {level!r}.")
    return model, optimizer, scaler


def save_group_sharded_model(model: Any, output: str, optimizer: Any = None) -> None:
    """Write ``output/model.pdmodel`` and, if it has a state, ``output/model.pdopt``, both as `paddle.save` does."""
    if os.path.isfile(output):
        raise AssertionError(f"output must be a folder, but {output} is a file.")
    os.makedirs(output, exist_ok=True)
    save(model.state_dict(), os.path.join(output, "model.pdmodel"))
    if optimizer is not None and optimizer.state_dict():
        save(optimizer.state_dict(), os.path.join(output, "model.pdopt"))


__all__ = ["group_sharded_parallel", "save_group_sharded_model"]
