"""A function that runs as programs: binds arguments, finds the program for them, makes one when there is none."""
from __future__ import annotations

import functools
import inspect
import types
import weakref
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from kayax.bridge.cells import Storage, root_of
from kayax.bridge.convert import to_tensor
from kayax.bridge.errors import ConversionError
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static import kept, showing
from kayax.bridge.to_static.arguments import Contents, put_back
from kayax.bridge.to_static.concrete import ConcreteProgram, ProgramCache, declared
from kayax.bridge.to_static.convert import NoSource, converted, source
from kayax.bridge.to_static.fallback import sets_up, untouched, warn_fallback, why
from kayax.bridge.to_static.operators.values import settled
from kayax.bridge.to_static.program import Bail, Program
from kayax.bridge.to_static.specs import as_spec, check_call, match, parameters_of
from kayax.bridge.to_static.tracebacks import of_users
from kayax.bridge.trace import Rolls
from kayax.spec import dtype, tree
from kayax.spec.errors import ArgumentError
from kayax.spec.input_spec import InputSpec

_MOST = 16              # programs for the same arguments that differ in the facts they were made under


class Switch:
    """Whether conversion is on at all (`enable_to_static`)."""

    on = True


def enable_to_static(enable_to_static_bool: bool) -> None:
    """Switch conversion on or off everywhere: while off, converted functions run eagerly, for debugging."""
    if not isinstance(enable_to_static_bool, bool):
        raise TypeError(f"enable_to_static takes True or False, but got {enable_to_static_bool!r}.")
    Switch.on = enable_to_static_bool


def _is_leaf(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray, jax.Array))


