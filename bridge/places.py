"""The places of Python's own objects that code may change: each can be read, and put back."""
from __future__ import annotations

import array
import collections
import functools
import types
from typing import Any

import numpy as np


class Undefined:
    """Stands for a variable, attribute or key that is not there."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()
STORES = ("_parameters", "_buffers", "_sub_layers")
MODE = "_training"          # the attribute of a Layer that says which mode it is in
ARRAYS = (np.ndarray, bytearray, array.array, memoryview)
CLOSED = (types.ModuleType, type, types.FunctionType, types.MethodType, functools.partial)      # not looked into
_DESCRIBED = (types.MemberDescriptorType, property)         # they are not in an object's __dict__
CONTAINERS = (list, dict, set, collections.deque)


class Attribute:
    """An attribute of an object (of a Layer, also one that its stores hold)."""

    def __init__(self, owner: Any, name: str):
        self.owner, self.name = owner, name
        self.key: tuple = (id(owner), "attribute", name)

    def _table(self) -> dict | None:
        fields = getattr(self.owner, "__dict__", None)
        described = getattr(type(self.owner), self.name, None)
        if fields is None or isinstance(self.owner, type) or isinstance(described, _DESCRIBED):
            return None
        for store in STORES:
            table = fields.get(store)
            if isinstance(table, dict) and self.name in table:
                return table
        return fields

    def get(self) -> Any:
        table = self._table()
        return table.get(self.name, UNDEFINED) if table is not None else getattr(self.owner, self.name, UNDEFINED)

    def put(self, value: Any) -> None:
        table = self._table()
        if table is None:
            object.__delattr__(self.owner, self.name) if value is UNDEFINED else setattr(self.owner, self.name, value)
        elif value is UNDEFINED:
            table.pop(self.name, None)
        else:
            table[self.name] = value

    def __str__(self) -> str:
        return f"the attribute `{self.name}` of a {type(self.owner).__name__}"


class Contents:
    """What a list, dict, set or deque holds."""

    def __init__(self, owner: Any):
        self.owner = owner
        self.key: tuple = (id(owner), "contents")

    def get(self) -> Any:
        if isinstance(self.owner, dict):
            return dict(self.owner)
        return list(self.owner) if isinstance(self.owner, (list, collections.deque)) else set(self.owner)

    def put(self, value: Any) -> None:
        self.owner.clear()
        self.owner.update(value) if isinstance(self.owner, (dict, set)) else self.owner.extend(value)

    def __str__(self) -> str:
        return f"a {type(self.owner).__name__}"


class Variable:
    """A variable of an outer function."""

    def __init__(self, cell: types.CellType, name: str):
        self.owner, self.name = cell, name
        self.key: tuple = (id(cell), "variable")

    def get(self) -> Any:
        try:
            return self.owner.cell_contents
        except ValueError:
            return UNDEFINED

    def put(self, value: Any) -> None:
        if value is not UNDEFINED:
            self.owner.cell_contents = value
        elif self.get() is not UNDEFINED:
            del self.owner.cell_contents

    def __str__(self) -> str:
        return f"the variable `{self.name}` of an outer function"


class Global:
    """A global of a module."""

    def __init__(self, table: dict, name: str):
        self.owner, self.name = table, name
        self.key: tuple = (id(table), "global", name)

    def get(self) -> Any:
        return self.owner.get(self.name, UNDEFINED)

    def put(self, value: Any) -> None:
        if value is UNDEFINED:
            self.owner.pop(self.name, None)
        else:
            self.owner[self.name] = value

    def __str__(self) -> str:
        return f"the global `{self.name}`"


class Fields:
    """All attributes that an object has in its `__dict__`, of which other code may change any."""

    def __init__(self, owner: Any):
        self.owner = owner
        self.key: tuple = (id(owner), "fields")

    def get(self) -> Any:
        return dict(vars(self.owner))

    def put(self, value: Any) -> None:
        vars(self.owner).clear()
        vars(self.owner).update(value)

    def parts(self, old: dict) -> list[tuple[Attribute, Any, Any]]:
        """Each attribute with what it held, and what it holds."""
        now = vars(self.owner)
        return [(Attribute(self.owner, name), old.get(name, UNDEFINED), now.get(name, UNDEFINED))
                for name in {**old, **now} if isinstance(name, str)]


class Elements:
    """What an array or bytearray holds, which a program cannot choose."""

    def __init__(self, owner: Any):
        self.owner = owner
        self.key: tuple = (id(owner), "elements")

    def get(self) -> Any:
        return np.array(self.owner) if isinstance(self.owner, np.ndarray) else bytes(self.owner)

    def put(self, value: Any) -> None:
        if isinstance(self.owner, array.array):
            del self.owner[:]
            self.owner.frombytes(value)
        else:
            self.owner[... if isinstance(value, np.ndarray) else slice(None)] = value

    def __str__(self) -> str:
        return f"the elements of a {type(self.owner).__name__}"


Place = Attribute | Contents | Variable | Global | Fields | Elements
