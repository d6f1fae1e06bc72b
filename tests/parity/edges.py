"""Calls at the edges of what an operator takes: how one is written as a line of text, and run as a case.

A line is ``path | arguments``, Python's own text but for inputs: ``n.f32(2, 3)`` is a Tensor of normal values, and its
values follow from the line. ``path(options) | arguments`` builds a Layer, and calls it; ``path(options).method |
arguments`` says what to call of an object. `edge_variants.py` makes the lines, `record_edges.py` records them on real
Paddle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from compare import differences, renamed, under_auto_cast
from harness import Case, Caught, Record, Value, resolve, run, tensor
from specs import Spec, random_state

DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i16": "int16",
          "i32": "int32", "i64": "int64", "u8": "uint8", "b": "bool", "c64": "complex64", "c128": "complex128"}
SHORT = {name: short for short, name in DTYPES.items()}
KEPT = 12       # of larger arrays that many elements, evenly apart, are recorded


@dataclass(frozen=True)
class Input:
    """A Tensor among the arguments: what its values are like (`kind`), its dtype and shape.

    kind "v": `extra` holds the values; "i": integers between the two of `extra`; else a key of `_DRAW`.
    """

    kind: str
    dtype: str
    shape: tuple[int, ...]
    extra: tuple = ()
    grad: bool = True

    @property
    def floating(self) -> bool:
        return "float" in self.dtype or "complex" in self.dtype

    def fixed(self) -> Input:
        """The same with stop_gradient=True."""
        return replace(self, grad=False)

    def spec(self) -> Spec:
        return Spec(self._draw, self.dtype, self.grad)

    def _draw(self, r: np.random.RandomState) -> Any:
        if self.kind == "v":
            return np.asarray(self.extra[0])
        if self.kind == "i":
            return r.randint(*self.extra, self.shape)
        if self.dtype == "bool":
            return r.uniform(size=self.shape) < 0.5
        if "int" in self.dtype:
            low, high = _WHOLE[self.kind]
            return r.randint(max(low, 0) if self.dtype == "uint8" else low, high, self.shape)
        values = _DRAW[self.kind](r, self.shape)
        return values + 1j * _DRAW[self.kind](r, self.shape) if "complex" in self.dtype and self.kind != "d" else values

    def __repr__(self) -> str:
        inside = repr(self.extra[0]) if self.kind == "v" else ", ".join(map(repr, self.extra + self.shape))
        fixed = "" if self.grad or not self.floating else ".fixed()"
        return f"{self.kind}.{SHORT[self.dtype]}({inside}){fixed}"


def _simplex(r: np.random.RandomState, shape: tuple) -> np.ndarray:
    raw = r.uniform(0.2, 1.0, shape)
    return raw / raw.sum(-1, keepdims=True) if raw.ndim else raw


def _definite(r: np.random.RandomState, shape: tuple) -> np.ndarray:
    if len(shape) < 2 or shape[-1] != shape[-2]:
        return r.uniform(1.0, 2.0, shape)
    root = r.standard_normal(shape)
    return root @ np.swapaxes(root, -1, -2) + 2.0 * np.eye(shape[-1])


def _apart(r: np.random.RandomState, shape: tuple) -> np.ndarray:
    size = int(np.prod(shape))
    return 0.37 * (r.permutation(size) - size // 2).reshape(shape)


# What values are like: normal, positive, in the unit interval, symmetric below 1, wide, simplex, definite, distinct.
_DRAW: dict[str, Callable[[np.random.RandomState, tuple], np.ndarray]] = {
    "n": lambda r, shape: r.standard_normal(shape), "p": lambda r, shape: r.uniform(0.2, 3.0, shape),
    "u": lambda r, shape: r.uniform(0.05, 0.95, shape), "s": lambda r, shape: r.uniform(-0.95, 0.95, shape),
    "w": lambda r, shape: 4.0 * r.standard_normal(shape), "x": _simplex, "d": _definite, "q": _apart}
_WHOLE = {"n": (-3, 4), "p": (1, 5), "u": (0, 2), "s": (-1, 2), "w": (-6, 7), "x": (0, 2), "d": (2, 4), "q": (-3, 4)}


@dataclass(frozen=True)
class Host:
    """An input that is given as a NumPy array (`A`), a nested list (`L`), a NumPy number (`S`)."""

    form: str
    given: Input

    def value(self, words: str) -> Any:
        array = self.given.spec().array(words, self.form)
        return array if self.form == "A" else array.tolist() if self.form == "L" else array[()]

    def __repr__(self) -> str:
        return f"{self.form}({self.given!r})"


@dataclass(frozen=True)
class Dtype:
    """The module's dtype of this name."""

    name: str

    def __repr__(self) -> str:
        return f"D({self.name!r})"


