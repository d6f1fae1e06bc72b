"""Reading and writing attributes and items of Python objects, with a note of every change."""
from __future__ import annotations

import builtins
import functools
import types
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import check_single, fresh, is_born, loaded, touch, touch_contents
from kayax.bridge.merging import kind_of
from kayax.bridge.open_sizes import shown
from kayax.bridge.places import Attribute
from kayax.bridge.reads import note_reads
from kayax.bridge.slots import note_alias
from kayax.bridge.snapshots import PLAIN, of_ours
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, is_number
from kayax.bridge.to_static.convert import converted
from kayax.bridge.to_static.operators import caches, grown, numbers, slices, stacked
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart, has_either
from kayax.bridge.to_static.operators.dicts import check_order, or_default
from kayax.bridge.watching import watch
from kayax.spec import tree

slice = builtins.slice
_FEW = 7                                # items of unlike kinds that a tensor may choose among
_MARKS = ("name", "persistable")        # of a Tensor, besides what users put on it

def attribute(owner: Any, name: str, *default: Any) -> Any:
    """``owner.name``; what is found there is a fact of the program. A user's property is rewritten as a method is."""
    from kayax.bridge.to_static.operators.call import call
    owner = v.use(owner)
    if type(owner) is Either:
        return apart(lambda x: attribute(x, name, *default), owner)
    described = getattr(type(owner), name, None)
    if isinstance(described, property) and not isinstance(owner, Tensor):
        return call(described.fget, owner)
    if name == "__dict__" and not isinstance(owner, (Tensor, type)):
        watch([owner])
    getter = of_users(type(described), "__get__")
    if getter is not None:
        return call(getter, described, owner, type(owner))
    if isinstance(owner, Tensor):
        if name == "is_integer" and v.is_staged(owner) and numbers.counts(owner):
            return functools.partial(numbers.is_whole, owner)       # that of Tensors asks the dtype
        value = getattr(owner, name, *default)
        return v.read(shown(value) if state.portable else value)
    loaded(owner, name)
    if caches.is_first_read(described, owner, name):
        caches.make_property(owner, name)
    value = getattr(owner, name, *default)
    if type(value) is Either:                   # a branch or loop has left it there
        return or_default(value, *default) if default else v.read(value)
    if state.trace is not None and not is_born(owner):
        state.trace.root.note_attribute(owner, name, value)
    return value


def set_attribute(value: Any, owner: Any, name: str) -> None:
    """``owner.name = value``."""
    owner = v.use(owner)
    if type(owner) is Either:
        apart(lambda x: set_attribute(value, x, name), owner)
        return
    if isinstance(owner, Tensor):
        if name in _MARKS or not hasattr(type(owner), name):
            touch(Attribute(owner, name))
        setattr(owner, name, value)
        return
    setter = of_users(type(owner), "__setattr__")
    if setter is not None:
        from kayax.bridge.to_static.operators.call import call
        touch(Attribute(owner, name))
        call(setter, owner, name, value)
    else:
        store_attribute(owner, name, value)


def store_attribute(owner: Any, name: str, value: Any) -> None:
    """``owner.name = value`` as `object` does it: by a descriptor, or into the object."""
    from kayax.bridge.to_static.operators.call import call
    described = getattr(type(owner), name, None)
    if isinstance(described, property) and described.fset is not None:
        call(described.fset, owner, value)
        return
    setter = of_users(type(described), "__set__")
    if setter is not None:
        call(setter, described, owner, value)
        return
    place = Attribute(owner, name)
    check_single(owner)
    touch(place)
    if type(value) is Either or (isinstance(value, Tensor) and _rebinds(owner, name, value)):
        place.put(value)
    else:
        _stored(owner, name, value)


def _stored(owner: Any, name: str, value: Any) -> None:
    """Store past a user's `__setattr__`, which has run."""
    kinds: list[Any] = [k for k in type(owner).__mro__ if "__setattr__" in vars(k)]
    next(k for k in kinds if of_users(k, "__setattr__") is None).__setattr__(owner, name, value)


def of_users(kind: type, method: str) -> Any:
    """A special method that a user's class has, which is rewritten; None if it has none."""
    function = getattr(kind, method, None)
    return function if isinstance(function, types.FunctionType) and converted(function) is not function else None


