"""The table of parity cases, and how one case is run on a module with Paddle's API.

A case is written once. `record.py` runs it on real Paddle and stores what came out; `test_parity.py` runs it on Kayax,
eagerly and converted, and compares. Every kind of case runs to a `Record`: a flat dict from a path ("out.0", "grad.1",
"buffer._mean") to an array with its dtype, or to a plain JSON value (names, strings, numbers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from specs import Spec, random_state

CASES: dict[str, Case] = {}
NOT_KNOWN = "(real Paddle has no CPU kernel)"  # a recorded value that agrees with anything


@dataclass(frozen=True)
class Value:
    """A tensor that came out of a run. bfloat16 is kept as float32 under its own dtype's name."""

    array: np.ndarray
    dtype: str
    stop_gradient: bool | None = None


Record = dict[str, Any]


@dataclass
class Case:
    """One row of the table.

    kind "op": `fn(P, *tensors)`; its outputs, and the gradients of all inputs for fixed random cotangents.
    kind "layer": `fn(P)` builds a Layer; also parameter gradients, names, shapes, and buffers after the call.
    kind "program": `fn(P, *arrays)` does what it likes and returns what to compare.
    """

    name: str
    fn: Callable[..., Any]
    inputs: Sequence[Spec]
    kind: str
    topic: str
    grad: bool = True
    rtol: float | None = None
    atol: float | None = None
    grad_rtol: float | None = None
    grad_atol: float | None = None
    static: bool | str = True
    train: bool = True
    call: Callable[..., Any] | None = None
    oracle: Callable[..., Any] | None = None

    def options(self, **options: Any) -> Case:
        """Change how the case is run or compared.

        static="why not": the case is not run converted. oracle=f: real Paddle has no CPU kernel (or a wrong one), so
        the recorder runs f in the place of the case's function.
        """
        for key, value in options.items():
            if not hasattr(self, key):
                raise AttributeError(f"case {self.name}: no option {key!r}")
            setattr(self, key, value)
        return self

    def on_paddle(self) -> Case:
        """The case as real Paddle runs it."""
        return replace(self, fn=self.oracle) if self.oracle else self

    def arrays(self) -> list[np.ndarray]:
        return [spec.array(self.name, i) for i, spec in enumerate(self.inputs)]


def _add(case: Case) -> Case:
    if case.name in CASES:
        raise ValueError(f"two cases are called {case.name!r}")
    CASES[case.name] = case
    return case


def _topic(fn: Callable[..., Any]) -> str:
    return fn.__module__.removeprefix("cases_")


def case(name: str, fn: Callable[..., Any], inputs: Sequence[Spec] = (), **options: Any) -> Case:
    """`fn(P, *tensors) -> tensors in any structure`."""
    return _add(Case(name, fn, inputs, "op", _topic(fn))).options(**options)


def layer(name: str, build: Callable[..., Any], inputs: Sequence[Spec] = (), **options: Any) -> Case:
    """`build(P) -> Layer`, called with the inputs; option call=f(P, layer, *tensors) calls it differently."""
    return _add(Case(name, build, inputs, "layer", _topic(build))).options(**options)


def program(name: str, inputs: Sequence[Spec] = (), **options: Any) -> Callable[..., Any]:
    """Decorator: `fn(P, *arrays) -> structure of tensors, arrays and plain values`, run eagerly only."""

    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        _add(Case(name, fn, inputs, "program", _topic(fn), static="a whole program")).options(**options)
        return fn

    return register


def table(topic: str) -> Callable[..., Case]:
    """A function `op(path, inputs, *args, **kwargs)` that adds the case `P.path(*tensors, *args, **kwargs)`.

    The case is named by the path and the arguments. Calls that differ in their inputs alone are told apart by `_case`,
    or else numbered.
    """

    def op(path: str, inputs: Sequence[Spec], *args: Any, _case: str = "", **kwargs: Any) -> Case:
        words = [_word(arg) for arg in args] + [f"{key}={_word(value)}" for key, value in kwargs.items()]
        name = "/".join([path, *filter(None, [_case, ",".join(words)])])
        same = sum(known.partition("#")[0] == name for known in CASES)
        name += f"#{same + 1}" if same else ""

        def fn(P: Any, *tensors: Any) -> Any:
            return resolve(P, path)(*tensors, *args, **kwargs)

        return _add(Case(name, fn, inputs, "op", topic))

    return op