class _Kind:
    def __init__(self, kind: str):
        self.kind = kind

    def __getattr__(self, short: str) -> Callable[..., Input]:
        dtype = DTYPES[short]
        if self.kind == "v":
            return lambda values: Input("v", dtype, np.shape(values), (values,))
        count = 2 if self.kind == "i" else 0
        return lambda *numbers: Input(self.kind, dtype, numbers[count:], numbers[:count])


WORDS: dict[str, Any] = {**{kind: _Kind(kind) for kind in "npuswxdqvi"}, **{
    form: lambda given, form=form: Host(form, given) for form in "ALS"}, "D": Dtype, "nan": np.nan, "inf": np.inf,
    "call": lambda *args, **kwargs: (args, kwargs)}


class Call(NamedTuple):
    """The call of a function; or of `method` of an object (a Layer where it is "") of the class that `path` names."""

    path: str
    args: Any
    kwargs: dict[str, Any]
    options: dict[str, Any] | None = None
    method: str = ""

    def __str__(self) -> str:
        built = "" if self.options is None else f"({_listed(self.options)})"
        method = self.method and f".{self.method}"
        return f"{self.path}{built}{method} | {', '.join(filter(None, [*map(repr, self.args), _listed(self.kwargs)]))}"

    @property
    def subject(self) -> str:
        """The operator or class with its method."""
        return f"{self.path}.{self.method}" if self.method else self.path


def _listed(options: dict[str, Any]) -> str:
    return ", ".join([f"{key}={value!r}" for key, value in options.items()])


def parse(line: str) -> Call:
    """The call that a line stands for."""
    head, _, rest = line.partition(" | ")
    path, built, options = head.partition("(")
    options, _, method = options.rpartition(")")
    return Call(path, *_evaluated(f"call({rest})"), _evaluated(f"call({options})")[1] if built else None, method[1:])


def _evaluated(words: str) -> Any:
    return eval(words, dict(WORDS))


def inputs(value: Any) -> Iterator[Input]:
    """The Tensors in nested arguments, in order."""
    if isinstance(value, Input):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from inputs(item)


def fill(P: Any, value: Any, tensors: Iterator[Any], words: str) -> Any:
    """The arguments as a module takes them, with `tensors` in the place of the inputs."""
    if isinstance(value, Input):
        return next(tensors)
    if isinstance(value, Host):
        return value.value(words)
    if isinstance(value, Dtype):
        return getattr(P, value.name)
    if value is Ellipsis:                   # where an optimizer takes parameters
        return _parameters(P, words)
    if isinstance(value, dict):
        return {key: fill(P, item, tensors, words) for key, item in value.items()}
    return type(value)([fill(P, item, tensors, words) for item in value]) if type(value) in (list, tuple) else value


def case(line: str) -> Case:
    """The call of a line as a case of the parity table."""
    path, args, kwargs, options, method = parse(line)
    given, built = [[i.spec() for i in inputs(value)] for value in ([args, kwargs], options)]

    def called(P: Any, function: Any, tensors: Iterator[Any]) -> Any:
        return function(*fill(P, args, tensors, line), **fill(P, kwargs, tensors, line))

    def plain(P: Any, *tensors: Any) -> Any:
        rest = iter(tensors)
        if options is None:
            return called(P, resolve(P, path), rest)
        return drive(P, resolve(P, path)(**fill(P, options, rest, line)), method, lambda f: called(P, f, rest))

    def build(P: Any) -> Any:
        tensors = [tensor(P, s.array(line, f"option {i}"), s, False) for i, s in enumerate(built)]
        return resolve(P, path)(**fill(P, options, iter(tensors), line))

    if options is None or method:
        # In place, leaves have no gradient; and Paddle crashes in those of parameters of distributions.
        without = (path.endswith("_") and not path.endswith("__")) or path.startswith("distribution.")
        return Case(line, plain, built + given, "op", path, grad=not without)
    return Case(line, build, given, "layer", path, call=lambda P, net, *tensors: called(P, net, iter(tensors)))


