"""Running programs of static mode: one compiled function for each choice of results and shapes of inputs."""
from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from kayax.bridge.autograd import no_grad
from kayax.bridge.convert import to_tensor
from kayax.bridge.errors import ConversionError, FallbackWarning
from kayax.bridge.graph import Graph
from kayax.bridge.staging import suspended
from kayax.bridge.symbols import is_symbolic
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.spec.errors import NoEntryError
from kayax.static.program import Mode, Program, programs
from kayax.static.scopes import DenseTensor


class Executor:
    """Runs programs. place: accepted; arrays are on JAX's default device, or the one of `paddle.set_device`."""

    def __init__(self, place: Any = None):
        if isinstance(place, str) and place.partition(":")[0] not in ("cpu", "gpu", "xpu", "tpu"):
            raise ValueError(f"place must be a place, or a string such as 'cpu' or 'gpu:0', but got {place!r}.")
        self.place = place

    def run(self, program: Any = None, feed: Any = None, fetch_list: Any = None, feed_var_name: str = "feed",
            fetch_var_name: str = "fetch", scope: Any = None, return_numpy: bool = True,
            use_program_cache: bool = False, use_prune: bool = False) -> list[Any]:
        """Run a program once, and give the values of `fetch_list`.

        program: the default main program if None. The startup program sets parameters to their first values; they have
            them from the start, so that it does something only when it is run again.
        feed: a value for each input by name. fetch_list: variables, parameters or names. return_numpy: arrays, or
            `DenseTensor`s, which can be fed again.

        What changes something (updates, statistics of batch norms) runs in any case; of the rest what is fetched. A
        program is compiled once for each choice of results, shapes and dtypes.
        """
        program = getattr(program, "program", program) or Mode.main
        if not isinstance(program, Program):
            raise TypeError(f"program must be a Program, but got {type(program).__name__}.")
        with suspended(), no_grad():            # a graph's own gradients are instructions in it
            if not program.graph.instructions and program.startup is None and not fetch_list:
                _start(program)
                return []
            return self._run(program, _as_feed(feed, program), _as_list(fetch_list) or program.fetched, return_numpy)

    def _run(self, program: Program, feed: dict[str, Any], fetched: Sequence[Any], as_arrays: bool) -> list[Any]:
        graph = program.graph
        key = (len(graph.instructions), tuple([v if isinstance(v, str) else id(v) for v in fetched]), tuple(feed),
               tuple(map(id, graph.data.values())))
        plan = program._plans.get(key)
        if plan is None:
            plan = program._plans[key] = _plan(program, feed, fetched)
        in_place = as_arrays and plan.waits and plan.run.reads_in_place
        feeds = [_as_input(name, feed[name], declared, in_place) for name, declared in plan.inputs]
        values = iter(plan.run(*feeds))
        results = [next(values) if is_symbolic(v) else v.detach().clone() for v in plan.wanted]
        # Read before what was fed is let go: a program may read it where it lies.
        return [_fetched(r.numpy()) for r in results] if as_arrays else [DenseTensor(r) for r in results]

    def close(self) -> None:
        """Nothing to close."""

    def infer_from_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Not here: read batches with `paddle.io.DataLoader`, and `run` each."""
        raise NotImplementedError("There are no dataset trainers: read batches with paddle.io.DataLoader, and run "
                                  "each.")

    train_from_dataset = infer_from_dataset


class MissingInputError(NoEntryError, ValueError):
    """An input that a run needs was not fed."""


class _Plan(NamedTuple):
    """What a run with such inputs and results does. waits: it has results. held: what its key names by identity."""

    wanted: list[Tensor]
    inputs: list[tuple[str, Tensor]]
    run: _Runner
    waits: bool
    held: Any


def _plan(program: Program, feed: dict[str, Any], fetched: Sequence[Any]) -> _Plan:
    graph = program.graph
    wanted = [_find(program, v) for v in fetched]
    computed = [v for v in wanted if is_symbolic(v)]
    instructions = graph.needed(computed)
    _check_set(graph, instructions)
    names = graph.inputs(instructions, computed, feed)
    missing = [n for n in names if n not in feed]
    if missing:
        raise MissingInputError(f"The program needs the input {missing[0]!r}, which is not in feed. feed has: "
                       f"{', '.join(sorted(feed)) or 'nothing'}.")
    unknown = sorted(set(feed) - set(graph.data))
    if unknown:
        warnings.warn(f"feed has {', '.join(unknown)}, which the program does not have: it has "
                      f"{', '.join(graph.data) or 'no inputs'}.", stacklevel=4)
    key = (len(graph.instructions), tuple([id(v) for v in computed]), tuple(names))
    run, _ = program._runs.setdefault(key, (_Runner(graph, instructions, names, computed), computed))
    return _Plan(wanted, [(n, graph.data[n]) for n in names], run, bool(computed), (fetched, [*graph.data.values()]))


def _check_set(graph: Graph, instructions: Sequence[Any]) -> None:
    """An error if a parameter, of a program that was loaded, has no value yet, or if an input cannot be fed."""
    read = {s for i in instructions for s in i.reads}
    again = sorted({name for s, name in graph.replaced.items() if s in read})
    if again:
        raise ValueError(f"What is run was built from an input {again[0]!r} that static.data has declared again since, "
                         "of another shape or dtype. Give the two different names.")
    unset = [t.name for t in graph.persistable if t.storage in read and is_symbolic(t)]
    if unset:
        raise RuntimeError(f"{', '.join(unset)} of this program, which was loaded, have no value yet. Give them values "
                           "with static.load, static.deserialize_persistables or program.set_state_dict, or run the "
                           "startup program.")


class _Runner:
    """Runs instructions: compiled, or one by one where a shape depends on values, which it says once."""

    def __init__(self, graph: Graph, instructions: Sequence[Any], names: Sequence[str], computed: Sequence[Tensor]):
        reference = weakref.ref(graph)

        def run(*feeds: Tensor) -> list[Tensor]:
            graph = reference()
            assert graph is not None
            return graph.run(instructions, dict(zip(names, feeds, strict=True)), computed)

        self._plain = run
        self._compiled: StaticFunction | None = StaticFunction(run, full_graph=True)

    def __call__(self, *feeds: Tensor) -> list[Tensor]:
        if self._compiled is not None:
            try:
                return self._compiled(*feeds)
            except ConversionError as error:
                self._compiled = None
                warnings.warn(f"A program runs operation by operation, since it cannot be compiled as a whole: {error}",
                              FallbackWarning, stacklevel=4)
        return self._plain(*feeds)

    @property
    def reads_in_place(self) -> bool:
        """Whether it is compiled, and so may read what is fed where it lies."""
        return self._compiled is not None and bool(self._compiled.programs)


def _start(program: Program) -> None:
    """Parameters have their first values, but for those that share one which was there; a second run gives new ones."""
    for main in _programs_of(program):
        graph = main.graph
        chosen = {p for p, _ in (graph.created if program.initialized else graph.shared)}
        for parameter, initialize in graph.created:
            if parameter in chosen or getattr(initialize, "direction", None) in chosen:
                initialize(parameter)
    loaded = {t.storage: t for p in programs for t in p.graph.persistable if t.name in program.initializers}
    for held in loaded.values():
        held.storage._array = jnp.zeros(held.storage._array.shape, held.storage._array.dtype)
        program.initializers[held.name](held)
    program.initialized = True


def _programs_of(startup: Program) -> list[Program]:
    return [p for p in programs if p.startup is startup]


def _find(program: Program, value: Any) -> Tensor:
    if isinstance(value, str):
        return program.var(value)
    if not isinstance(value, Tensor):
        raise TypeError(f"fetch_list holds variables and their names, but got {type(value).__name__}.")
    return value


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in (_as_list(part) if isinstance(part, (list, tuple)) else [part])]
    return [] if value is None else [value]


def _as_feed(feed: Any, program: Program) -> dict[str, Any]:
    if isinstance(feed, (list, tuple)) and len(feed) == 1 and isinstance(feed[0], dict):    # a list with one device's
        feed = feed[0]
    if isinstance(feed, (list, tuple)) and len(feed) == len(program.graph.data):            # what a DataLoader gives
        feed = dict(zip(program.graph.data, feed, strict=True))
    if feed is not None and not isinstance(feed, dict):
        raise TypeError(f"feed must be a dict of values by name, but got {type(feed).__name__}.")
    return {v.name if isinstance(v, Tensor) else v: value for v, value in feed.items()} if feed else {}


def _as_input(name: str, value: Any, declared: Tensor, in_place: bool) -> Tensor:
    """What is fed, with the declared dtype; of another kind or shape it is an error.

    in_place: a NumPy array may be given to the program as it is, which reads it where it lies.
    """
    symbol = declared.storage.array
    if isinstance(value, DenseTensor):
        value = value._tensor
    if in_place and type(value) is np.ndarray and value.dtype == symbol.dtype:
        tensor = wrap(value)
    else:
        tensor = value if isinstance(value, Tensor) else to_tensor(np.asarray(value))
    array = tensor.storage.array
    if array.dtype != symbol.dtype:
        if array.dtype.kind != symbol.dtype.kind and not (array.dtype.kind in "iub" and symbol.dtype.kind in "iuf"):
            raise ValueError(f"The input {name!r} has the dtype {symbol.dtype.name}, but was fed {array.dtype.name}.")
        tensor = tensor.astype(symbol.dtype.name)
    fits = len(array.shape) == symbol.ndim and all(
        not isinstance(d, int) or d == size for d, size in zip(symbol.shape, array.shape, strict=True))
    if not fits:
        raise ValueError(f"The input {name!r} has the shape {declared.shape!r}, but was fed {list(array.shape)}.")
    return tensor.detach()


class CompiledProgram:
    """A program to be compiled, as all are. build_strategy: accepted; XLA decides."""

    def __init__(self, program_or_graph: Program, build_strategy: Any = None):
        if not isinstance(program_or_graph, Program):
            raise TypeError(f"CompiledProgram takes a Program, but got {type(program_or_graph).__name__}.")
        self.program = program_or_graph


def _fetched(array: np.ndarray) -> np.ndarray:
    """A result as from Paddle's executor: 64-bit integers are of the C type that NumPy prints with its dtype."""
    return array.view(np.longlong) if array.dtype == np.int64 else array


__all__ = ["CompiledProgram", "Executor"]