class StaticFunction:
    """A function or method that runs as compiled programs, one for each kind of arguments it is called with.

    Tensors and arrays are inputs; every other argument is static: another value makes another program. Programs share
    the parameters, buffers and random state that the function uses.
    """

    __name__: str
    __qualname__: str

    def __init__(self, function: Callable, input_spec: Any = None, build_strategy: Any = None, full_graph: bool = False,
                 instance: Any = None, holds: bool = False):
        self._function = function
        self._input_spec = input_spec
        self._entries: list | None = None
        self._build_strategy = build_strategy
        self._full_graph = full_graph
        self._instance = weakref.ref(instance) if instance is not None else None
        self._held = instance if holds else None            # a class's attribute must not keep its instances alive
        self._bound: weakref.WeakKeyDictionary[Any, StaticFunction] = weakref.WeakKeyDictionary()
        self.programs: dict[Any, list[Program]] = {}
        self.bails = 0                                              # runs that were given up and done eagerly
        self.cells: weakref.WeakSet[Storage] = weakref.WeakSet()    # what the programs use from outside
        self.fallbacks: dict[Any, Exception] = {}                   # calls that run eagerly, by their keys, and why
        self._set_up: set[Any] = set()                              # the keys of calls that ran eagerly once
        self.last_example: tuple[Any, list[str]] | None = None      # what the newest program was made for
        self.signature = inspect.signature(function)
        self.__name__ = self.__qualname__ = type(function).__name__     # of an object that can be called
        functools.update_wrapper(self, function)

    # ---- methods ---------------------------------------------------------------------------------------------

    def __get__(self, instance: Any, owner: type | None = None) -> StaticFunction:
        if instance is None:
            return self
        bound = self._bound.get(instance)
        if bound is None:
            bound = self._bound[instance] = self._copy(instance)
        return bound

    def _copy(self, instance: Any) -> StaticFunction:
        return StaticFunction(self._function, self._input_spec, self._build_strategy, self._full_graph, instance)

    def with_options(self, **options: Any) -> StaticFunction:
        """This function with the options that are given (not None) in place of its own."""
        new = self._copy(self.__self__)
        for name, value in options.items():
            if value:
                setattr(new, f"_{name}", value)
        return new

    def __deepcopy__(self, memo: dict) -> StaticFunction:
        return self._copy(memo.get(id(self.__self__), self.__self__))

    def __reduce__(self) -> Any:
        if self._instance is None:
            return self.__qualname__                            # found under its name, like any function
        return StaticFunction._blank, (), (self._function, self._input_spec, self._build_strategy,
                                           self._full_graph, self.__self__)

    @staticmethod
    def _blank() -> StaticFunction:
        return object.__new__(StaticFunction)

    def __setstate__(self, state: tuple) -> None:
        self.__init__(*state)                                   # type: ignore[misc]

    @property
    def __self__(self) -> Any:
        return self._instance() if self._instance is not None else None

    @property
    def dygraph_function(self) -> Callable:
        """The function as it was written, bound if it is a method."""
        instance = self.__self__
        return self._function if instance is None else types.MethodType(self._function, instance)

    # ---- calling ---------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not Switch.on or state.graph is not None:            # a static graph notes what is in it
            return self.dygraph_function(*args, **kwargs)
        if state.trace is not None:
            state.trace.note_function(self._function, self.__self__)
            return self.rewritten(*args, **kwargs)
        try:
            return self._call(args, kwargs)
        except Exception as error:
            __tracebackhide__ = True            # for pytest and IPython
            raise of_users(error)               # noqa: B904 (it is the same error)

    def _call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        if self._input_spec is not None:
            check_call(self.entries(), args, kwargs, self.__name__)
        tensors, key = self._key(args, kwargs)
        programs = self.programs.get(key)
        if programs is not None:
            for program in programs:
                if program.applies(tensors):
                    if program is not programs[0]:
                        programs.remove(program)
                        programs.insert(0, program)
                    try:
                        out = program(tensors)
                        return _put_in(program, out, args, kwargs) if program.has_effects else out
                    except Bail:
                        self.bails += 1
                        return self.dygraph_function(*args, **kwargs)
        if key in self.fallbacks:
            return self._run_eagerly(args, kwargs)
        return self._first_call(args, kwargs, tensors, key)

    def _first_call(self, args: tuple, kwargs: dict[str, Any], tensors: list[Tensor], key: Any) -> Any:
        """Make a program and run it. What cannot be one runs eagerly, as if nothing had been tried."""
        reason = self._reason(key)
        showing.program_made(self.__name__, reason)
        for rolls in (Rolls(), None):
            with untouched() as attempt:
                program = self._make(args, kwargs, tensors, reason, rolls)
                attempt.second_run()
                program.trace(tensors)
                attempt.check()
                out = self._run_first(program, tensors)
            if attempt.error is None or rolls is None or not rolls.used:
                break
        if attempt.error is None:
            group = self.programs.setdefault(key, [])
            group.insert(0, program)
            del group[_MOST:]
            if out is not Bail:
                return _put_in(program, out, args, kwargs) if program.has_effects else out
            self.bails += 1
            return self.dygraph_function(*args, **kwargs)
        error = attempt.error
        if self._full_graph:
            raise error
        out = self._run_eagerly(args, kwargs)               # raises what is to be raised, with its own traceback
        if sets_up(error) and key not in self._set_up:      # a first call may leave what later ones find
            self._set_up.add(key)
            return out
        if why(error) not in map(why, self.fallbacks.values()):
            warn_fallback(self.__qualname__, error)
        self.fallbacks[key] = error
        return out

    def _run_eagerly(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The function as it is written; the Layers that it calls are compiled each by itself."""
        held, state.compiles = state.compiles, True
        try:
            return self.dygraph_function(*args, **kwargs)
        finally:
            state.compiles = held

    @staticmethod
    def _run_first(program: Program, tensors: list[Tensor]) -> Any:
        try:
            return program(tensors)
        except Bail:
            return Bail

    @property
    def rewritten(self) -> Callable:
        """The function as it is converted, bound if it is a method."""
        return converted(self.dygraph_function)

    def _key(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list[Tensor], Any]:
        """The input tensors, and everything that tells one program from another."""
        tensors: list[Tensor] = []
        parts: list[Any] = [state.grad_enabled, state.amp, dtype.default()]
        for arg in args:
            if isinstance(arg, Tensor):
                tensors.append(arg)
            else:
                leaves, spec = tree.flatten(arg, _is_leaf)
                parts.append((len(tensors), spec))
                tensors += [t if isinstance(t, Tensor) else to_tensor(t) for t in leaves]
        for name in sorted(kwargs):
            leaves, spec = tree.flatten(kwargs[name], _is_leaf)
            parts.append((name, spec))
            tensors += [t if isinstance(t, Tensor) else to_tensor(t) for t in leaves]
        parts.append(len(args))
        sharing = False
        for t in tensors:
            storage = t.storage
            array = storage._array
            if storage.shared or storage.is_view:
                sharing = True
            parts += (array.shape, array.dtype, t._stop_gradient, t.node is None)
        if len(tensors) > 1 and len({id(t.storage) for t in tensors}) < len(tensors):
            storages = [t.storage for t in tensors]
            parts.append(tuple([storages.index(s) for s in storages]))
        shared = self._memory(tensors) if sharing else None
        if shared is not None:
            parts.append(shared)
        return tensors, tuple(parts)

    def _memory(self, tensors: list[Tensor]) -> tuple | None:
        """Which arguments share memory with one another, or with what the programs made so far use from outside."""
        roots = [root_of(t.storage) for t in tensors]
        known = tuple([id(r) if r in self.cells else roots.index(r) for r in roots])
        return None if known == tuple(range(len(roots))) else known

    def _make(self, args: tuple, kwargs: dict[str, Any], tensors: list[Tensor], made_for: str,
              rolls: Rolls | None) -> Program:
        names = sorted(kwargs)
        leaves, spec = tree.flatten((args, tuple([kwargs[n] for n in names])), _is_leaf)
        function = self.rewritten
        changes: list[bool] = []

        def body(inputs: list[Tensor]) -> Any:
            trace = state.trace
            assert trace is not None
            trace.note_function(self._function, self.__self__)
            for value in tree.statics(spec):
                trace.note_given(value)
            positional, named = given = tree.unflatten(spec, inputs)
            contents = Contents(given)
            out = settled(function(*positional, **dict(zip(names, named, strict=True))))
            left = kept.take()
            changed = contents.changed()
            if changed and not all(isinstance(leaf, Tensor) for leaf in leaves):
                raise ConversionError("The function changes a list or dict that is given as an argument and holds "
                                      "arrays that are no Tensors.\nReturn the new values, or pass Tensors.")
            changes[:] = [bool(changed or left)]
            return (out, settled(changed), settled(left)) if changes[0] else out

        options = self._build_strategy.compiler_options() if self._build_strategy is not None else None
        program = Program(body, tensors, getattr(self._function, "__name__", "function"), options, made_for,
                          rolls)
        program.has_effects = changes[0]
        self.cells.update(map(root_of, (*program.reads, *program.writes)))
        self.last_example = program.example = tree.unflatten(spec, [as_spec(t) for t in tensors]), names
        return program

    def _reason(self, key: Any) -> str:
        """Why a program is made for this key: which part of it is new, or which fact has changed."""
        shown = ", ".join(f"{k.name if hasattr(k, 'name') else k}" for k in key[3:-1]) or "no tensors"
        group = self.programs.get(key)
        if group:
            return f"for {shown}: changed since the last one: {', '.join(group[0].broken()) or 'nothing known'}"
        if not self.programs:
            return f"for {shown}: the first call"
        nearest = max(self.programs, key=lambda k: sum(a == b for a, b in zip(k, key, strict=False)))
        names = ("gradients recorded", "auto_cast", "default dtype")
        pairs = enumerate(zip(nearest, key, strict=False))
        parts = [names[i] if i < 3 else f"{a} -> {b}" for i, (a, b) in pairs if a != b]
        return f"for {shown}: new arguments ({'; '.join(parts) or 'their number'})"

    # ---- looking at it ---------------------------------------------------------------------------------------

    def entries(self, input_spec: Any = None) -> list[tuple[str, Any]]:
        """For each parameter of the function, its name and the nested InputSpecs and Python values declared for it."""
        if input_spec is None and self._entries is not None:
            return self._entries
        bound = self._instance is not None
        found = match(input_spec if input_spec is not None else self._input_spec,
                      parameters_of(self.signature, bound), f"{self.__name__}()")
        if input_spec is None:
            self._entries = found
        return found

    @property
    def input_spec(self) -> Any:
        """The specs that were declared, or None."""
        return self._input_spec

    @property
    def code(self) -> str:
        """The rewritten source of the function."""
        try:
            return source(self._function)                       # type: ignore[arg-type]
        except NoSource as why:
            return f"# {self.__name__} runs as it is written: {why}."

    @property
    def concrete_program(self) -> ConcreteProgram:
        """The program that was made last, or the one that the input_spec declares."""
        if not len(self.program_cache):
            if self._input_spec is None:
                raise ArgumentError(f"{self.__name__} has no program yet: call it once, or give to_static an "
                                    "input_spec.")
            return declared(self)
        return self.program_cache.last()

    def get_concrete_program(self, *args: Any, **kwargs: Any) -> tuple[ConcreteProgram, StaticFunction]:
        """The program for such arguments (Tensors or InputSpecs), and what runs it: this function."""
        bound = self.signature.bind(*([None] if self._instance is not None else []), *args, **kwargs)
        bound.apply_defaults()
        given = bound.args[1 if self._instance is not None else 0:]
        return ConcreteProgram(self, list(given), dict(bound.kwargs)), self

    @property
    def program_cache(self) -> ProgramCache:
        """The programs that were made so far."""
        return ProgramCache(self)

    @property
    def inputs(self) -> list[Any]:
        """The tensors that `concrete_program` takes, as InputSpecs."""
        return tree.flatten(self.concrete_program.inputs, lambda x: isinstance(x, InputSpec))[0]

    @property
    def outputs(self) -> list[Any]:
        """The tensors that `concrete_program` returns, as InputSpecs."""
        return tree.flatten(self.concrete_program.outputs, lambda x: isinstance(x, InputSpec))[0]

    @property
    def main_program(self) -> Any:
        """The program of `concrete_program`."""
        return self.concrete_program.main_program

    @property
    def class_instance(self) -> Any:
        """The object whose method this is, or None."""
        return self.__self__

    def rollback(self) -> Callable:
        """Undo the conversion: gives the function as it was, and puts it back on its Layer."""
        function, instance = self.dygraph_function, self.__self__
        if instance is not None and instance.__dict__.get(self.__name__) is self:
            del instance.__dict__[self.__name__]
        return function

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", self._function)
        return f"<StaticFunction {name} with {len(self.programs)} programs>"


def _put_in(program: Program, result: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The function's own result, after the caller's lists and dicts, and attributes, have got what it left in them."""
    out, changed, left = result
    for place, value in zip(program.fact.kept, left, strict=True):
        kept.put(place, value)
    put_back((args, tuple([kwargs[name] for name in sorted(kwargs)])), changed)
    return out