def _rebinds(owner: Any, name: str, value: Tensor) -> bool:
    """Whether a Layer's attribute, a buffer since a Tensor was assigned to it, gets one that its cell cannot hold.

    Or one that the program, which is traced once more now, has left there in each of its runs.
    """
    if not hasattr(type(owner), "register_buffer") or name not in owner._non_persistable_buffer_names_set:
        return False
    old = owner._buffers[name]
    if not isinstance(old, Tensor):
        return False
    if state.trace is not None and any(p.owner is owner and p.name == name for p in state.trace.root.kept):
        return True
    held, array = old.storage._array, value.storage.array           # to compare it is not to read it
    return not (held.shape == array.shape and held.dtype == array.dtype and value._stop_gradient)


def delete_attribute(owner: Any, name: str) -> None:
    """``del owner.name``."""
    owner = v.use(owner)
    if type(owner) is Either:
        apart(lambda x: delete_attribute(x, name), owner)
        return
    touch(Attribute(owner, name))
    delattr(owner, name)


def set_item(value: Any, owner: Any, key: Any) -> None:
    """``owner[key] = value``."""
    from kayax.bridge.to_static.operators.call import call
    owner, key = v.use(owner), v.read(key)
    if type(owner) is Either:
        apart(lambda x: set_item(value, x, key), owner)
        return
    if has_either(key, 2) or (isinstance(owner, Tensor) and type(value) is Either):
        apart(lambda k, new: set_item(new, owner, k), key, value, depth=2)
        return
    touch_contents(owner)
    note_reads([key], "key")
    if isinstance(owner, (list, dict)):
        key = v.settled_key(key, isinstance(owner, dict))
    setter = of_users(type(owner), "__setitem__")
    if setter is not None:
        call(setter, owner, key, value)
    elif grown.is_grown(owner):
        grown.set_item(owner, key, value)
    elif isinstance(owner, Tensor) and slices.has_open_ends(key):
        slices.write(owner, key, v.use(value))
    elif isinstance(owner, list) and v.is_staged(key):
        _set_staged_item(owner, key, value)
    elif isinstance(owner, (Tensor, list, dict)):
        if isinstance(owner, dict):
            check_order(owner, key)
        owner[key] = value
    else:
        call(type(owner).__setitem__, owner, key, value)


def _set_staged_item(owner: list, key: Any, value: Any) -> None:
    """An item that a tensor chooses: every one becomes what it was, or the new value."""
    from kayax.bridge.to_static.operators.logic import choose
    n = len(owner)
    v.bail_if(v.either(key < -n, key >= n))
    for i in range(n):
        owner[i] = choose(v.either(key == i, key == i - n), lambda: value, lambda i=i: owner[i])   # type: ignore[misc]


def delete_item(owner: Any, key: Any) -> None:
    """``del owner[key]``."""
    from kayax.bridge.to_static.operators.call import call
    owner, key = v.use(owner), v.read(key)
    if type(owner) is Either or type(key) is Either:
        apart(delete_item, owner, key)
        return
    touch_contents(owner)
    if grown.is_grown(owner):
        grown.delete(owner, key)
        return
    if isinstance(owner, dict) and key in owner:
        v.read(dict.__getitem__(owner, key))
    deleter = of_users(type(owner), "__delitem__")
    if deleter is not None:
        call(deleter, owner, key)
    else:
        watch([owner])
        del owner[key]


def item(owner: Any, key: Any) -> Any:
    """``owner[key]``; an item of a list that a tensor chooses is taken from all of them stacked."""
    from kayax.bridge.to_static.operators.call import call
    owner, key = v.use(owner), v.read(key)
    note_reads([key], "key")
    if type(owner) is Either:
        return apart(lambda x: item(x, key), owner)
    if has_either(key, 2):
        return apart(lambda k: item(owner, k), key, depth=2)
    getter = of_users(type(owner), "__getitem__")
    if getter is not None:
        return call(getter, owner, key)
    if grown.is_grown(owner):
        return grown.item(owner, key)
    if isinstance(owner, (stacked.Stacked, stacked.Sizes)):
        return stacked.item(owner, key)
    if v.is_staged(key) and is_number(key) and _holds_layers(owner):
        owner = list(owner)
    if isinstance(owner, (list, tuple, range, dict)):
        key = v.settled_key(key, isinstance(owner, dict))
    if v.is_staged(key) and isinstance(owner, (list, tuple, range)):
        return _staged_item(owner, key)
    if isinstance(owner, dict) and _is_decided(key, owner):
        raise ConversionError(f"A tensor's value is looked up in a dict.{at_user_line()}\nPut the values in a list or "
                              "a Tensor, and take the item that the tensor chooses.")
    if hasattr(type(owner), "__missing__") and key not in owner:        # which may put something there
        touch_contents(owner)
        missing = of_users(type(owner), "__missing__")
        return call(missing, owner, key) if missing is not None else owner[key]
    if isinstance(owner, Tensor) and slices.has_open_ends(key):
        return slices.read(owner, key)
    if isinstance(owner, (Tensor, list, tuple, dict)) or not hasattr(type(owner), "__getitem__"):
        return v.read(owner[key])
    kind: Any = type(owner)
    if state.trace is not None and not is_born(owner) and not of_ours(kind) and _is_plain(key):
        state.trace.root.note_item(owner, key)
    return call(type(owner).__getitem__, owner, key)


