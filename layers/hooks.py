"""Hooks around a layer's forward."""
from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kayax.bridge.state import bump, state
from kayax.bridge.to_static.convert import converted

_ids = itertools.count()


class HookHandle:
    """What registering a hook gives back; `remove()` takes the hook off again."""

    def __init__(self, table: OrderedDict, hook: Any):
        self._table, self.id = table, next(_ids)
        table[self.id] = hook
        bump()

    def remove(self) -> None:
        """Take the hook off again."""
        self._table.pop(self.id, None)
        bump()


class Hooks:
    """The forward hooks of one layer, and how forward runs with them."""

    def __init__(self) -> None:
        self.before: OrderedDict[int, tuple] = OrderedDict()
        self.after: OrderedDict[int, tuple] = OrderedDict()

    def ids(self) -> tuple[int, ...]:
        """Which hooks there are."""
        return (*self.before, *self.after)

    def add(self, when: str, hook: Callable, prepend: bool, with_kwargs: bool, always: bool = False) -> HookHandle:
        if not callable(hook):
            raise TypeError(f"A hook must be callable, but got {type(hook).__name__}.")
        table = getattr(self, when)
        handle = HookHandle(table, (hook, with_kwargs, always))
        if prepend:
            table.move_to_end(handle.id, last=False)
        return handle

    def run(self, layer: Any, forward: Callable, inputs: tuple, kwargs: dict[str, Any]) -> Any:
        """Forward with what the hooks make of its inputs and outputs."""
        try:
            for hook, with_kwargs, _ in _ready(self.before):
                inputs, kwargs = _replaced(hook, with_kwargs, layer, inputs, kwargs)
            outputs = forward(*inputs, **kwargs)
        except Exception:
            for hook, with_kwargs, always in _ready(self.after):
                if always:
                    hook(layer, inputs, kwargs, None) if with_kwargs else hook(layer, inputs, None)
            raise
        for hook, with_kwargs, _ in _ready(self.after):
            new = hook(layer, inputs, kwargs, outputs) if with_kwargs else hook(layer, inputs, outputs)
            if new is not None:
                outputs = new
        return outputs


def _ready(table: OrderedDict) -> list[tuple]:
    """The hooks as they run now: rewritten, while a function is being converted."""
    if state.trace is None:
        return list(table.values())
    return [(converted(hook), *rest) for hook, *rest in table.values()]


def _replaced(hook: Callable, with_kwargs: bool, layer: Any, inputs: tuple, kwargs: dict) -> tuple[tuple, dict]:
    if with_kwargs:
        new = hook(layer, inputs, kwargs)
        if new is None:
            return inputs, kwargs
        if not (isinstance(new, tuple) and len(new) == 2):
            raise RuntimeError("A forward pre-hook with keyword arguments must return None or (inputs, kwargs), but "
                               f"got {new!r}.")
        return new
    new = hook(layer, inputs)
    if new is None:
        return inputs, kwargs
    return (new if isinstance(new, tuple) else (new,)), kwargs
