"""Programs of static mode: what is noted, the default ones, and the inputs."""
from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Iterator, Sequence
from types import NoneType
from typing import Any

import numpy as np

from kayax import seed
from kayax.bridge.examined import tensors_in
from kayax.bridge.graph import Graph, Instruction
from kayax.bridge.open_sizes import is_open
from kayax.bridge.parameter import Parameter
from kayax.bridge.state import state
from kayax.bridge.symbols import Variable, declared
from kayax.bridge.tensor import Tensor
from kayax.spec.errors import ArgumentError

programs: weakref.WeakSet[Program] = weakref.WeakSet()


class Program:
    """Operations that were noted in static mode, with the parameters that they use."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.startup: Program | None = None
        self.initialized = False
        self.fetched: Sequence[Tensor] = ()         # what a run without a fetch_list gives
        self.initializers: dict[str, Any] = {}      # of the parameters of a startup program that was loaded
        self._seed = 0
        self._runs: dict[Any, Any] = {}             # what the Executor has compiled
        self._plans: dict[Any, Any] = {}            # and what it found out about each kind of run
        programs.add(self)

    def clone(self, for_test: bool = False) -> Program:
        """The same program, on the same parameters; in evaluation mode and without updates with `for_test`."""
        new = Program()
        new.graph.data, new.graph.persistable = dict(self.graph.data), dict(self.graph.persistable)
        new.graph.replaced = dict(self.graph.replaced)
        new.startup, new.fetched, new.initializers = self.startup, self.fetched, self.initializers
        new._seed = self._seed
        instructions: Sequence[Instruction | None] = self.graph.instructions
        if for_test:
            instructions = [i.for_test() for i in self.graph.instructions]
        new.graph.instructions = [i for i in instructions if i is not None]
        return new

    def global_block(self) -> Program:
        """The program itself: it has one block."""
        return self

    def block(self, index: int = 0) -> Program:
        """As `global_block`."""
        if index not in (0, -1):
            raise IndexError(f"The program has one block, with the number 0, but got {index}.")
        return self

    current_block = global_block

    @property
    def blocks(self) -> list[Program]:
        return [self]

    @property
    def program(self) -> Program:
        return self

    num_blocks = 1

    @property
    def ops(self) -> list[Any]:
        """What was noted, each with its `type`; of a startup program what sets each parameter."""
        noted = self.graph.instructions or [
            Instruction(_Initial(f), (p,), {}, [p], [], True)
            for main in programs if main.startup is self for p, f in main.graph.created]
        return [Operation(i) for i in noted]

    def num_ops(self) -> int:
        """How many operations were noted."""
        return len(self.ops)

    @property
    def vars(self) -> dict[str, Tensor]:
        """All variables by name."""
        return {v.name: v for v in self.list_vars()}

    def list_vars(self) -> list[Tensor]:
        """Inputs, parameters and buffers, and the results of operations."""
        results = [t for i in self.graph.instructions for t in i.outs]
        return list(dict.fromkeys([*self.graph.data.values(), *self.graph.persistable, *results]))

    def all_parameters(self) -> list[Tensor]:
        """The parameters, in the order of their use."""
        return [p for p in self.graph.persistable if isinstance(p, Parameter)]

    def var(self, name: str) -> Tensor:
        """The variable with this name."""
        found = self.vars.get(name)
        if found is None and name in (own := [f"fetch_name_{i}" for i in range(len(self.fetched))]):
            return self.fetched[own.index(name)]
        if found is None:
            raise ValueError(f"The program has no variable {name!r}. Its inputs are {sorted(self.graph.data)}.")
        return found

    def has_var(self, name: str) -> bool:
        """Whether there is a variable with this name."""
        return name in self.vars

    def create_var(self, name: str | None = None, shape: Sequence[int] = (), dtype: Any = "float32",
                   stop_gradient: bool = True, **kwargs: Any) -> Variable:
        """A variable without a value, for functions that fill one."""
        return declared(shape, dtype, name, len(self.graph.instructions), stop_gradient)

    @property
    def random_seed(self) -> int:
        """The seed that was set, 0 if none was."""
        return self._seed

    @random_seed.setter
    def random_seed(self, value: int) -> None:
        if not isinstance(value, int):
            raise ValueError(f"random_seed must be an int, but got {type(value).__name__}.")
        self._seed = value
        seed(value)

    def state_dict(self, mode: str = "all", scope: Any = None) -> dict[str, Tensor]:
        """The parameters and buffers by name ("param" for the parameters alone)."""
        if mode not in ("all", "param", "opt"):
            raise ValueError(f"mode must be 'all', 'param' or 'opt', but got {mode!r}.")
        found = [t for t in self.graph.persistable if mode == "all" or isinstance(t, Parameter) == (mode == "param")]
        return {t.name: t for t in found}

    def set_state_dict(self, state_dict: dict[str, Any], scope: Any = None) -> None:
        """Copy values into the parameters and buffers of these names."""
        if not isinstance(state_dict, dict):
            raise TypeError(f"state_dict must be a dict, but got {type(state_dict).__name__}.")
        own = self.state_dict()
        for name, value in state_dict.items():
            if name not in own:
                continue
            if list(np.shape(value)) != list(own[name].shape):
                raise ArgumentError(f"{name} has the shape {list(own[name].shape)}, but got a value of "
                                    f"{list(np.shape(value))}.")
            own[name].set_value(value)

    def to_string(self, throw_on_error: bool = False, with_details: bool = False) -> str:
        """The operations as text."""
        calls = self.graph.instructions
        lines = [f"    {', '.join(t.name for t in i.outs) or '-'} = {Operation(i).type}(...)" for i in calls]
        return "\n".join(["{", *(f"    {v!r}" for v in self.graph.data.values()), *lines, "}"])

    __str__ = to_string

    def __repr__(self) -> str:
        return self.to_string()

    def __deepcopy__(self, memo: dict) -> Program:
        return self.clone()


class _Initial:
    """Sets a parameter, as an operation to look at."""

    def __init__(self, initialize: Any):
        self.name, self.initialize = type(initialize).__name__.lower(), initialize

    def __call__(self, param: Tensor) -> Tensor:
        self.initialize(param)
        return param


class Operation:
    """One operation, to look at: what it is called, the variables that it takes and gives, its other arguments."""

    def __init__(self, instruction: Instruction):
        self.instruction = instruction
        name = getattr(instruction.fn, "name", None) or getattr(instruction.fn, "__name__", "call")
        self.type = str(name).rpartition(".")[2].strip("_")
        signature = getattr(instruction.fn, "signature", None) or inspect.signature(instruction.fn)
        self._arguments = signature.bind(*instruction.args, **instruction.kwargs).arguments

    def name(self) -> str:
        """The operation's name as one of Paddle's dialect."""
        return f"pd_op.{self.type}"

    def input(self, name: str) -> list[str]:
        """The names of the variables in the argument of this name, written as it is or in capitals."""
        return [t.name for key, value in self._arguments.items() if key.lower() == name.lower()
                for t in tensors_in(value)]

    def output(self, name: str) -> list[str]:
        """The names of the results, whatever Paddle calls them."""
        return self.output_arg_names

    def operands_source(self) -> list[Tensor]:
        """The variables that it takes."""
        return tensors_in((self.instruction.args, self.instruction.kwargs))

    def operand_source(self, index: int) -> Tensor:
        """The variable with this number among those that it takes."""
        return self.operands_source()[index]

    def result(self, index: int) -> Tensor:
        """The variable with this number among those that it gives."""
        return self.results()[index]

    def results(self) -> list[Tensor]:
        """The variables that it gives."""
        return list(self.instruction.outs)

    @property
    def input_arg_names(self) -> list[str]:
        return [t.name for t in self.operands_source()]

    @property
    def output_arg_names(self) -> list[str]:
        return [t.name for t in self.instruction.outs]

    @property
    def input_names(self) -> list[str]:
        return [key for key, value in self._arguments.items() if tensors_in(value)]

    @property
    def attr_names(self) -> list[str]:
        return [key for key, value in self._arguments.items() if not tensors_in(value)]

    def has_attr(self, name: str) -> bool:
        """Whether an argument of this name, which is no variable, is given."""
        return name in self.attr_names

    def attr(self, name: str) -> Any:
        """The argument of this name."""
        if name not in self.attr_names:
            raise ValueError(f"The operation {self.type} has no attribute {name!r}. It has: {self.attr_names}.")
        return self._arguments[name]

    def all_attrs(self) -> dict[str, Any]:
        """All arguments that are no variables."""
        return {name: self._arguments[name] for name in self.attr_names}

    attrs = all_attrs

    def num_operands(self) -> int:
        """How many variables it takes."""
        return len(self.operands_source())

    def num_results(self) -> int:
        """How many variables it gives."""
        return len(self.instruction.outs)

    def __repr__(self) -> str:
        return self.type


class Mode:
    """Whether static mode is on, and the programs that are being built."""

    main, startup = Program(), Program()

    @classmethod
    def enter(cls) -> None:
        """Switch it on."""
        from kayax.static import scopes, uses  # noqa: F401  (methods of variables)
        cls.main.startup = cls.main.startup or cls.startup
        state.graph = cls.main.graph

    @classmethod
    def leave(cls) -> None:
        """Switch it off."""
        state.graph = None


def default_main_program() -> Program:
    """The program that operations are noted in."""
    return Mode.main


def default_startup_program() -> Program:
    """The program that gives the parameters of the main one their first values."""
    return Mode.startup


@contextlib.contextmanager
def program_guard(main_program: Program, startup_program: Program | None = None) -> Iterator[None]:
    """Inside, these are the default programs."""
    for name, program in (("main_program", main_program), ("startup_program", startup_program)):
        if not isinstance(program, Program) and not (program is None and name == "startup_program"):
            raise TypeError(f"{name} must be a Program, but got {type(program).__name__}.")
    held = Mode.main, Mode.startup, state.graph
    Mode.main, Mode.startup = main_program, startup_program or Mode.startup
    main_program.startup = Mode.startup
    if state.graph is not None:
        state.graph = main_program.graph
    try:
        yield
    finally:
        Mode.main, Mode.startup, state.graph = held


def data(name: str, shape: Sequence[Any], dtype: Any = None, lod_level: int = 0) -> Variable:
    """An input of the main program, to be fed under this name.

    shape: dims of None or -1 are open. Where inputs meet, their open dims at the same position are taken to be equal if
        they can be; a name in place of None, such as ``["batch", "source"]``, sets one apart.
    dtype: the default dtype if None.
    """
    if state.graph is None:
        raise RuntimeError("static.data makes an input of a program, and static mode is off. Call "
                           "paddle.enable_static() first, or make a Tensor with paddle.to_tensor.")
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, but got {type(name).__name__}.")
    if not isinstance(shape, (list, tuple)) or not all(
            isinstance(d, (int, str, np.integer, NoneType)) or is_open(d) for d in shape):
        raise TypeError(f"shape must be a list of ints, None and names, but got {shape!r}.")
    from kayax.spec.dtype import get_default_dtype
    graph = state.graph
    made = declared(shape, dtype or get_default_dtype(), name, len(graph.data))
    old = graph.data.get(name)
    if old is not None and old.shape == made.shape and old.dtype == made.dtype:
        return old
    if old is not None:
        graph.replaced[old.storage] = name
    graph.data[name] = made
    return made


def append_backward(loss: Tensor, parameter_list: Sequence[Any] | None = None, no_grad_set: Any = None,
                    callbacks: Any = None, checkpoints: Any = None,
                    distop_context: Any = None) -> list[tuple[Tensor, Tensor]]:
    """Add the gradients of a loss to the main program, and give the pairs (parameter, gradient).

    parameter_list: Parameters or names, those of the program if None. no_grad_set: of these, which to leave out.
    """
    _need_graph("append_backward")
    _need_variables([loss], "append_backward")
    return state.graph.append_backward(loss, parameter_list, no_grad_set)


def gradients(targets: Any, inputs: Any, target_gradients: Any = None, no_grad_set: Any = None) -> list[Any]:
    """Add to the main program the gradients of the sum of `targets` with respect to `inputs`: None where there is none.

    target_gradients: a cotangent for each target, ones if None. no_grad_set: variables that no gradient passes through.
    """
    _need_graph("gradients")
    as_list = lambda v: list(v) if isinstance(v, (list, tuple)) else [v]                        # noqa: E731
    given = None if target_gradients is None else as_list(target_gradients)
    blocked = [v for v in no_grad_set or () if isinstance(v, Tensor)]
    inputs = as_list(inputs)
    _need_variables([*as_list(targets), *inputs], "gradients")
    for x in inputs:
        x._stop_gradient = False
    return state.graph.gradients(as_list(targets), inputs, given, blocked)


def _need_variables(values: Sequence[Any], name: str) -> None:
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"static.{name} takes variables, but got {type(value).__name__}.")


def _need_graph(name: str) -> None:
    if state.graph is None:
        raise RuntimeError(f"static.{name} adds to a program, and static mode is off. Call paddle.enable_static() "
                           "first, or use loss.backward() and paddle.grad.")


def normalize_program(program: Program, feed_vars: Any, fetch_vars: Any, **kwargs: Any) -> Program:
    """A copy with what is needed to get from the inputs to the outputs alone, in evaluation mode.

    A run of it without a `fetch_list` gives the outputs. skip_prune_program: (keyword) keep the rest.
    """
    if not isinstance(program, Program):
        raise TypeError(f"program must be a Program, but got {type(program).__name__}.")
    feeds, fetches = (list(v) if isinstance(v, list) else [v] for v in (feed_vars, fetch_vars))
    for name, values in (("feed_vars", feeds), ("fetch_vars", fetches)):
        if not all(isinstance(v, Tensor) for v in values):
            raise TypeError(f"{name} must be a variable or a list of variables, but got {values!r}.")
    if not program.graph.instructions:
        raise ValueError("The program is empty: it needs at least one operation.")
    new = program.clone(for_test=True)
    if not kwargs.get("skip_prune_program", False):
        new.graph.instructions = new.graph.needed(fetches)
        new.graph.data = {v.name: v for v in feeds if isinstance(v, Variable)}
    read = {s for i in new.graph.instructions for s in i.reads}
    new.graph.persistable = {t: None for t in new.graph.persistable if t.storage in read}
    new.fetched = fetches
    return new


__all__ = ["Mode", "Program", "append_backward", "data", "default_main_program", "default_startup_program",
           "gradients", "normalize_program", "program_guard", "programs"]
