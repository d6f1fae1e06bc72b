"""Symbolic Tensors: what Tensors of a static graph hold while it is being built, shapes with open dims included."""
from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jax import export

from kayax.bridge.cells import Storage
from kayax.bridge.open_sizes import is_open
from kayax.bridge.tensor import Tensor, fill
from kayax.spec import dtype as dtypes
from kayax.spec.size import Size

_scope = export.SymbolicScope()


class NoValueError(RuntimeError, TypeError):
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

    def __ne__(self, other: object) -> bool:            # a list has its own
        return not self == other

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

    def _is_value(self) -> bool:
        return False

    def item(self, *args: int) -> Any:
        """The variable without dimensions, as it is in Paddle's programs; for an element at a place, index it."""
        if args or not is_symbolic(self) or self.storage.array.size != 1:
            return super().item(*args)
        return self.reshape([])

    def cpu(self) -> Variable:
        """The same: where a value is, is known when the graph runs."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Variable:
        """The same."""
        return self

    @property
    def device(self) -> Any:
        return None

    is_cuda = property(lambda self: False)

    def backward(self, grad_tensor: Any = None, retain_graph: bool = False, *,
                 dump_backward_graph_path: str | None = None) -> None:
        """Not in a static graph."""
        raise RuntimeError("backward() computes at once, and a static graph has no values yet. Use "
                           "optimizer.minimize(loss), paddle.static.append_backward(loss) or static.gradients(...).")

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


def check_values(values: Sequence[Any], operation: str) -> None:
    """An error that says what to do, if one of these is a symbolic Tensor."""
    if any(is_symbolic(v) for v in values):
        raise NoValueError(f"`{operation}`")


def variable(shape: Sequence[Any], dtype: Any, stop_gradient: bool = True, name: str | None = None) -> Variable:
    """A new symbolic Tensor."""
    made = fill(object.__new__(Variable), Storage(Symbol(tuple(shape), dtypes.to_numpy(dtype))), stop_gradient)
    made._name = name
    return made


def open_dims(names: Sequence[Any]) -> tuple:
    """The shape with a symbol for each name in it."""
    return tuple(export.symbolic_shape(n, scope=_scope)[0] if isinstance(n, str) else n for n in names)


_new_dims = itertools.count()


def new_dim(place: int) -> Any:
    """An open dim of its own, at this place of a shape: a size that is found when the graph runs."""
    return export.symbolic_shape(f"u{place}_{next(_new_dims)}", scope=_scope)[0]


def parsed_dim(text: str, renamed: dict[str, Any]) -> Any:
    """The open dim that was written as this text. Those of `new_dim` get new names, which `renamed` remembers."""
    def own(name: re.Match) -> str:
        if is_new(name[0]) and name[0] not in renamed:
            renamed[name[0]] = new_dim(int(name[0][1:].partition("_")[0]))
        return str(renamed.get(name[0], name[0]))

    text = re.sub(r"\b[A-Za-z_]\w*\b", own, text)
    return export.symbolic_shape(text, scope=_scope)[0]


def is_new(name: str) -> bool:
    """Whether an open dim is one of these, and not of an input."""
    return re.fullmatch(r"u\d+_\d+", name) is not None


def declared(shape: Sequence[Any], dtype: Any, name: str | None, place: int, stop_gradient: bool = True) -> Variable:
    """A symbolic Tensor of a shape whose dims may be None or -1 (open), or names of open dims.

    place: tells its open dims from those of others.
    """
    names = [f"d{i}_{place}" if d is None or (not isinstance(d, str) and d == -1) else d if isinstance(d, str)
             else int(d) for i, d in enumerate(shape)]
    made = variable(open_dims(names), dtype, stop_gradient, name)
    made.__dict__["open_dims"] = names
    return made


def as_one(names: Iterable[str]) -> dict[str, Any]:
    """For each open dim the one that it is if those at the same place of all shapes are equal; empty if none differ."""
    first: dict[str, str] = {}
    found = {n: first.setdefault(n[1:].partition("_")[0] if re.fullmatch(r"[du]\d+_\d+", n) else n, n)
             for n in sorted(names)}
    same = all(n == one for n, one in found.items())
    return {} if same else dict(zip(found, open_dims(list(found.values())), strict=True))


# ---- open dims --------------------------------------------------------------------------------------------------


class _Conflict:
    """An open dim that was found with two sizes."""

    def __init__(self, *sizes: int):
        self.sizes = sizes


def dims_in(value: Any) -> set[str]:
    """The names of the open dims in nested arguments."""
    return {name for v in plain_values(value) if is_open(v) for name in re.findall(r"\b[A-Za-z_]\w*\b", str(v))} - set(
        _FUNCTIONS)


def plain_values(value: Any) -> Iterator[Any]:
    """What is not a list, tuple, dict or slice in nested arguments."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from plain_values(part)
    elif isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
    else:
        yield value


def sizes_of(feeds: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Any]:
    """The size of each open dim, from the values that are fed."""
    sizes: dict[str, Any] = {}
    for tensor, value in feeds:
        for name, size in zip(tensor.__dict__["open_dims"], value.storage.array.shape, strict=True):
            if isinstance(name, str) and sizes.setdefault(name, size) is not size and sizes[name] != size:
                sizes[name] = _Conflict(sizes[name], size)
    return sizes


def measure(symbol: Symbol, array: Any, sizes: dict[str, Any], what: Any) -> None:
    """Compare the shape that a result was to have with the one it has, and take the sizes that were not known."""
    shape = array.shape
    fits = len(shape) == symbol.ndim and all(
        not isinstance(d, int) or d == n for d, n in zip(symbol.shape, shape, strict=True))
    if not fits:
        name = getattr(what, "name", None) or getattr(what, "__name__", "a call")
        raise RuntimeError(f"A result of `{name}` has the shape {list(shape)}, but while the graph was built it was "
                           f"{OpenSize(symbol.shape)!r}, for the sizes that were tried. Declare the dims of the inputs "
                           "that are known.")
    for dim, size in zip(symbol.shape, shape, strict=True):
        if not isinstance(dim, int) and is_new(str(dim)):
            sizes.setdefault(str(dim), size)


def closed(value: Any, sizes: dict[str, Any]) -> Any:
    """Nested arguments with a number for each open dim."""
    if isinstance(value, dict):
        return {k: closed(v, sizes) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)([closed(v, sizes) for v in value])
    if isinstance(value, list):                                     # a shape
        return [closed(v, sizes) for v in value]
    if isinstance(value, slice):
        return slice(*(closed(v, sizes) for v in (value.start, value.stop, value.step)))
    return _evaluated(value, sizes) if is_open(value) else value


_FUNCTIONS = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b, "max": max, "min": min}


def _evaluated(dim: Any, sizes: dict[str, Any]) -> int:
    """The value of an open dim, from its text: sums, products and the functions above, as JAX writes them."""
    text = str(dim)
    for name, size in sizes.items():
        if isinstance(size, _Conflict) and re.search(rf"\b{name}\b", text):
            raise ValueError(f"The graph computes with the open dim {name!r}, but was fed Tensors where it has the "
                             f"sizes {size.sizes}. Give dims of different sizes different names in static.data.")
    found = eval(text.replace("^", "**"), {"__builtins__": {}}, {**_FUNCTIONS, **sizes})
    return found if is_open(found) else int(found)
