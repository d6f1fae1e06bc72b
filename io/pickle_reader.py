"""Reads the pickles that Paddle's `save` writes, without being able to run anything.

This is not `pickle.load` with a filter: it is an interpreter for the few instructions that such files consist of
(protocols 2 to 5). It imports nothing, looks up no attribute and calls nothing that a file names: the names that a file
may mention are the keys of `CALLS`, each of which stands for a function of this project that checks its arguments.
Memory stays within a small multiple of the file's size, whatever sizes the file claims.
"""
from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Sized
from typing import Any

from kayax.io.pickle_globals import CALLS, Cell, Global, PickleError, as_key

__all__ = ["PickleError", "read"]

_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
_EMPTY = {b"]": list, b")": tuple, b"}": dict, b"\x8f": set}
_FIXED = {b"K": struct.Struct("<B"), b"M": struct.Struct("<H"), b"J": struct.Struct("<i"), b"G": struct.Struct(">d")}
_LENGTHS = {1: struct.Struct("<B"), 4: struct.Struct("<I"), 8: struct.Struct("<Q")}
# Instruction -> size of its length, and what its bytes become.
_SIZED: dict[bytes, tuple[int, Callable[[Any], Any]]] = {
    code: (size, convert) for codes, convert in [
        ([(b"\x8c", 1), (b"X", 4), (b"\x8d", 8)], lambda data: str(data, "utf-8", "surrogatepass")),
        ([(b"U", 1), (b"T", 4)], lambda data: str(data, "latin1")),
        ([(b"C", 1), (b"B", 4), (b"\x8e", 8), (b"\x96", 8)], lambda data: data),
        ([(b"\x8a", 1), (b"\x8b", 4)], lambda data: int.from_bytes(data, "little", signed=True)),
    ] for code, size in codes}
_TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}


