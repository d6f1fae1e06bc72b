"""Data parallelism over one process, and starting processes: one."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kayax import nn
from kayax.distributed.environment import Group, require_one


class DataParallel(nn.Layer):
    """A network whose gradients are averaged over all processes: with one process, the network itself.

    The arguments but `layers` have no effect.
    """

    def __init__(self, layers: nn.Layer, strategy: Any = None, comm_buffer_size: int = 25,
                 last_comm_buffer_size: float = 1, find_unused_parameters: bool = False, group: Group | None = None):
        require_one("DataParallel")
        super().__init__(layers.full_name() + "_data_parallel")
        self._layers = layers

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the network computes."""
        return self._layers(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Inside, gradients are not averaged: with one process they never are."""
        yield

    def scale_loss(self, loss: Any) -> Any:
        """The loss as it is."""
        return loss

    def apply_collective_grads(self) -> None:
        """Average the gradients: nothing to do."""

    def init_reducer(self) -> None:
        """Prepare averaging: nothing to do."""

    def state_dict(self, destination: dict | None = None, include_sublayers: bool = True,
                   structured_name_prefix: str = "", use_hook: bool = True, keep_vars: bool = True) -> dict[str, Any]:
        """The network's state, under its own names."""
        return self._layers.state_dict(destination, include_sublayers, structured_name_prefix, use_hook, keep_vars)

    def set_state_dict(self, state_dict: dict, use_structured_name: bool = True) -> tuple[list[str], list[str]]:
        """Copy values into the network."""
        return self._layers.set_state_dict(state_dict, use_structured_name)

    set_dict = load_dict = set_state_dict


class _Finished:
    """What `spawn` gives: its processes have ended."""

    processes: tuple = ()

    def join(self, timeout: float | None = None) -> bool:
        """Always at once."""
        return True


def spawn(func: Callable, args: tuple = (), nprocs: int = -1, join: bool = True, daemon: bool = False,
          **options: Any) -> _Finished:
    """Run ``func(*args)`` in `nprocs` processes: here in this one, which drives all devices.

    nprocs: 1, or -1 for as many as are needed, which is one.
    """
    if nprocs not in (-1, 1):
        raise RuntimeError(f"spawn was asked for {nprocs} processes, and here one drives all devices of a machine. "
                           "Call it with nprocs=1 or -1, and shard arrays over devices with jax.sharding.")
    func(*args)
    return _Finished()


def launch() -> None:
    """Paddle's launcher starts one process for each device; here a script is started once."""
    raise NotImplementedError("There is no launcher: start the script itself, once. One process drives all devices.")


__all__ = ["DataParallel", "launch", "spawn"]
