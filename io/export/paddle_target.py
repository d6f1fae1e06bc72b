"""PaddlePaddle 3: its intermediate representation (PIR) as its files write it, and the builder that makes it."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, Builder, ExportError, Shape

_TYPES = {"bool": "t_bool", "uint8": "t_ui8", "int8": "t_i8", "int16": "t_i16", "int32": "t_i32", "int64": "t_i64",
          "float16": "t_f16", "bfloat16": "t_bf16", "float32": "t_f32", "float64": "t_f64", "complex64": "t_c64",
          "complex128": "t_c128"}


def type_of(dtype: str, shape: Sequence[int | None]) -> dict[str, Any]:
    """A tensor's type, as the files write it."""
    if dtype not in _TYPES:
        raise ExportError(f"PaddlePaddle has no dtype {dtype}.")
    dims = [-1 if d is None else d for d in shape]
    return {"#": "0.t_dtensor", "D": [{"#": f"0.{_TYPES[dtype]}"}, dims, "NCHW", [], 0]}


def attribute(value: Any) -> dict[str, Any]:
    """An attribute: a bool, an i32 (int), an i64 (np.int64), an f32 (np.float32), an f64, a string, a list of them."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, tuple)):
        return {"#": "0.a_array", "D": [attribute(v) for v in value]}
    if isinstance(value, (bool, np.bool_)):
        return {"#": "0.a_bool", "D": bool(value)}
    if isinstance(value, np.int64):
        return {"#": "0.a_i64", "D": int(value)}
    if isinstance(value, int):
        return {"#": "0.a_i32", "D": value}
    if isinstance(value, np.float32):
        return _float("0.a_f32", float(value))
    if isinstance(value, float):
        return _float("0.a_f64", value)
    return {"#": "0.a_str", "D": str(value)}


def _float(kind: str, value: float) -> dict[str, Any]:
    if math.isfinite(value):
        return {"#": kind, "D": value}
    return {"#": kind, "VD": "NAN" if math.isnan(value) else "INF" if value > 0 else "-INF"}


def dtype_attr(dtype: str) -> dict[str, Any]:
    return {"#": "1.a_dtype", "D": dtype}


def ints_attr(values: Sequence[int]) -> dict[str, Any]:
    return {"#": "1.a_intarray", "D": [int(v) for v in values]}


PLACE = {"#": "1.a_place", "D": [0, 0, ""]}


def longs(values: Sequence[int]) -> list[np.int64]:
    return [np.int64(v) for v in values]


class PaddleBuilder(Builder):
    """Writes operations into a block, and into the regions of choices and loops. A value's name is its number."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[list[dict[str, Any]]] = [[]]
        self.count = self.regions = self.argument = 0
        self.large: dict[str, np.ndarray] = {}          # constants that are kept with the parameters
        self.declared: list[dict[str, Any]] = []

    def fresh(self) -> int:
        self.count += 1
        return self.count

    def add(self, name: str, inputs: Sequence[Any], results: Sequence[tuple[str, Sequence[int | None]]],
            regions: Sequence[Any] = (), /, **attrs: Any) -> Any:
        """One operation of Paddle's: the number of its result, or of all."""
        numbers = [self.fresh() for _ in results]
        raw: dict[str, Any] = {
            "#": name if "." in name else f"1.{name}",
            "A": [{"AT": attribute(v), "N": k} for k, v in attrs.items()],
            "I": [{"%": i if isinstance(i, int) else i.name} for i in inputs],
            "O": [{"%": n, "TT": type_of(*t)} for n, t in zip(numbers, results, strict=True)],
            "OA": [{"AT": attribute([False] * len(results)), "N": "stop_gradient"}]}
        if regions:
            raw["regions"] = list(regions)
        self.operations[-1].append(raw)
        return numbers[0] if len(numbers) == 1 else numbers

    def one(self, name: str, inputs: Sequence[Any], like: Array, **attrs: Any) -> Array:
        """One operation as a value of its own."""
        return Array(self.add(name, inputs, [(like.dtype, like.shape)], **attrs), like.dtype, like.shape)

    # ---- constants ---------------------------------------------------------------------------------------------

    def new_constant(self, array: np.ndarray) -> int:
        if array.size <= 1 or (array.size > 1 and (array == array.flat[0]).all() and array.dtype.kind != "c"):
            return self.full(array.flat[0] if array.size else 0, array.dtype.name, array.shape)
        if array.size <= 64 and array.dtype.name in ("int64", "int32") and array.ndim == 1:
            return self.int_array(array.tolist(), array.dtype.name)
        name = f"kayax_constant_{len(self.large)}"
        self.large[name] = array
        return self.parameter(name, array.dtype.name, array.shape, trainable=False)

    def constant(self, value: Any, dtype: str | None = None) -> Array:
        """Small constants are written where they are used; large ones are parameters of the whole program."""
        array = np.asarray(value)
        if array.size > 64:
            scopes, self.scopes = self.scopes, self.scopes[:1]
            try:
                return super().constant(value, dtype)
            finally:
                self.scopes = scopes
        return super().constant(value, dtype)

    def full(self, value: Any, dtype: str, shape: Sequence[int]) -> int:
        whole = np.dtype("int64") if dtype == "int64" else None
        if whole is not None and abs(int(value)) > 2**53:           # the attribute is a float
            return self.int_array_scalar(int(value), shape)
        return self.add("full", [], [(dtype, shape)], shape=ints_attr(shape), value=float(value),
                        dtype=dtype_attr(dtype), place=PLACE)

    def int_array(self, values: Sequence[int], dtype: str = "int64") -> int:
        return self.add("full_int_array", [], [(dtype, (len(values),))], value=longs(values), dtype=dtype_attr(dtype),
                        place={"#": "1.a_place", "D": [1, 0, ""]})

    def int_array_scalar(self, value: int, shape: Sequence[int]) -> int:
        line = self.int_array([value])
        scalar = self.add("reshape", [line, self.int_array([])], [("int64", ())])
        return self.add("expand", [scalar, self.int_array(shape)], [("int64", shape)]) if shape else scalar

    def scalar(self, value: Any, dtype: str) -> int:
        """A vector of one, as Paddle writes numbers that its operations take as tensors."""
        return self.add("full", [], [(dtype, (1,))], shape=ints_attr([1]), value=float(value), dtype=dtype_attr(dtype),
                        place={"#": "1.a_place", "D": [1, 0, ""]})

    def parameter(self, name: str, dtype: str, shape: Sequence[int], trainable: bool) -> int:
        number = self.fresh()
        self.declared.append({"#": "p", "A": [0, 1, 1, name], "DA": [], "O": {"%": number, "TT": type_of(dtype, shape)},
                              "OA": [1, int(not trainable), int(trainable)], "QA": []})
        return number

    # ---- choices and loops -------------------------------------------------------------------------------------

    def _region(self, function: Callable[[], list[Array]], arguments: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        self.operations.append([])
        self.scopes.append({})
        outs = function()
        self.scopes.pop()
        operations = self.operations.pop()
        operations.append({"#": "2.yield", "A": [], "I": [{"%": o.name} for o in outs], "O": [], "OA": []})
        self.regions += 1
        return {"#": f"region_{self.regions}", "blocks": [
            {"#": f"block_{self.regions}", "args": list(arguments), "ops": operations}]}

    def choose(self, condition: Array, branches: Sequence[Callable[[], list[Array]]],
               results: Sequence[tuple[str, Shape]]) -> list[Array]:
        regions = [self._region(branch) for branch in branches]
        numbers = self.add("if", [condition], results, regions)
        numbers = numbers if isinstance(numbers, list) else [numbers]
        return [Array(n, d, s) for n, (d, s) in zip(numbers, results, strict=True)]

    def loop(self, going: Array, start: list[Array], body: Callable[[list[Array]], tuple[Array, list[Array]]],
             results: Sequence[tuple[str, Shape]]) -> list[Array]:
        inside, arguments = [], []
        for dtype, shape in results:
            self.argument -= 1
            inside.append(Array(self.argument, dtype, shape))
            arguments.append({"#": self.argument, "TT": type_of(dtype, shape)})

        def run() -> list[Array]:
            again, after = body(inside)
            return [again, *after]

        region = self._region(run, arguments)
        # The loop writes into what it starts from, its condition included; others may still read that.
        first = [self.one("assign", [s], s) for s in (going, *start)]
        numbers = self.add("while", first, results, [region])
        numbers = numbers if isinstance(numbers, list) else [numbers]
        return [Array(n, d, s) for n, (d, s) in zip(numbers, results, strict=True)]
