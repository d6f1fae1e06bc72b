"""All state that a function can reach, taken down so that it can be put back, and compared with another such record."""
from __future__ import annotations

import collections
import functools
import random
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from kayax.bridge import rng
from kayax.bridge.cells import Storage, raw_array, raw_version, root_of
from kayax.bridge.errors import is_foreign
from kayax.bridge.state import bump
from kayax.bridge.surroundings import _global_names
from kayax.bridge.tape import Node
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.spec import unique_name

PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, type(Ellipsis), type(NotImplemented))
_OURS_WITHIN = ("kayax.bridge.", "kayax.spec.")         # what these rooms make is machinery, but for what follows
_STATEFUL = {rng.Generator}


class Kind(NamedTuple):
    """How one kind of mutable thing is taken down, which values it then holds, and how it is put back."""

    save: Callable[[Any], Any]
    parts: Callable[[Any], Iterable[tuple[str, Any]]]
    restore: Callable[[Any, Any], None]


class Place(NamedTuple):
    """One thing that a function reaches: where, and what it held."""

    value: Any
    path: str
    kind: str
    content: Any


class World:
    """What everything that the roots (pairs of path and value) reach holds now."""

    def __init__(self, roots: Iterable[tuple[str, Any]]):
        self.places: dict[int, Place] = {}
        stack = list(roots)[::-1]
        while stack:
            path, value = stack.pop()
            kind = kind_of(value)
            if kind is None or id(value) in self.places:
                continue
            how = KINDS[kind]
            content = how.save(value)
            self.places[id(value)] = Place(value, path, kind, content)
            stack += [(path + suffix, part) for suffix, part in reversed(list(how.parts(content)))]
        self.random = _random_state()
        self.names = dict(unique_name._generator.counts)

    def restore(self) -> None:
        """Put everything back to what it held."""
        for place in self.places.values():
            KINDS[place.kind].restore(place.value, place.content)
        random.setstate(self.random["Python's"])
        np.random.set_state(self.random["NumPy's"])
        unique_name._generator.counts.clear()
        unique_name._generator.counts.update(self.names)
        bump()

    def content(self, value: Any) -> Any:
        """What a mutable value held."""
        return self.places[id(value)].content

    def tensors(self) -> list[tuple[str, Tensor]]:
        return [(p.path, p.value) for p in self.places.values() if p.kind == "tensor"]

    def other_draws(self, other: World) -> list[str]:
        """Whose random states (but ours, a cell) differ from those of another World."""
        return [whose for whose, words in self.random.items()
                if any(np.any(a != b) for a, b in zip(words, other.random[whose], strict=True))]


def _random_state() -> dict[str, Any]:
    return {"Python's": random.getstate(), "NumPy's": np.random.get_state()}


# ---- kinds -----------------------------------------------------------------------------------------------------


def kind_of(value: Any) -> str | None:
    """Which kind of mutable thing a value is; None for what is plain, or closed to us."""
    kind: Any = type(value)
    if kind in _exact:
        return _exact[kind]
    if isinstance(value, (*PLAIN, jax.Array, types.ModuleType)):
        return None
    for base, name in _by_base:
        if isinstance(value, base):
            return name
    if isinstance(value, types.FunctionType):
        return None if is_foreign(value.__code__.co_filename) else "function"
    if isinstance(value, type):
        cls: Any = value
        return None if cls.__module__.startswith("kayax.") or _closed(cls) else "class"
    return "object" if hasattr(value, "__dict__") and not _closed(kind) else None


@functools.lru_cache(maxsize=4096)
def _closed(kind: Any) -> bool:
    """Whether what instances of a class hold is none of the user's state."""
    if kind in _STATEFUL:
        return False
    module = kind.__module__
    if module.startswith("kayax."):
        return module.startswith(_OURS_WITHIN)
    if module == "builtins" or issubclass(kind, type):
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return kind is not types.SimpleNamespace and is_foreign(file)


def _save_tensor(t: Tensor) -> dict[str, Any]:
    hooks = dict(t._hooks) if t._hooks is not None else None
    return {"storage": t.storage, "_stop_gradient": t._stop_gradient, "node": t.node, "index": t.index,
            "_grad": t._grad, "_hooks": hooks, "persistable": t.persistable, "extra": dict(t.__dict__)}