def drive(P: Any, built: Any, method: str, call: Callable[[Any], Any]) -> Any:
    """What is seen of an object: what a method or property gives; what "steps" and "measure" say."""
    if method == "steps":
        return _rates(P, built) if isinstance(built, P.optimizer.lr.LRScheduler) else _trained(built)
    if method == "measure":
        found = call(built.compute)
        built.update(*found if isinstance(found, tuple) else [found])
        return built.accumulate(), built.name()
    found = getattr(built, method)
    return call(found) if callable(found) else found


def _rates(P: Any, schedule: Any) -> list[float]:
    """The learning rates of a schedule."""
    rates = []
    for i in range(12):
        rates.append(float(schedule()))
        schedule.step(*[1.0 + i % 3] if isinstance(schedule, P.optimizer.lr.ReduceOnPlateau) else [])
    return rates


def _trained(optimizer: Any) -> list[Any]:
    """The parameters of an optimizer after three steps."""
    parameters = list(optimizer._parameter_list)
    for step in range(3):
        for p in parameters:
            (p * p * (0.3 + step)).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    return [p.detach() for p in parameters]


def _parameters(P: Any, words: str) -> list[Any]:
    net = P.nn.Linear(2, 3)
    for i, p in enumerate(net.parameters()):
        p.set_value(random_state(words, i).standard_normal(tuple(p.shape)).astype("float32"))
    return net.parameters()


def outcome(P: Any, line: str, static: bool = False) -> Record:
    """What a call gives on module P: outputs and gradients, or the types that the error it raises is."""
    todo = case(line)
    try:
        record = run(todo, P, static)
    except Exception as error:
        try:
            record = run(replace(todo, grad=False), P, static) | {"gradient": type(error).__name__}
        except Exception as error:
            return {"error": Caught(error).kinds}
    finally:
        P.set_default_dtype("float32")
    return {key: kept for path, leaf in record.items() for key, kept in thin(path, leaf).items()}


def thin(path: str, leaf: Any) -> Record:
    """A leaf as it is recorded: of a large array its shape and some elements, of an object its type's name."""
    if not isinstance(leaf, Value):
        known = isinstance(leaf, (bool, int, float, str, list, type(None)))
        return {path: leaf if known else type(leaf).__name__}
    if leaf.array.size <= KEPT:
        return {path: leaf}
    places = np.linspace(0, leaf.array.size - 1, KEPT).astype(int)
    return {path: replace(leaf, array=leaf.array.reshape(-1)[places]), f"{path}.shape": list(leaf.array.shape)}


# Where Paddle's own code stumbles, the error here is a TypeError or a ValueError.
ACCIDENTS = ("AttributeError", "NotImplementedError", "UnboundLocalError", "OSError", "SystemError", "EnforceNotMet",
             "ZeroDivisionError", "MemoryError", "NotSupportedTensorArgumentError")
EXPECTED = {"TypeError", "ValueError", "ZeroDivisionError"}


def raised(want: Record, got: Record) -> list[str]:
    """How an error departs from what Paddle does; it is a result, or another error that the same `except` catches."""
    kinds = got.get("error")
    if "error" not in want:
        return [f"raises {kinds[0]}, Paddle gives {str(sorted(want))[:200]}"]
    expected = want["error"][0]
    accident = expected in ACCIDENTS and kinds is not None and not EXPECTED.isdisjoint(kinds)
    return [] if kinds is None or expected in kinds or accident else [f"raises {kinds[0]}, Paddle {expected}"]


def problems(line: str, want: Record, got: Record, static: bool = False, amp: bool = False) -> list[str]:
    """Every way in which what a call gives departs from the record; nothing, if Paddle raises and this does not.

    amp: the call ran under auto_cast, with bfloat16's digits.
    """
    if "error" in want or "error" in got:
        return raised(want, got)
    if "gradient" in want:
        want, got = ({path: replace(leaf, stop_gradient=None) if isinstance(leaf, Value) else leaf
                      for path, leaf in record.items() if not path.startswith("grad")} for record in (want, got))
    zeros = {f"{path}.shape" for path, leaf in want.items() if leaf is None}     # of a gradient that Paddle leaves out
    got = {path: leaf for path, leaf in got.items() if path not in zeros}
    tolerance = 3e-2 if "bf16" in line else 1e-4         # exactness is the matter of the table
    if amp:
        return differences(replace(case(line), **under_auto_cast(want)), want, renamed(got, want), static)
    return differences(replace(case(line), rtol=tolerance, atol=tolerance), want, got, static)
