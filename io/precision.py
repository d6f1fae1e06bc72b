"""Mixed precision of saved programs: products in 16 bits, everything else in float32.

Matrix products and convolutions take their float32 operands rounded to float16 or bfloat16 and give float32, as
accelerators compute them; no other operation changes. Parameters with two or more dimensions are kept in 16 bits.
"""
from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import sdy
from jax.extend.mlir.dialects import stablehlo as hlo

from kayax.bridge.to_static.exporting import without_locations
from kayax.io.model_format import FunctionRecord, InfoFile, ModelFile, ParamsFile, load_set, save_set
from kayax.io.parsed import check_parses, trust
from kayax.io.save import EVAL
from kayax.io.saved_function import check_program, read_function, read_programs
from kayax.io.stored import find_arrays
from kayax.spec import dtype as dtypes
from kayax.spec.input_spec import InputSpec

_TYPES: dict[str, Any] = {"float16": ir.F16Type, "bfloat16": ir.BF16Type}
_PRODUCTS = {"stablehlo.dot_general": "product", "stablehlo.convolution": "convolution",
             "stablehlo.dynamic_conv": "convolution"}
_FLOAT32 = np.dtype("float32")


@dataclasses.dataclass(frozen=True)
class Precision:
    """dtype: "float16" or "bfloat16". kept: "product" or "convolution" for what stays in float32. low_io: inputs and
    outputs of float32 have the 16-bit dtype too."""

    dtype: str
    kept: frozenset[str] = frozenset()
    low_io: bool = False

    @property
    def numpy(self) -> np.dtype:
        return dtypes.to_numpy(self.dtype)

    def spec(self, spec: InputSpec) -> InputSpec:
        """An input as the program with this precision takes it."""
        low = self.low_io and spec.dtype is not None and spec.dtype.numpy == _FLOAT32
        return InputSpec(spec.shape, self.dtype, spec.name, spec.stop_gradient) if low else spec

    def keeps(self, array: Any) -> bool:
        """Whether an array of parameters is kept in 16 bits."""
        return array.dtype == _FLOAT32 and len(array.shape) >= 2

    def rounded(self, array: Any, name: str) -> Any:
        """The array in 16 bits. Raises ValueError if float16 does not reach its values."""
        largest = float(np.abs(array).max(initial=0)) if isinstance(array, np.ndarray) else float(abs(array).max())
        if self.dtype == "float16" and 65504 < largest < np.inf:
            raise ValueError(f"{name} has values up to {largest:.3g}, and float16 reaches 65504. Use bfloat16, which "
                             "has the range of float32.")
        return array.astype(self.numpy)

    def program(self, function: Callable, avals: Sequence[Any], low: Sequence[bool], n_inputs: int, n_outputs: int,
                platforms: Sequence[str]) -> export.Exported:
        """`function` of inputs and cells with this precision; low: which arguments come in 16 bits."""
        with without_locations():
            wide = export.export(jax.jit(function), platforms=platforms)(*avals)
            wide = dataclasses.replace(wide, mlir_module_serialized=self._products(wide.mlir_module_serialized))

            def main(*arrays: Any) -> list[Any]:
                outs = wide.call(*(a.astype(aval.dtype) for a, aval in zip(arrays, avals, strict=True)))
                return [o.astype(self.numpy) if self.low_io and i < n_outputs and o.dtype == _FLOAT32 else o
                        for i, o in enumerate(outs)]

            given = [jax.ShapeDtypeStruct(a.shape, self.numpy) if lo or (
                self.low_io and i < n_inputs and a.dtype == _FLOAT32) else a
                for i, (a, lo) in enumerate(zip(avals, low, strict=True))]
            return export.export(jax.jit(main), platforms=platforms)(*given)

    def _products(self, program: bytes) -> bytes:
        context = ir.Context()
        sdy.register_dialect(context)
        module = hlo.deserialize_portable_artifact(context, program)
        with context, ir.Location.unknown():
            self._round_operands(module.operation)
            version = hlo.get_version_from_compatibility_requirement(hlo.StablehloCompatibilityRequirement.WEEK_4)
            return hlo.serialize_portable_artifact(module, version)

    def _round_operands(self, outer: Any) -> None:
        for op in [o.operation for region in outer.regions for block in region.blocks for o in block.operations]:
            self._round_operands(op)
            if op.name not in _PRODUCTS or _PRODUCTS[op.name] in self.kept:
                continue
            with ir.InsertionPoint(op):
                for i in (0, 1):
                    kind = ir.RankedTensorType(op.operands[i].type)
                    if isinstance(kind.element_type, ir.F32Type):
                        sizes = [ir.ShapedType.get_dynamic_size() if kind.is_dynamic_dim(d) else kind.get_dim_size(d)
                                 for d in range(kind.rank)]
                        low = ir.RankedTensorType.get(sizes, _TYPES[self.dtype].get())
                        op.operands[i] = hlo.ConvertOp(low, op.operands[i]).result


