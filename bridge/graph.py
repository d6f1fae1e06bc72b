"""Static graphs: calls that are noted instead of run, and run later on the same Tensors, filled with values.

While a graph is being built, a Tensor holds a `Symbol`, a value's shape and dtype alone. Every operation, and every
function marked `staged`, is noted as an `Instruction` with its arguments; it is run once over abstract values to learn
the shapes of its results. To run the graph, each symbolic Tensor is filled with its value while the instructions are
called again: so closures, in-place operations, writes to buffers and gradients mean what they mean eagerly, and the
whole is converted like any function.
"""
from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax import export

from kayax.bridge import autograd, rng
from kayax.bridge.cells import Storage
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, fill, wrap
from kayax.bridge.trace import Trace
from kayax.spec import dtype as dtypes
from kayax.spec import tree
from kayax.spec.size import Size

_scope = export.SymbolicScope()


class NoValueError(RuntimeError):
    """The value of a symbolic Tensor was asked for."""

    def __init__(self, what: str):
        super().__init__(
            f"{what} needs the value of a Tensor of a static graph, which has one only while the graph runs.\nRun the "
            "graph and fetch it (`exe.run(feed=..., fetch_list=[...])`), or leave static mode (paddle.disable_static).")


class Symbol:
    """What a Tensor holds while its graph is being built: a shape, perhaps with open dims, and a dtype."""

    __slots__ = ("shape", "dtype", "ndim")

    def __init__(self, shape: tuple, dtype: Any):
        self.shape, self.dtype, self.ndim = tuple(shape), dtype, len(shape)

    @property
    def size(self) -> int:
        return Size(self.shape).numel()

    @property
    def weak_type(self) -> bool:
        return False

    def __jax_array__(self) -> Any:
        raise NoValueError("This operation")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise NoValueError("numpy.asarray(tensor)")


class OpenSize(Size):
    """A shape with open dims, which print as -1 and equal -1, as in Paddle."""

    __slots__ = ()

    def _shown(self) -> list[int]:
        return [d if isinstance(d, int) else -1 for d in self]

    def __eq__(self, other: object) -> bool:
        return self._shown() == [d if isinstance(d, int) else -1 for d in other] if isinstance(other, list) else False

    __hash__ = None                 # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"paddle.Size({self._shown()})"