def _is_decided(key: Any, owner: dict) -> bool:
    """Whether a tensor without a value is the key that is looked up, or a part of it."""
    if type(key) is tuple:
        return any(v.is_staged(v.settled_key(k)) for k in key) and key not in owner
    return v.is_staged(key) and key not in owner


def _holds_layers(owner: Any) -> bool:
    """Whether this is a Layer that others are looked up in by their numbers."""
    kind = type(owner)
    return hasattr(kind, "note_all") and hasattr(kind, "__getitem__") and hasattr(kind, "__iter__") and not hasattr(
        kind, "keys")


def _is_plain(key: Any) -> bool:
    return type(key) in PLAIN or (type(key) is tuple and all(type(k) in PLAIN for k in key))


def sliced(owner: Any, key: Any) -> Any:
    """``owner[a:b]``, whose result is a list that nobody else has."""
    from kayax.bridge.to_static.operators.call import made
    owner = v.use(owner)
    if type(owner) is Either:
        return apart(lambda x: sliced(x, key), owner)
    if has_either(key, 1):
        return apart(lambda k: sliced(owner, k), key, depth=1)
    if isinstance(owner, stacked.Stacked):
        return stacked.item(owner, key)
    if isinstance(owner, Tensor) and slices.has_open_ends(key):
        return slices.read(owner, key)
    return fresh(grown.item(owner, key)) if grown.is_grown(owner) else made(owner[key])


def _staged_container(owner: Any, key: Any) -> Any:
    """An item that is a list or the like: one of all of them, as the tensor decides."""
    from kayax.bridge.to_static.operators.logic import choose
    n = len(owner)
    v.bail_if(v.either(key < -n, key >= n))
    found = owner[0]
    for i in range(1, n):
        found = choose(v.either(key == i, key == i - n), lambda i=i: owner[i], lambda found=found: found)    # type: ignore[misc]
    return v.read(found)


def _staged_item(owner: Any, key: Any) -> Any:
    n = len(owner)
    if isinstance(owner, range):
        v.bail_if(v.either(key < -n, key >= n))
        return owner.start + (key + numbers.as_int(key < 0) * n) * owner.step
    if not n:
        raise IndexError("list index out of range")
    if all(type(x) is Either or tree.parts(x) is not None for x in owner):
        return _staged_container(owner, key)
    plain = all(isinstance(x, (Tensor, bool, int, float)) for x in owner)
    if not plain or len({(k.shape, k.dtype, k.weak) for k in map(kind_of, owner)}) > 1:
        if n <= _FEW:
            return _staged_container(owner, key)
        raise ConversionError(f"A tensor chooses an item of a {type(owner).__name__} of more than "
                              f"{_FEW} items that are no tensors (or numbers) of one shape and dtype.{at_user_line()}\n"
                              "Stack them, or use a Python int.")
    from kayax.bridge.convert import as_tensor
    from kayax.bridge.ops.manipulation_join import stack
    v.bail_if(v.either(key < -n, key >= n))
    kind = kind_of(owner[0])
    rows = stack([as_tensor(x, kind.dtype.name) for x in owner])
    key = key.reshape([])
    found = grown.row_of(rows, key + numbers.as_int(key < 0) * n, kind.weak)
    if not kind.weak:                           # eagerly it is one of them: what is written into one is seen by both
        note_alias(found, [x.storage for x in owner if isinstance(x, Tensor)])
    return found