def words(text: str) -> list[str]:
    """The names in a line of text."""
    return text.split()


def _word(value: Any) -> str:
    return re.sub(r"\s+", "", str(value)).replace("'", "")


def resolve(P: Any, path: str) -> Any:
    """The object called `path` in module P."""
    for part in path.split("."):
        P = getattr(P, part)
    return P


# ------------------------------------------------------------------ running


def tensor(P: Any, array: np.ndarray, spec: Spec, grad: bool) -> Any:
    stop = not (grad and spec.differentiable)
    if spec.dtype == "bfloat16":
        return P.to_tensor(array, dtype="bfloat16", stop_gradient=stop)
    return P.to_tensor(array, stop_gradient=stop)


def in_float32(fn: Callable[..., Any], dtype: str = "bfloat16") -> Callable[..., Any]:
    """An oracle for 16-bit types, which Paddle lacks on the CPU: compute in float32, round the result."""

    def oracle(P: Any, *tensors: Any) -> Any:
        return fn(P, *[t.astype("float32") if dtype in str(t.dtype) else t for t in tensors]).astype(dtype)

    return oracle


def is_tensor(P: Any, value: Any) -> bool:
    return hasattr(value, "stop_gradient")  # also a variable of a program, which is of another type in Paddle


def _holds_array(P: Any, value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_array(P, item) for item in value)
    return isinstance(value, (np.ndarray, np.generic, dict)) or is_tensor(P, value)


def flatten(P: Any, value: Any, path: str, into: dict[str, Any]) -> dict[str, Any]:
    """Spread a structure over paths; the leaves stay as they are."""
    if isinstance(value, dict):
        for key, item in value.items():
            flatten(P, item, f"{path}.{key}", into)
    elif isinstance(value, (list, tuple)) and _holds_array(P, value):
        for i, item in enumerate(value):
            flatten(P, item, f"{path}.{i}", into)
    else:
        into[path] = value
    return into


def snapshot(P: Any, value: Any) -> Any:
    """A leaf as it is stored: a Value, or something JSON can hold."""
    if is_tensor(P, value):
        dtype = dtype_name(value.dtype)
        host = value.astype("float32") if dtype == "bfloat16" else value
        return Value(np.array(host.numpy()), dtype, bool(value.stop_gradient))
    if isinstance(value, (np.ndarray, np.generic)):
        return Value(np.asarray(value), str(value.dtype))
    if isinstance(value, tuple):
        return list(value)
    return value


class Caught(str):
    """The name of an error's type, which equals the name of every type that catches it."""

    kinds: list[str]

    def __new__(cls, error: Exception) -> Caught:
        new = super().__new__(cls, type(error).__name__)
        new.kinds = [kind.__name__ for kind in type(error).__mro__[:-2]]
        return new

    def __eq__(self, other: object) -> bool:
        return other in self.kinds

    __hash__ = str.__hash__


def dtype_name(dtype: Any) -> str:
    return str(dtype).rsplit(".", 1)[-1]


def cotangent(case: Case, i: int, shape: Sequence[int], dtype: str) -> np.ndarray:
    """A fixed random cotangent of the i-th output, so that no gradient cancels by symmetry (bfloat16 as float32)."""
    state = random_state(case.name, "cotangent", i)
    array = state.uniform(0.5, 1.5, tuple(shape)) * state.choice([-1.0, 1.0], tuple(shape))
    if "complex" in dtype:
        array = array + 1j * state.uniform(-1.0, 1.0, tuple(shape))
    return np.asarray(array).astype("float32" if dtype == "bfloat16" else dtype)


def run(case: Case, P: Any, static: bool = False) -> Record:
    """Run a case on module P, converted by `P.jit.to_static` if asked."""
    if case.kind == "program":
        result = case.fn(P, *case.arrays())
        return {path: snapshot(P, leaf) for path, leaf in flatten(P, result, "out", {}).items()}
    tensors = [tensor(P, a, s, case.grad) for a, s in zip(case.arrays(), case.inputs, strict=True)]
    return _run_layer(case, P, tensors, static) if case.kind == "layer" else _run_op(case, P, tensors, static)


