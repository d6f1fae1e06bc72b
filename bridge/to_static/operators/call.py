"""A call in rewritten code: what is called is rewritten too, if it is a user's; built-in functions know tensors."""
from __future__ import annotations

import builtins as python
import copy
import functools
import inspect
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line, is_ours
from kayax.bridge.journal import born, fresh, may_be_older, touch, touch_contents, unseen
from kayax.bridge.open_sizes import shown
from kayax.bridge.places import ARRAYS, CONTAINERS, Attribute
from kayax.bridge.reads import note_reads
from kayax.bridge.snapshots import is_record, of_ours
from kayax.bridge.state import state
from kayax.bridge.surroundings import attribute_names
from kayax.bridge.to_static.convert import adopt, converted, reason
from kayax.bridge.to_static.operators import (
    builtins,
    caches,
    contexts,
    dicts,
    grown,
    impure,
    iterators,
    sorting,
    stores,
    text,
)
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart, has_either
from kayax.bridge.to_static.operators.filtered import Filtered
from kayax.bridge.to_static.operators.stacked import Stacked
from kayax.bridge.to_static.operators.stacked import knowing as knowing_of
from kayax.bridge.to_static.passes.comprehensions import EAGER, EARLY
from kayax.bridge.watching import watch, watch_objects
from kayax.spec import tree

_AT_ONCE = [getattr(python, name) for name in EAGER | EARLY]
_READING = frozenset({"copy", "count", "get", "index", "items", "keys", "values", "__len__", "__iter__"})
_PLAIN_MODULES = frozenset({"builtins", "collections", "re", "datetime", "decimal", "fractions", "numpy", "operator",
                            "_thread", "functools", "struct", "_struct", "jaxlib", "itertools"})
_UNBOUND = (types.MethodDescriptorType, types.WrapperDescriptorType)
_BUILTIN = (types.BuiltinFunctionType, types.MethodWrapperType)


def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``."""
    function = v.use(function)
    if _has_eithers():
        args, kwargs = tuple(map(v.read, args)), {name: v.read(x) for name, x in kwargs.items()}
        owner: Any = getattr(function, "__self__", None)
        if dicts.has_gaps(owner):
            if function.__name__ in dicts.METHODS:
                touch_contents(owner)
                return dicts.METHODS[function.__name__](owner, *args)
            dicts.whole(owner)
        if _wants_one(function, args, kwargs):
            dicts.whole_in((*args, *kwargs.values()))
            return apart(lambda f, a, k: call(f, *a, **k), function, args, kwargs, depth=3)
    kind = type(function)
    impure.check(function, args, kwargs)
    if caches.keeps_results(function):
        return caches.call(function, args, kwargs)
    if kind is types.FunctionType:
        return _run(function, args, kwargs)
    if kind is types.MethodType:
        inner = function.__func__
        if isinstance(inner, types.FunctionType):
            return _run(inner, (function.__self__, *args), kwargs)
        if _has_grown():
            grown.refuse_in((*args, *kwargs.values()))
        watch((function.__self__, *args, *kwargs.values()))
        return made(function(*args, **kwargs))
    if kind in _UNBOUND and args and not isinstance(args[0], type):
        return call(function.__get__(args[0]), *args[1:], **kwargs)
    if kind in _BUILTIN or isinstance(function, type):
        if function not in _LOOKING:
            iterators.check_in(args)
        iterators.check_in((getattr(function, "__self__", None),))
        replaced = builtins.TABLE.get(function) if _hashable(function) else None
        if _has_grown() and not builtins.knows(replaced or function, args):
            owner = getattr(function, "__self__", None)
            if grown.is_grown(owner):
                if function.__name__ not in _READING:
                    touch_contents(owner)
                return fresh(grown.method(owner, function.__name__, args, kwargs))
            if not isinstance(owner, list):
                grown.refuse_in((*args, *kwargs.values()))
        if function not in _LOOKING:
            watch_objects(*args, doing=_DOING.get(function, "") if _hashable(function) else "")
        if args and type(args[0]) is Filtered and any(function is known for known in _AT_ONCE if known is not next):
            return call(function, args[0].used_up(), *args[1:], **kwargs)
        if replaced is not None:
            out = replaced(*args, **kwargs)
            return iterators.note_sources(born(out), args) if iterators.is_iterator(out) else out
        owner = getattr(function, "__self__", None)
        if isinstance(owner, CONTAINERS) and function.__name__ not in _READING:
            touch_contents(owner)
            if type(owner) is list and function.__name__ == "sort":
                return sorting.sort(owner, **kwargs)
        elif isinstance(owner, str):
            return text.method(function, args, kwargs)
        elif getattr(function, "__name__", "") == "__setattr__" and len(args) == 2 and not isinstance(owner, type):
            return stores.store_attribute(owner, *args)
        else:
            unseen_changes(function, owner, args, kwargs)
        if not isinstance(function, type):
            return iterators.note_sources(made(function(*args, **kwargs)), args)
        if _is_initialized(function):
            owner = tree.note_record(born(object.__new__(function)))
            call(_init_of(function), owner, *args, **kwargs)
            return owner
        owner = born(function(*args, **kwargs))
        return tree.note_record(owner) if _is_plain(function, owner) else iterators.note_sources(owner, args)
    if kind is functools.partial:
        return call(function.func, *function.args, *args, **{**function.keywords, **kwargs})
    return _call_object(function, args, kwargs)


def used_up(function: Any, iterable: Any, lazily: Callable, at_once: Callable, /, *args: Any, **kwargs: Any) -> Any:
    """``function(generator, *args, **kwargs)``, where all items are wanted at once if it is the built-in function.

    lazily: gives the generator that goes over `iterable`. at_once: its items, or what any(), all() or next() gives.
    """
    function = v.use(function)
    if not any(function is known for known in _AT_ONCE):
        return call(function, lazily(iterable), *args, **kwargs)
    if function is next:
        return at_once(iterable, args)
    items = at_once(iterable)
    return items if function in (any, all) else call(function, items, *args, **kwargs)


def _has_eithers() -> bool:
    """Whether there are values that are one or another as a tensor decides."""
    return state.trace is not None and state.trace.root.split


def _wants_one(function: Any, args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether a call has to be made on either path by itself: not rewritten code, and what only stores, takes both."""
    if type(function) is Either:
        return True
    if not has_either((args, kwargs), 4):
        return False
    owner = getattr(function, "__self__", None)
    if isinstance(owner, CONTAINERS) and function.__name__ in _STORING:
        return False
    plain = _plain_function(function)
    return plain is None or converted(plain) is plain