def convert(prefix: str | os.PathLike, target: str | os.PathLike, precision: Precision) -> None:
    """Write the evaluation programs of a saved model with another precision, without their gradients.

    Raises FileNotFoundError, ModelFileError; ValueError if float16 does not reach a parameter.
    """
    parts = load_set(prefix)
    arrays = find_arrays(parts)
    models = {suffix: part for suffix, part in parts.items() if isinstance(part, ModelFile)}
    chosen = {suffix: EVAL if EVAL in part.functions else next(iter(part.functions)) for suffix, part in models.items()}
    facts = {suffix: read_function(part.functions[chosen[suffix]], part.path, f"model.functions[{chosen[suffix]!r}]")
             for suffix, part in models.items()}
    written = {n for suffix, part in models.items() for n in _written(part.functions[chosen[suffix]], facts[suffix])}
    low = {n for n, stored in arrays.items() if n not in written and precision.keeps(_aval(stored))}
    new: dict[str, Any] = {}
    for suffix, part in parts.items():
        if isinstance(part, ModelFile):
            record = _record(part.functions[chosen[suffix]], facts[suffix], part.path, arrays, low, precision)
            new[suffix] = ModelFile({chosen[suffix]: record}, dict(part.producer), dict(part.metadata))
        elif isinstance(part, ParamsFile):
            new[suffix] = {n: precision.rounded(part[n], n) if n in low else part[n] for n in part}
        elif isinstance(part, InfoFile):
            new[suffix] = InfoFile(part.tensors, False, part.random_state, dict(part.metadata))
    save_set(target, new)


def _aval(stored: Any) -> jax.ShapeDtypeStruct:
    shape, dtype = stored.file.shape_dtype(stored.name)
    return jax.ShapeDtypeStruct(tuple(shape), dtype.numpy)


def _written(record: FunctionRecord, facts: Any) -> list[str]:
    names = iter(record.parameters)
    cells = [next(names) if kind == "tensor" else "" for kind in facts.cells]
    return cells[len(cells) - facts.n_written:]


def _record(record: FunctionRecord, facts: Any, path: str, arrays: dict[str, Any], low: set[str],
            precision: Precision) -> FunctionRecord:
    where = f"model.functions[{facts.name!r}]"
    check_parses(record.programs, path, where)

    def shapes(name: str) -> Any:
        return arrays[name].file.shape_dtype(arrays[name].name)

    predict = read_programs(facts, record, shapes, path, where).exported["predict"]
    check_program(predict, path, where)
    names = iter(record.parameters)
    rounded = [False] * len(record.inputs) + [kind == "tensor" and next(names) in low for kind in facts.cells]
    avals = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in predict.in_avals]
    exported = precision.program(predict.call, avals, rounded, len(record.inputs), len(facts.out_stops),
                                 predict.platforms)
    programs = {"predict": bytes(exported.serialize())}
    trust(programs, keep=True)
    metadata = {k: v for k, v in record.metadata.items() if k not in ("sources", "given")}
    return FunctionRecord(programs, [precision.spec(s) for s in record.inputs], list(record.parameters),
                          record.input_tree, record.output_tree, metadata)


__all__ = ["Precision", "convert"]
