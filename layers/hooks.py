"""Hooks around a layer's forward."""
from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kayax.bridge.journal import fresh, touch_contents
from kayax.bridge.staging import run_users
from kayax.bridge.state import bump

_ids = itertools.count()


class HookHandle:
    """What registering a hook gives back; `remove()` takes the hook off again."""

    def __init__(self, table: OrderedDict, hook: Any):
        self._table, self.id = table, next(_ids)
        touch_contents(table)
        table[self.id] = hook
        bump()

    def remove(self) -> None:
        """Take the hook off again."""
        touch_contents(self._table)
        self._table.pop(self.id, None)
        bump()


class Hooks:
    """The forward hooks of one layer, and how forward runs with them."""

    def __init__(self) -> None:
        self.before: OrderedDict[int, tuple] = fresh(OrderedDict())
        self.after: OrderedDict[int, tuple] = fresh(OrderedDict())

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
            for hook, with_kwargs, _ in list(self.before.values()):
                inputs, kwargs = _replaced(hook, with_kwargs, layer, inputs, kwargs)
            outputs = forward(*inputs, **kwargs)
        except Exception:
            for hook, with_kwargs, always in list(self.after.values()):
                if always:
                    run_users(hook, layer, inputs, *([kwargs] if with_kwargs else []), None)
            raise
        for hook, with_kwargs, _ in list(self.after.values()):
            new = run_users(hook, layer, inputs, *([kwargs] if with_kwargs else []), outputs)
            if new is not None:
                outputs = new
        return outputs


def _replaced(hook: Callable, with_kwargs: bool, layer: Any, inputs: tuple, kwargs: dict) -> tuple[tuple, dict]:
    if with_kwargs:
        new = run_users(hook, layer, inputs, kwargs)
        if new is None:
            return inputs, kwargs
        if not (isinstance(new, tuple) and len(new) == 2):
            raise RuntimeError("A forward pre-hook with keyword arguments must return None or (inputs, kwargs), but "
                               f"got {new!r}.")
        return new
    new = run_users(hook, layer, inputs)
    if new is None:
        return inputs, kwargs
    return (new if isinstance(new, tuple) else (new,)), kwargs