def _plain_function(function: Any) -> types.FunctionType | None:
    """The Python function that a call of something runs."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, types.FunctionType):
        return function
    method = getattr(function, "__func__", None)
    if isinstance(function, type):
        method = _init_of(function) if _is_initialized(function) else None
    elif method is None:
        method = inspect.getattr_static(type(function), "__call__", None)
    return method if isinstance(method, types.FunctionType) else None


def _is_initialized(kind: type) -> bool:
    """Whether all that makes an object of a user's class is its `__init__`, which is rewritten."""
    init, new = _init_of(kind), getattr(kind, "__new__", None)
    return (type(kind) is type and new is object.__new__ and isinstance(init, types.FunctionType) and is_record(kind)
            and converted(init) is not init)


def _is_plain(kind: type, made: Any) -> bool:
    """Whether an object that a class has just made is a record, all of which is in its attributes."""
    new: Any = kind.__new__
    return type(made) is kind and is_record(kind) and new in (object.__new__, types.SimpleNamespace.__new__)


def _init_of(kind: type) -> Any:
    return getattr(kind, "__init__", None)


# They use no item up, and change nothing, or see to it themselves.
_LOOKING = (isinstance, type, id, next, callable, hasattr, getattr, setattr, delattr, vars)
# What of a user's object these look at; others may run any of its special methods.
_DOING = {len: "truth", bool: "truth", str: "text", repr: "text", format: "text", print: "text", iter: "iterate",
          list: "iterate", tuple: "iterate", enumerate: "iterate", zip: "iterate", reversed: "iterate"}
_STORING = {"append", "appendleft", "insert", "extend", "setdefault", "update"}


def _has_grown() -> bool:
    """Whether there are lists whose length a tensor decides."""
    return state.trace is not None and state.trace.root.grown


def _hashable(function: Any) -> bool:
    return getattr(function, "__self__", None) is None or isinstance(function.__self__, types.ModuleType)