class Variable(Tensor):
    """A symbolic Tensor of a static graph."""

    __slots__ = ()

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions; open ones print as -1."""
        return OpenSize(self.storage.array.shape)

    @property
    def place(self) -> Any:
        return None

    def _value(self, use: str) -> Any:
        if is_symbolic(self):
            raise NoValueError(use)
        return super()._value(use)

    def backward(self, grad_tensor: Any = None, retain_graph: bool = False) -> None:
        """Not in a static graph."""
        raise RuntimeError("backward() computes at once, and a static graph has no values yet. Use optimizer.minimize(loss)"
                           ", paddle.static.append_backward(loss) or paddle.static.gradients(...).")

    def __repr__(self) -> str:
        if not is_symbolic(self):
            return super().__repr__()
        dims = "".join(f"{d}x" for d in self.shape._shown())        # type: ignore[attr-defined]
        name = dtypes.convert(self.storage.array.dtype).name
        return f"Variable(name={self.name}, dtype=tensor<{dims}{name}>, stop_gradient={self._stop_gradient})"

    __str__ = __repr__


def is_symbolic(value: Any) -> bool:
    """Whether this is a Tensor without a value."""
    return isinstance(value, Tensor) and type(value.storage._array) is Symbol


def variable(shape: Sequence[Any], dtype: Any, stop_gradient: bool = True, name: str | None = None) -> Variable:
    """A new symbolic Tensor."""
    made = fill(object.__new__(Variable), Storage(Symbol(tuple(shape), dtypes.to_numpy(dtype))), stop_gradient)
    made._name = name
    return made


def open_dims(shape: Sequence[Any]) -> tuple:
    """The shape with a symbol for each dim that is None or -1. Those at one position of several shapes are one.

    A dim may also be a name of its own, for sizes that differ.
    """
    names = [f"d{i}" if d is None or d == -1 else d for i, d in enumerate(shape)]
    return tuple(export.symbolic_shape(n, scope=_scope)[0] if isinstance(n, str) else int(n) for n in names)


class Instruction:
    """A call that was noted: the function and its arguments, the Tensors that hold its results, what it reads."""

    __slots__ = ("fn", "args", "kwargs", "outs", "reads", "effect", "grad_enabled", "amp", "dims")

    def __init__(self, fn: Callable, args: Any, kwargs: dict[str, Any], outs: list[Any], reads: list[Storage],
                 effect: bool):
        self.fn, self.args, self.kwargs, self.outs, self.reads, self.effect = fn, args, kwargs, outs, reads, effect
        self.grad_enabled, self.amp = state.grad_enabled, state.amp
        self.dims = any(_is_open(v) for v in _statics((args, kwargs)))

    def run(self, sizes: dict[str, int]) -> None:
        """Call it, and fill the Tensors of its results."""
        args, kwargs = self.args, self.kwargs
        if self.dims:
            args, kwargs = _closed((args, kwargs), sizes)
        held = state.grad_enabled, state.amp
        state.grad_enabled, state.amp = self.grad_enabled, self.amp
        try:
            out = self.fn(*args, **kwargs)
        finally:
            state.grad_enabled, state.amp = held
        for tensor, value in zip(self.outs, _leaves(out), strict=True):
            if tensor is not None and tensor is not value:
                put(tensor, value)

    def for_test(self) -> Instruction | None:
        """The same in evaluation mode; None for what only training does."""
        if self.fn in (_gradients, _apply):
            return None
        signature = getattr(self.fn, "signature", None) or inspect.signature(self.fn)
        names = [n for n in ("training", "is_test") if n in signature.parameters]
        if not names:
            return self
        bound = signature.bind(*self.args, **self.kwargs)
        bound.arguments.update({n: n == "is_test" for n in names})
        new = Instruction(self.fn, bound.args, bound.kwargs, self.outs, self.reads, self.effect)
        new.grad_enabled, new.amp = False, self.amp
        return new


class Graph:
    """Instructions in the order in which they were noted."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.data: dict[str, Variable] = {}
        self.parameters: dict[Tensor, None] = {}

    def record(self, fn: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Note a call, and give what it would give: symbolic Tensors for its results."""
        with suspended():
            seen = _Examined(fn, args, kwargs, self._symbols())
        outs = [leaf if isinstance(leaf, Tensor) else variable(*leaf) for leaf in seen.outs]
        self._note_parameters(seen.cells)
        reads = [s for s, used in zip(seen.storages, seen.used, strict=True) if used]
        self.instructions.append(Instruction(fn, args, kwargs, list(outs), reads, seen.effect))
        for tensor, symbol, stop in seen.changed:
            tensor.storage._array = symbol
            tensor._stop_gradient = stop
        return tree.unflatten(seen.spec, outs)

    def gradients(self, targets: list[Tensor], inputs: list[Tensor], given: list[Any] | None,
                  no_grad: Sequence[Any] = ()) -> list[Any]:
        """Note the gradients of the targets with respect to the inputs; None where there is none."""
        outs = [variable(x.storage.array.shape, x.storage.array.dtype) for x in inputs]
        for x, out in zip(inputs, outs, strict=True):
            out._name = f"{x.name}@GRAD"
        reached = self._reaching(targets)
        found = [out if x.storage in reached else None for x, out in zip(inputs, outs, strict=True)]
        used = [t.storage for t in (*targets, *inputs, *(given or ())) if is_symbolic(t)]
        self.instructions.append(Instruction(_gradients, (targets, inputs, given, list(no_grad)), {}, found, used, False))
        return found

    def apply(self, optimizer: Any, pairs: Sequence[tuple[Tensor, Any]]) -> None:
        """Note an optimizer's update with these gradients."""
        pairs = [(p, g) for p, g in pairs if g is not None]
        used = [g.storage for _, g in pairs]
        self.instructions.append(Instruction(_apply, (optimizer, pairs), {}, [], used, True))

    def _symbols(self) -> list[Tensor]:
        return [*self.data.values(), *(t for i in self.instructions for t in i.outs if t is not None)]

    def _note_parameters(self, cells: Sequence[Tensor]) -> None:
        for tensor in cells:
            self.parameters.setdefault(tensor)

    def _reaching(self, targets: Sequence[Tensor]) -> set[Storage]:
        """The storages that the targets depend on."""
        found = {t.storage for t in targets}
        for instruction in reversed(self.instructions):
            if any(t is not None and t.storage in found for t in instruction.outs) or instruction.effect:
                found.update(instruction.reads)
                found.update(t.storage for t in _tensors((instruction.args, instruction.kwargs)))
        return found | {p.storage for p in self.parameters}

    def needed(self, wanted: Sequence[Tensor]) -> list[Instruction]:
        """The instructions that these values depend on, and all that change something."""
        storages, chosen = {t.storage for t in wanted}, []
        for instruction in reversed(self.instructions):
            if instruction.effect or any(t is not None and t.storage in storages for t in instruction.outs):
                chosen.append(instruction)
                storages.update(instruction.reads)
        return chosen[::-1]

    def run(self, instructions: Sequence[Instruction], feeds: dict[str, Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
        """Run instructions on these inputs: eagerly, or inside a function that is being converted."""
        touched = [self.data[n] for n in feeds] + [t for i in instructions for t in i.outs if t is not None]
        with suspended(), symbols_kept(touched):
            for name, value in feeds.items():
                put(self.data[name], value)
            sizes = _sizes({self.data[n]: v for n, v in feeds.items()}, touched)
            for instruction in instructions:
                instruction.run(sizes)
            return [wrap(t.storage.array) for t in wanted]


@contextlib.contextmanager
def suspended() -> Iterator[None]:
    """Inside, operations run instead of being noted."""
    held, state.graph = state.graph, None
    try:
        yield
    finally:
        state.graph = held


# ---- Tensors that stand for values -----------------------------------------------------------------------------


def put(tensor: Tensor, value: Any) -> None:
    """Let a symbolic Tensor be this value, with its place in the graph of gradients unless it is to have none."""
    storage = tensor.storage
    storage._array, storage.trace, storage.version = value.storage.array, state.trace, 0
    tensor.node, tensor.index = (None, 0) if tensor._stop_gradient else (value.node, value.index)


@contextlib.contextmanager
def symbols_kept(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Inside, these Tensors may be filled; afterwards they are symbolic again."""
    kept = [(t, t.storage, t.storage._array, t._stop_gradient) for t in tensors]
    try:
        yield
    finally:
        for tensor, storage, symbol, stop in kept:
            tensor.storage, storage._array, storage.trace, storage.version = storage, symbol, None, 0
            tensor.node, tensor.index, tensor._grad, tensor._stop_gradient = None, 0, None, stop


class _Examined:
    """What a call does, learned from a run over abstract values.

    outs: for each result a Tensor that was there before, or (shape, dtype, stop_gradient). storages, used: the symbolic
    storages that it could read, and whether it does. changed: symbolic Tensors that it writes in place.
    """

    def __init__(self, fn: Callable, args: tuple, kwargs: dict[str, Any], known: Sequence[Tensor]):
        given = [t for t in _tensors((args, kwargs)) if is_symbolic(t)]
        unique: dict[Storage, Tensor] = {}
        for t in (*given, *known) if _has_closures(fn, args, kwargs) else given:
            if is_symbolic(t):
                unique.setdefault(t.storage, t)
        self.storages, self.tensors = list(unique), list(unique.values())
        avals = [jax.ShapeDtypeStruct(s._array.shape, s._array.dtype) for s in self.storages]
        before = [(t, t.storage._array, t._stop_gradient) for t in self.tensors]
        # Other Tensors of the same storages among the arguments (detached ones) see the values too.
        jaxpr = jax.make_jaxpr(lambda arrays: self._run(fn, args, kwargs, arrays))(avals).jaxpr
        seen = {v for eqn in jaxpr.eqns for v in eqn.invars if not hasattr(v, "val")}
        seen |= {v for v in jaxpr.outvars if not hasattr(v, "val")}
        self.used = [v in seen for v in jaxpr.invars]
        self.changed = [(t, Symbol(*now), stop) for (t, old, flag), (now, stop) in zip(before, self.after, strict=True)
                        if now != (old.shape, old.dtype) or stop != flag]
        written = {t.storage for t in given} & self.rewritten
        self.effect = bool(self.writes) or bool(written)

    def _run(self, fn: Callable, args: tuple, kwargs: dict[str, Any], arrays: Sequence[Any]) -> list[Any]:
        trace = Trace()
        with trace, symbols_kept(self.tensors):
            for tensor, array in zip(self.tensors, arrays, strict=True):
                put(tensor, wrap(array))
            leaves, self.spec = tree.flatten(fn(*args, **kwargs), _is_tensor)
            self.outs: list[Any] = []
            for leaf in leaves:
                array = leaf.storage.array
                stays = any(leaf is t for t in self.tensors) or (leaf.storage.trace is not trace)
                self.outs.append(leaf if stays else (array.shape, array.dtype, leaf._stop_gradient))
            self.after = [((t.storage._array.shape, t.storage._array.dtype), t._stop_gradient) for t in self.tensors]
            self.rewritten = {t.storage for t in self.tensors if t.storage.version}
            generator = rng.default_generator().storage
            self.writes = [s for s in trace.writes if s is not generator]
            self.cells = list(trace.captured)
            return [leaf.storage.array for leaf in leaves] + [t.storage.array for t in self.tensors if t.storage.version]


def _has_closures(fn: Callable, args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether a call may look at Tensors that are not among its arguments: one that takes functions."""
    return any(callable(v) and not isinstance(v, (type, Tensor)) for v in _statics((args, kwargs)))


# ---- gradients and updates, as they run -------------------------------------------------------------------------


def _gradients(targets: list[Tensor], inputs: list[Tensor], given: list[Any] | None, no_grad: list[Any]) -> list[Any]:
    blocked = [t for t in no_grad if isinstance(t, Tensor)]
    return autograd.grad(targets, inputs, given, retain_graph=True, create_graph=True, allow_unused=True,
                         no_grad_vars=blocked or None)


def _apply(optimizer: Any, pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    with autograd.no_grad():
        optimizer.apply_gradients([(p, g.detach()) for p, g in pairs if not p.stop_gradient])


# ---- arguments -------------------------------------------------------------------------------------------------


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _tensors(value: Any) -> list[Tensor]:
    return tree.flatten(value, _is_tensor)[0]


def _leaves(value: Any) -> list[Any]:
    return tree.flatten(value, lambda v: isinstance(v, Tensor) or v is None)[0] if _has_none(value) else _tensors(value)


def _has_none(value: Any) -> bool:
    return type(value) is list and any(v is None for v in value)


def _statics(value: Any) -> Iterator[Any]:
    """The plain values in nested arguments."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _statics(part)
    elif isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
    else:
        yield value


# ---- open dims --------------------------------------------------------------------------------------------------


def _is_open(value: Any) -> bool:
    return type(value).__name__ == "_DimExpr" and export.is_symbolic_dim(value)


class _Conflict:
    """An open dim that was found with two sizes."""

    def __init__(self, *sizes: int):
        self.sizes = sizes


def _sizes(feeds: dict[Tensor, Tensor], touched: Sequence[Tensor]) -> dict[str, Any]:
    """The size of each open dim, from the values that are fed; called while the Tensors are filled."""
    sizes: dict[str, Any] = {}
    for tensor, value in feeds.items():
        for name, size in zip(tensor.__dict__.get("open_dims", ()), value.storage.array.shape, strict=False):
            if isinstance(name, str) and sizes.setdefault(name, size) != size:
                sizes[name] = _Conflict(sizes[name], size)
    return sizes


def _closed(value: Any, sizes: dict[str, Any]) -> Any:
    """Nested arguments with a number for each open dim."""
    if isinstance(value, dict):
        return {k: _closed(v, sizes) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_closed(v, sizes) for v in value])
    if isinstance(value, list):                                     # a shape
        return [_closed(v, sizes) for v in value]
    if isinstance(value, slice):
        return slice(*(_closed(v, sizes) for v in (value.start, value.stop, value.step)))
    return _evaluated(value, sizes) if _is_open(value) else value


_FUNCTIONS = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b, "max": max, "min": min}


def _evaluated(dim: Any, sizes: dict[str, Any]) -> int:
    """The value of an open dim, from its text: sums, products and the functions above, as JAX writes them."""
    names = {n: s for n, s in sizes.items()}
    clash = [n for n, s in names.items() if isinstance(s, _Conflict) and n in str(dim)]
    if clash:
        raise ValueError(f"The graph computes with the open dim {clash[0]!r}, but was fed Tensors where it has the sizes "
                         f"{names[clash[0]].sizes}. Give dims of different sizes names of their own in static.data, such "
                         "as ['batch', 'source'] and ['batch', 'target'].")
    return int(eval(str(dim).replace("^", "**"), {"__builtins__": {}}, {**_FUNCTIONS, **names}))
