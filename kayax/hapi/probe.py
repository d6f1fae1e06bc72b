"""Running a network once to look at its layers: abstractly, without computing, where it can be converted."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax import Tensor, no_grad
from kayax.bridge.errors import ConversionError
from kayax.bridge.functionalize import Functionalized
from kayax.spec import tree


def run_once(network: Any, args: Any, hooks: list[tuple[Any, Callable]], reset: Callable[[], None]) -> None:
    """Call ``network(*args)`` in evaluation mode with a post hook on each of these layers; `reset` before each try.

    Nothing is computed and no state changes, unless the network cannot be converted: then it runs eagerly.
    """
    leaves, spec = tree.flatten(args, lambda v: isinstance(v, Tensor))
    modes = [(layer, layer.training) for layer in network.sublayers(include_self=True)]
    handles = [layer.register_forward_post_hook(hook) for layer, hook in hooks]
    network.eval()
    try:
        with no_grad():
            reset()
            try:
                Functionalized(lambda tensors: _nothing(network(*tree.unflatten(spec, tensors))), leaves)
            except ConversionError:
                reset()
                network(*args)
    finally:
        for handle in handles:
            handle.remove()
        for layer, mode in modes:
            layer.training = mode


def _nothing(_: Any) -> None:
    """The outputs are of no interest."""