def _call_object(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """An object that can be called: a user's class with `__call__`; a Layer rewrites its own forward."""
    if type(function) in (operator.attrgetter, operator.methodcaller) and len(args) == 1 and not kwargs:
        return _looked_up(function, args[0])
    method = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(method, types.FunctionType) and converted(method) is not method:
        return _run(method, (function, *args), kwargs)
    if _has_grown() and not _is_rewritten_layer(function, (*args, *kwargs.values())):
        grown.refuse_in((*args, *kwargs.values()))
    iterators.check_in(args)
    kind: Any = type(function)
    if not of_ours(kind):
        watch((function, *args, *kwargs.values()))
    return made(function(*args, **kwargs))


def _is_rewritten_layer(function: Any, args: tuple) -> bool:
    """Whether this is a Layer whose forward is rewritten, so that it knows lists of staged length; ours is, on need."""
    kind = type(function)
    if not hasattr(kind, "note_all") or function._hooks is not None or not grown.has_counted(args):
        return False
    forward = kind.forward
    return converted(forward) is not forward or (forward.__module__.startswith("kayax.") and adopt(forward))


def made(out: Any) -> Any:
    """The result of code that was not rewritten: a container that nobody else holds was made by it."""
    if state.portable:
        out = shown(out)
    new = isinstance(out, (*CONTAINERS, *impure.GENERATORS)) or hasattr(type(out), "__next__") or (
        isinstance(out, np.ndarray) and out.base is None)
    return born(out) if new and sys.getrefcount(out) <= _ONLY_HERE else out


_ONLY_HERE = 2          # what refers to an argument of `made` that nobody else has: its name, and the count


def _looked_up(function: Any, owner: Any) -> Any:
    """What an attrgetter or a methodcaller gives of an object."""
    maker, given = function.__reduce__()
    if type(function) is operator.attrgetter:
        found = [functools.reduce(stores.attribute, name.split("."), owner) for name in given]
        return found[0] if len(found) == 1 else tuple(found)
    named = (*maker.args, *given) if isinstance(maker, functools.partial) else given
    options = maker.keywords if isinstance(maker, functools.partial) else {}
    return call(stores.attribute(owner, named[0]), *named[1:], **options)


def _run(function: types.FunctionType, args: tuple, kwargs: dict[str, Any]) -> Any:
    twin = converted(function)
    if contexts.is_manager(function):
        return born(contexts.manager(function, args, kwargs))
    if twin is function:
        if reason(function) is not None:
            unseen(function.__code__)
            note_reads((*args, *kwargs.values()), names=attribute_names(function, object))
        elif not is_ours(function.__code__.co_filename):
            note_reads((*args, *kwargs.values()), whole=function in (copy.copy, copy.deepcopy))
        if _has_grown():
            knowing = knowing_of(function)
            if knowing is not None and any(grown.is_grown(a) or isinstance(a, Stacked) for a in args[:1]):
                return knowing(*args, **kwargs)
            grown.refuse_in((*args, *kwargs.values()))
        iterators.check_in(args)
        if not is_ours(function.__code__.co_filename):
            watch((*args, *kwargs.values()))
        return iterators.note_sources(made(function(*args, **kwargs)), args)
    if state.trace is None:
        return twin(*args, **kwargs)
    state.trace.note_function(function)
    if function.__code__.co_flags & inspect.CO_GENERATOR:
        return iterators.note_sources(born(twin(*args, **kwargs)), args)
    with state.trace.root.activation(function):
        return twin(*args, **kwargs)


def unseen_changes(function: Any, owner: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Note what a built-in function may change, of its owner (if it is a method) and its arguments."""
    if state.trace is None:
        return
    name = getattr(function, "__name__", "")
    if name == "__delattr__" and args and isinstance(args[0], str):
        touch(Attribute(owner, args[0]))
    elif function not in _LOOKING and (not isinstance(function, type) or function.__module__ not in _PLAIN_MODULES):
        watch((owner, *args, *kwargs.values()))
        if _is_opaque(owner) and state.trace.root is not state.trace and may_be_older(owner):
            raise ConversionError(f"`{name}` of a {type(owner).__name__} in a branch or loop that a tensor decides: "
                                  f"whether it changes the object cannot be seen.{at_user_line()}\nCall it outside.")


def _is_opaque(owner: Any) -> bool:
    """Whether an object may have a state that only its own, compiled code can see."""
    kind = type(owner)
    return not (owner is None or hasattr(owner, "__dict__") or kind.__module__ in _PLAIN_MODULES
                or isinstance(owner, (*ARRAYS, *CONTAINERS)) or kind.__module__.startswith(("kayax", "jax")))