def _restore_tensor(t: Tensor, content: dict[str, Any]) -> None:
    for name in ("storage", "_stop_gradient", "node", "index", "_grad", "persistable"):
        setattr(t, name, content[name])
    hooks = content["_hooks"]
    if hooks is None or t._hooks is None:
        t._hooks = hooks
    else:
        _refill(t._hooks, hooks)
    _refill(t.__dict__, content["extra"])


def _tensor_parts(content: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    yield "", content["storage"]
    yield "", content["node"]
    if isinstance(content["_grad"], Tensor):
        yield ".grad", content["_grad"]
    for name, value in content["extra"].items():
        yield f".{name}", value


def _storage_parts(content: tuple) -> Iterable[tuple[str, Any]]:
    yield "", content[-1]


def _restore_storage(s: Storage, content: tuple) -> None:
    array, version, s.trace, s.__class__, _ = content
    raw_array.__set__(s, array)
    raw_version.__set__(s, -1 if s.is_view else version)        # a view looks at its root again


def _save_node(n: Node) -> tuple:
    return n.arrays, n.pullback, n.storages, n.freed, n.edges


def _restore_node(n: Node, content: tuple) -> None:
    n.arrays, n.pullback, n.storages, n.freed, n.edges = content


def _node_parts(content: tuple) -> Iterable[tuple[str, Any]]:
    """What is further back: its storages are restored with their tensors, its leaves are seen by gradients."""
    for edge in content[-1]:
        if edge is not None:
            yield " (a tensor it was computed from)", edge[0] if isinstance(edge, tuple) else edge


def _refill(table: Any, content: dict) -> None:
    table.clear()
    table.update(content)


def _restore_dict(table: dict, content: dict) -> None:
    kind = collections.OrderedDict if isinstance(table, collections.OrderedDict) else dict
    kind.clear(table)
    for key, value in content.items():
        kind.__setitem__(table, key, value)


def _fill_deque(d: collections.deque, content: Any) -> None:
    d.clear()
    d.extend(content)


def _fill_set(s: set, content: Any) -> None:
    s.clear()
    s.update(content)


def _write_array(a: np.ndarray, content: np.ndarray) -> None:
    if a.flags.writeable:
        a[...] = content


def _items(content: Iterable) -> Iterable[tuple[str, Any]]:
    return [(f"[{i}]", v) for i, v in enumerate(content)]


def _keyed(content: dict) -> Iterable[tuple[str, Any]]:
    return [(f"[{k!r}]", v) for k, v in content.items()]


def _attributes(content: dict) -> Iterable[tuple[str, Any]]:
    for name, value in content.items():
        if name in ("_parameters", "_buffers", "_sub_layers") and isinstance(value, dict):
            for key, part in value.items():     # a layer's parts read as its attributes
                yield f".{key}", part
            yield "", value
        else:
            yield f".{name}", value


_UNBOUND = object()


def _cell_value(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _UNBOUND


def _save_function(f: types.FunctionType) -> dict[str, dict]:
    table = f.__globals__
    names = {n: table.get(n, _UNBOUND) for n in _global_names(f.__code__) if n in table or n not in _builtins}
    cells = dict(zip(f.__code__.co_freevars, map(_cell_value, f.__closure__ or ()), strict=True))
    defaults = {"defaults": f.__defaults__, "keywords": f.__kwdefaults__}
    return {"globals": names, "cells": cells, "defaults": defaults, "extra": dict(f.__dict__)}


_builtins = frozenset(dir(__import__("builtins")))


def _function_parts(content: dict[str, dict]) -> Iterable[tuple[str, Any]]:
    for name, value in content["cells"].items():
        yield f": the variable `{name}`", value
    for name, value in content["globals"].items():
        yield f": the global `{name}`", value
    for name, value in (content["defaults"] | content["extra"]).items():
        yield f".{name}", value


def _restore_function(f: types.FunctionType, content: dict[str, dict]) -> None:
    for name, value in content["globals"].items():
        if value is not _UNBOUND:
            f.__globals__[name] = value
        else:
            f.__globals__.pop(name, None)
    for cell, value in zip(f.__closure__ or (), content["cells"].values(), strict=True):
        if value is not _UNBOUND:
            cell.cell_contents = value
        elif _cell_value(cell) is not _UNBOUND:
            del cell.cell_contents
    _refill(f.__dict__, content["extra"])


_SKIPPED_IN_CLASS = ("__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__annotations__")


def _save_class(c: type) -> dict[str, Any]:
    return {n: v for n, v in vars(c).items() if n not in _SKIPPED_IN_CLASS
            and not isinstance(v, (types.GetSetDescriptorType, types.MemberDescriptorType))}


def _class_parts(content: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, property):
            yield from ((f".{name}", f) for f in (value.fget, value.fset) if f is not None)
        else:
            yield f".{name}", value


def _restore_class(c: type, content: dict[str, Any]) -> None:
    now = _save_class(c)
    for name in now.keys() - content.keys():
        type.__delattr__(c, name)
    for name, value in content.items():
        if now.get(name, _UNBOUND) is not value:
            type.__setattr__(c, name, value)


def _slots_of(kind: type) -> list[str]:
    found: list[str] = []
    for c in kind.__mro__:
        slots = c.__dict__.get("__slots__", ())
        found += [s for s in ((slots,) if isinstance(slots, str) else slots) if s not in ("__dict__", "__weakref__")]
    return found


def _save_object(o: Any) -> dict[str, Any]:
    slots = {n: getattr(o, n) for n in _slots_of(type(o)) if hasattr(o, n)}
    return {**slots, **getattr(o, "__dict__", {}), " class": type(o)}


def _restore_object(o: Any, content: dict[str, Any]) -> None:
    slots = [n for n in _slots_of(type(o)) if n in content]
    for name in slots:
        object.__setattr__(o, name, content[name])
    fields = {n: v for n, v in content.items() if n not in slots and n != " class"}
    vars(o).clear()
    vars(o).update(fields)


def _object_parts(content: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    yield "'s class", content[" class"]
    yield from _attributes({n: v for n, v in content.items() if n != " class"})


def _save_static(s: StaticFunction) -> tuple:
    return {k: list(v) for k, v in s.programs.items()}, s._function, s.__self__


def _restore_static(s: StaticFunction, content: tuple) -> None:
    s.programs.clear()
    s.programs.update({k: list(v) for k, v in content[0].items()})


def _nothing(value: Any, content: Any) -> None:
    return None


KINDS: dict[str, Kind] = {
    "tensor": Kind(_save_tensor, _tensor_parts, _restore_tensor),
    "storage": Kind(lambda s: (s._array, s.version, s.trace, type(s), root_of(s)), _storage_parts, _restore_storage),
    "node": Kind(_save_node, _node_parts, _restore_node),
    "array": Kind(np.array, lambda content: (), _write_array),
    "list": Kind(list, _items, lambda value, content: value.__setitem__(slice(None), content)),
    "tuple": Kind(tuple, _items, _nothing),
    "dict": Kind(dict, _keyed, _restore_dict),
    "set": Kind(lambda s: list(s), _items, _fill_set),
    "frozenset": Kind(lambda s: list(s), _items, _nothing),
    "deque": Kind(list, _items, _fill_deque),
    "function": Kind(_save_function, _function_parts, _restore_function),
    "method": Kind(lambda m: (m.__self__, m.__func__), lambda c: (("", c[0]), ("", c[1])), _nothing),
    "partial": Kind(lambda p: (p.func, p.args, p.keywords), lambda c: (("", v) for v in c), _nothing),
    "static function": Kind(_save_static, lambda c: (("", c[1]), ("", c[2])), _restore_static),
    "wrapper": Kind(lambda m: m.__func__, lambda f: (("", f),), _nothing),
    "class": Kind(_save_class, _class_parts, _restore_class),
    "object": Kind(_save_object, _object_parts, _restore_object),
}
_exact: dict[type, str | None] = {
    Tensor: "tensor", Storage: "storage", Node: "node", list: "list", tuple: "tuple", dict: "dict",
    **dict.fromkeys((bool, int, float, complex, str, bytes, type(None)))}
_by_base: list[tuple[Any, str]] = [
    (Tensor, "tensor"), (Storage, "storage"), (StaticFunction, "static function"), (np.ndarray, "array"),
    (list, "list"), (dict, "dict"), (tuple, "tuple"), (set, "set"), (frozenset, "frozenset"),
    (collections.deque, "deque"), (types.MethodType, "method"), (functools.partial, "partial"),
    ((staticmethod, classmethod), "wrapper")]