def _run_op(case: Case, P: Any, tensors: list[Any], static: bool) -> Record:
    def call(*args: Any) -> Any:
        return case.fn(P, *args)

    out = P.jit.to_static(call)(*tensors) if static else call(*tensors)
    return _outputs_and_gradients(case, P, out, {f"grad.{i}": t for i, t in enumerate(tensors)})


def _outputs_and_gradients(case: Case, P: Any, out: Any, wanted: dict[str, Any]) -> Record:
    leaves = flatten(P, out, "out", {})
    record = {path: snapshot(P, leaf) for path, leaf in leaves.items()}
    tensors = [path for path, leaf in leaves.items() if is_tensor(P, leaf)]
    outputs = [leaves[path] for path in with_cotangent(record, tensors)]
    if case.grad and outputs:
        kinds = [(out.shape, dtype_name(out.dtype)) for out in outputs]
        given = [P.to_tensor(cotangent(case, i, *kind), dtype=kind[1]) for i, kind in enumerate(kinds)]
        P.autograd.backward(outputs, given)
        for path, leaf in wanted.items():
            if not leaf.stop_gradient:
                record[path] = None if leaf.grad is None else snapshot(P, leaf.grad)
    return record


def with_cotangent(record: Record, paths: list[str]) -> list[str]:
    """Which of these results get a cotangent.

    A tensor returned twice is one output; a converted function returns it as two, so they are told apart by value.
    """
    distinct = {(v := record[path]).dtype + str(v.array.shape) + str(v.array.tobytes()): path
                for path in paths if _has_gradient(record[path])}
    return list(distinct.values())


def _has_gradient(value: Any) -> bool:
    # Paddle leaves stop_gradient False on the integer results of cast, topk and argsort.
    return isinstance(value, Value) and not value.stop_gradient and any(
        word in value.dtype for word in ("float", "complex"))


def layer_values(net: Any, name: str) -> list[tuple[Any, np.ndarray]]:
    """Parameters and float buffers with values that depend on `name` and their position alone."""
    found = []
    for i, (key, p) in enumerate(net.named_parameters()):
        values = 0.5 * random_state(name, "parameter", i).standard_normal(tuple(p.shape))
        if key.endswith("_variance"):  # the running statistics of nn.BatchNorm are parameters
            values = np.abs(values) + 0.5
        found.append((p, np.asarray(values).astype(dtype_name(p.dtype))))
    for i, b in enumerate(net.buffers()):
        if "float" in dtype_name(b.dtype):
            values = random_state(name, "buffer", i).uniform(0.5, 1.5, tuple(b.shape))
            found.append((b, np.asarray(values).astype(dtype_name(b.dtype))))
    return found


def fill_layer(P: Any, net: Any, name: str) -> None:
    """Give a Layer these values."""
    for held, values in layer_values(net, name):
        held.set_value(values)


def facts_of(net: Any) -> Record:
    """What is known of a Layer's parameters without their values."""
    facts: Record = {f"parameter.{key}": [list(p.shape), dtype_name(p.dtype), bool(p.stop_gradient),
                                          name_pattern(p.name)] for key, p in net.named_parameters()}
    facts["state_dict"] = [[key, list(v.shape)] for key, v in net.state_dict().items()]
    return facts


def name_pattern(name: str) -> str:
    """A unique name without its running numbers: linear_3.w_0 -> linear_#.w_#."""
    return re.sub(r"_\d+", "_#", name)


def _run_layer(case: Case, P: Any, tensors: list[Any], static: bool) -> Record:
    net = case.fn(P)
    fill_layer(P, net, case.name)
    if not case.train:
        net.eval()
    facts = facts_of(net)
    parameters = {f"grad.{key}": p for key, p in net.named_parameters()}
    runner = P.jit.to_static(net) if static else net
    out = case.call(P, runner, *tensors) if case.call else runner(*tensors)
    wanted = {f"grad.{i}": t for i, t in enumerate(tensors)} | parameters
    record = _outputs_and_gradients(case, P, out, wanted)
    after = {f"buffer.{key}": snapshot(P, b) for key, b in net.named_buffers() if not key.endswith("_dropout_state")}
    return facts | record | after
