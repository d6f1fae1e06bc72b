"""What a program takes for granted of Python: the facts that a conversion notes, compared before each call."""
from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kayax.bridge.errors import ConversionError, at_user_line, is_ours
from kayax.bridge.journal import touch_outer
from kayax.bridge.snapshots import can_change, is_library, is_record
from kayax.bridge.surroundings import Code, Fields, Given, Items, Named, attribute_names, is_noted, surroundings
from kayax.bridge.tensor import Tensor

if TYPE_CHECKING:
    from kayax.bridge.trace import Trace


class Guard:
    """A Python fact that a program read: `get()` must still give `value`, or the program is traced again.

    One that is not `lasting` is dropped when the function itself has changed it.
    """

    __slots__ = ("label", "get", "value", "lasting", "left_out")

    def __init__(self, label: str, get: Callable[[], Any], value: Any, lasting: bool = True):
        self.label, self.get, self.value, self.lasting = label, get, value, lasting
        self.left_out: set[str] = set()         # of a table of names, those that do not matter

    def holds(self) -> bool:
        try:
            now = self.get()
        except ReferenceError:
            return False
        if self.left_out and isinstance(now, tuple):
            return self._relevant(now) == self._relevant(self.value)
        return same(now, self.value)

    def _relevant(self, table: tuple) -> list[tuple]:
        return [entry for entry in table if entry[0] not in self.left_out]

    def renew(self) -> None:
        """Take the present value for the fact."""
        self.value = self.get()


def same(now: Any, then: Any) -> bool:
    """Whether a Python fact is what it was: the same object, or for plain values an equal one of the same type."""
    if now is then:
        return True
    if type(now) is not type(then) or isinstance(now, Tensor) or hasattr(now, "__array__"):
        return False
    try:
        return bool(now == then)
    except Exception:                       # containers of arrays cannot be compared as a whole
        return False


def _note_layers(value: Any, attributes: frozenset[str], depth: int = 2) -> None:
    """Of a Layer that a function names, in a container or a record too, everything is noted."""
    if hasattr(type(value), "note_all"):
        value.note_all(attributes)
    elif hasattr(type(getattr(value, "__self__", None)), "note_all"):
        value.__self__.note_all(attributes)
    elif depth and type(value) in (list, tuple, dict):
        for part in value.values() if type(value) is dict else value:
            _note_layers(part, attributes, depth - 1)
    elif depth and is_record(type(value)):
        for part in [v for name, v in vars(value).items() if name in attributes]:
            _note_layers(part, attributes, depth - 1)


class Facts:
    """How a conversion (a `Trace`) notes facts; those below a branch or loop are facts of the whole."""

    parent: Trace | None
    guards: dict[Any, Guard]
    names: dict[Any, Named | Code]      # what users' functions name besides their arguments
    functions: dict[Any, None]          # users' functions that ran
    looked_at: set[tuple[type, str]]    # methods of classes that were noted

    @property
    def root(self) -> Trace:
        """The conversion of the whole."""
        raise NotImplementedError

    def guard(self, key: Any, label: str, get: Callable[[], Any], value: Any, lasting: bool = True) -> None:
        """Note that the program depends on ``get()`` being `value`."""
        if key not in self.guards:
            self.guards[key] = Guard(label, get, value, lasting)
        if self.parent is not None:
            self.parent.guard(key, label, get, value, lasting)

    def note_function(self, function: Any, owner: Any = None) -> None:
        """Note a user's function that runs (a method of `owner`): what it names, and what that holds, are facts."""
        if getattr(function, "_force_dynamic", False):
            raise ConversionError(f"`{function.__qualname__}` is to run eagerly (`paddle.jit.marker.force_dynamic`)."
                                  f"{at_user_line()}")
        touch_outer(function)
        plain = getattr(function, "__func__", function)
        if isinstance(plain, types.FunctionType) and not is_ours(plain.__code__.co_filename):
            self._note_name((id(plain), "code"), Code(plain))
        self.functions.setdefault(getattr(function, "__func__", function))
        for named in surroundings(function, owner):
            if self._note_name((id(named.place), named.key), named):
                _note_layers(named.value(), named.attributes)
        if self.parent is not None:
            self.parent.note_function(function, owner)

    def note_method_of(self, kind: type, name: str) -> None:
        """Note which function is the method of a class."""
        self.root._note_name((id(kind), name), Named(Fields(kind), name))

    def note_given(self, value: Any) -> None:
        """Note what an argument that is no container of arguments holds: a set, an object that holds settings."""
        if can_change(value):
            self._note_name((id(value), "given"), Named(Given(value), ""))

    def note_object(self, value: Any, methods: frozenset[str], names: frozenset[str]) -> None:
        """Note what these methods of an object read of it, and its attributes of these names."""
        kind: Any = type(value)
        for method in methods:
            if (kind, method) not in self.looked_at:
                self.looked_at.add((kind, method))
                self.note_method(kind, method)
            names |= attribute_names(getattr(kind, method), kind)
        if names:
            self._note_name((id(value), names), Named(Given(value), "", names))

    def note_method(self, kind: type, name: str) -> None:
        """Note a method of a class that the program will run, and the attributes of the class that it mentions."""
        method = getattr(kind, name)
        self.note_function(method)
        for mentioned in attribute_names(method, kind):
            if hasattr(kind, mentioned):
                self.root.note_attribute(kind, mentioned, getattr(kind, mentioned))

    def note_attribute(self, owner: Any, name: str, value: Any) -> None:
        """Note what rewritten code has found in an attribute of something that is no Tensor."""
        if isinstance(value, Tensor) and value.storage.trace is not None:
            return                                              # made in this run
        kind = type(owner)
        if getattr(value, "__self__", None) is owner and isinstance(value, types.MethodType):
            if not is_library(kind.__module__):                 # a class whose methods may be replaced
                self.note_method_of(kind, name)
            if not hasattr(kind, "note_all"):
                return
        if hasattr(kind, "note_all"):
            if not owner.note_read(name, value):
                return
        elif not is_noted(owner, name, value):
            return
        self._note_name((id(owner), name), Named(Fields(owner), name))

    def note_item(self, owner: Any, key: Any) -> None:
        """Note what rewritten code looks up in an array or the like."""
        self._note_name((id(owner), "item", repr(key)), Named(Items(owner), key))

    def note_kept(self, function: Any, arguments: str, found: Any) -> None:
        """Note what a function that keeps its results gave for some arguments."""
        self._note_name((id(function), "kept", arguments), Named(found, "result"))

    def _note_name(self, key: Any, named: Named | Code) -> bool:
        return self.names.setdefault(key, named) is named