class _Machine:
    def __init__(self, data: memoryview):
        self.data, self.position, self.start = data, 0, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.spent, self.budget = 0, 16 * len(data) + (1 << 20)

    def take(self, size: int) -> memoryview:
        end = self.position + size
        if end > len(self.data):
            raise PickleError(f"{size} bytes are expected here, but the data ends at {len(self.data)}")
        part, self.position = self.data[self.position:end], end
        return part

    def unsigned(self, size: int) -> int:
        return _LENGTHS[size].unpack(self.take(size))[0]

    def line(self) -> str:
        for end in range(self.position, min(self.position + 256, len(self.data))):
            if self.data[end] == 10:
                text = str(self.take(end - self.position), "ascii")
                self.position += 1
                return text
        raise PickleError("a name has no end")

    def pop_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def pop(self) -> Any:
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise PickleError("an instruction has too few operands")
        return self.stack.pop()

    def target(self, *kinds: type) -> Any:
        if type(self.stack[-1]) not in kinds:
            raise PickleError(f"items cannot be added to a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def run(self) -> Any:
        head = self.take(2)
        if head[0] != 0x80 or not 2 <= head[1] <= 5:
            raise PickleError("the data does not start as a pickle of protocol 2 to 5 does")
        push, fixed, sized = self.stack.append, _FIXED, _SIZED
        while True:
            self.start = self.position
            code = bytes(self.take(1))
            if code in sized:
                size, convert = sized[code]
                push(convert(self.take(self.unsigned(size))))
            elif code in fixed:
                push(fixed[code].unpack(self.take(fixed[code].size))[0])
            elif code in _CONSTANTS:
                push(_CONSTANTS[code])
            elif code in _EMPTY:
                push(_EMPTY[code]())
            elif code in _TUPLES:
                push(tuple([self.pop() for _ in range(_TUPLES[code])][::-1]))
            elif code == b".":
                return self.pop()
            elif code in _OTHERS:
                _OTHERS[code](self)
            else:
                raise PickleError(f"the instruction {code!r} is not allowed")

    def items(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise PickleError("a key has no value")
        target = self.target(dict, OrderedDict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[as_key(key)] = value

    def global_(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str or (module, name) not in CALLS:
            raise PickleError(f"it asks for {module}.{name}, which files of tensors and plain values do not need. "
                              "Nothing of the file was run")
        self.stack.append(Global(module, name))

    def reduce(self) -> None:
        args, function = self.pop(), self.pop()
        if type(function) is not Global or type(args) is not tuple:
            raise PickleError(f"it calls a {type(function).__name__}")
        try:
            result = function.call(*args)
        except TypeError:           # the number of arguments
            raise PickleError(f"{function.name} is called with {len(args)} arguments") from None
        self.spend(result)
        self.stack.append(result)

    def build(self) -> None:
        state, cell = self.pop(), self.stack[-1]
        if not isinstance(cell, Cell):
            raise PickleError(f"it sets the state of a {type(cell).__name__}")
        cell.build(state)
        self.spend(cell)

    def spend(self, made: Any) -> None:
        """Calls that name the same operands again and again could make far more than the data holds."""
        if isinstance(made, Cell):
            self.spent += getattr(made.value, "nbytes", 0)
        elif isinstance(made, Sized):
            self.spent += 8 * len(made)
        if self.spent > self.budget:
            raise PickleError(f"it makes more than {self.budget} bytes of {len(self.data)}")

    def extend_set(self) -> None:
        items = self.pop_mark()
        self.target(set).update(map(as_key, items))

    def extend(self, items: list[Any]) -> None:
        self.target(list).extend(items)

    def get(self, size: int) -> None:
        self.stack.append(self.memo[self.unsigned(size)])

    def put(self, size: int) -> None:
        self.memo[self.unsigned(size)] = self.stack[-1]


def _swapped(machine: _Machine) -> tuple[Any, Any]:
    second = machine.pop()
    return machine.pop(), second


_OTHERS: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x95": lambda m: m.take(8),                       # FRAME: its size is a hint for readers of streams
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"0": lambda m: m.pop(),
    b"1": lambda m: m.pop_mark(),
    b"2": lambda m: m.stack.append(m.stack[-1]),
    b"t": lambda m: m.stack.append(tuple(m.pop_mark())),
    b"a": lambda m: m.extend([m.pop()]),
    b"e": lambda m: m.extend(m.pop_mark()),
    b"s": lambda m: m.items(list(_swapped(m))),
    b"u": lambda m: m.items(m.pop_mark()),
    b"\x90": _Machine.extend_set,
    b"\x91": lambda m: m.stack.append(frozenset(map(as_key, m.pop_mark()))),
    b"h": lambda m: m.get(1), b"j": lambda m: m.get(4),
    b"q": lambda m: m.put(1), b"r": lambda m: m.put(4),
    b"\x94": lambda m: m.memo.__setitem__(len(m.memo), m.stack[-1]),
    b"c": lambda m: m.global_(m.line(), m.line()),
    b"\x93": lambda m: m.global_(*_swapped(m)),
    b"R": _Machine.reduce,
    b"\x81": _Machine.reduce,                           # NEWOBJ: of what is allowed, only paddle.dtype is written so
    b"b": _Machine.build,
}


def read(data: memoryview) -> tuple[Any, int]:
    """The object that a pickle holds, and how many bytes it takes. Arrays are copies that may be written.

    Raises:
        PickleError: the data is damaged, or asks for anything but plain values and NumPy arrays.
    """
    machine = _Machine(data)
    try:
        return _finish(machine.run(), {}), machine.position
    except PickleError as error:
        raise PickleError(error.problem, machine.start) from None
    except (IndexError, KeyError, struct.error, UnicodeError, ValueError, OverflowError) as error:
        raise PickleError(f"the data is damaged ({type(error).__name__}: {error})", machine.start) from None
    except RecursionError:
        raise PickleError("it is nested too deep", machine.start) from None


def _finish(value: Any, done: dict[int, Any]) -> Any:
    """Replace cells by their values. What is shared stays shared: time and memory are bounded by the data's size."""
    kind = type(value)
    if kind in (list, tuple, dict, OrderedDict):
        if id(value) in done:
            if done[id(value)] is _OPEN:
                raise PickleError("it contains itself")
            return done[id(value)]
        done[id(value)] = _OPEN
        if kind in (list, tuple):
            done[id(value)] = kind([_finish(item, done) for item in value])
        else:
            done[id(value)] = kind((key, _finish(item, done)) for key, item in value.items())
        return done[id(value)]
    if isinstance(value, Cell):
        if value.value is None:
            raise PickleError("an array is not complete")
        return value.value
    if kind is memoryview:
        if id(value) not in done:
            done[id(value)] = bytes(value)
        return done[id(value)]
    if kind is Global:
        raise PickleError(f"{value.name} is not a value")
    return value


_OPEN = object()
