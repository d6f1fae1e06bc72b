"""A saved model that only predicts: NumPy arrays in, NumPy arrays out, from any number of threads."""
from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kayax.bridge.rng import default_generator
from kayax.io.paddle.find import is_paddle_program
from kayax.io.session_source import Source, read_source
from kayax.spec import dtype as dtypes
from kayax.spec.constraints import check_constraints
from kayax.spec.input_spec import InputSpec, bind_dims

if TYPE_CHECKING:
    from kayax.io.precision import Precision

_MOST_CONSTANTS = 256 << 20
# XLA's newer kernels for convolutions alone: its default choice takes half as long again for one image of ResNet18.
_CONVOLVING = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION"}


class Session:
    """One function of a saved model, in evaluation mode where it was saved with both.

    Weights go to the device once; a program is compiled for each combination of input shapes when it is first met, or
    before, by `warm_up`. Every call starts from the state that was saved: a buffer that the function writes does not
    keep its value. Random numbers go on from the generator of the process.

    prefix: what jit.save was given, here or in PaddlePaddle. method: which function. digest: the digest that the model
    must have. device: a `jax.Device`; the default is JAX's. params: the file of the parameters of a PaddlePaddle model,
    if it does not go by the prefix. optimize: False to keep weights out of the compiled programs. With True,
    programs with convolutions for the CPU hold them as constants, up to 256 MB: XLA would transpose them in every call
    otherwise, which takes as long as the convolutions of one image; and its newer kernels convolve. compiler_options:
    XLA's own, by name. precision: of matrix products and convolutions, if not the saved one.

    Attributes: inputs, the InputSpec of each input, each with a name; output_names; outputs, (dtype, shape) of each,
    with the names of open dims, or None; digest; versions; rows_match, whether all inputs and outputs have the same
    open first dim.

    Raises FileNotFoundError, ModelFileError; ValueError if there is no such method; for a model of PaddlePaddle's
    UnknownOperationError.
    """

    def __init__(self, prefix: str | os.PathLike, method: str = "forward", digest: str | None = None,
                 device: Any = None, optimize: bool = True, compiler_options: Mapping[str, Any] | None = None,
                 params: str | os.PathLike | None = None, precision: Precision | None = None):
        if digest is None and is_paddle_program(prefix):
            # Its code is large, and seldom needed.
            from kayax.io.paddle.served import read_source as read_paddle_source
            source = read_paddle_source(prefix, params, method)
        else:
            source = read_source(prefix, method, digest)
        if precision is not None:
            source = _in_precision(source, precision, (device or jax.devices()[0]).platform)
        self._source = source
        names = _unique([spec.name or f"input_{i}" for i, spec in enumerate(source.inputs)])
        self.inputs = [InputSpec(s.shape, s.dtype, n, s.stop_gradient)
                       for s, n in zip(source.inputs, names, strict=True)]
        self.output_names, self.outputs = _unique(source.output_names), source.outputs
        self.digest, self.versions, self.training = source.digest, source.versions, source.training
        self.rows_match, self.constraints = source.rows_match, [c.text for c in source.constraints]
        self.device, self._options = device, dict(compiler_options or {})
        self._cells = [None if a is None else jax.device_put(a, device, may_alias=True) for a in source.cells]
        self._random = next((i for i, cell in enumerate(self._cells) if cell is None), None)
        platform = (device or jax.devices()[0]).platform
        self._constants = (optimize and platform == "cpu" and self._random is None and source.convolves
                           and sum({id(c): c.nbytes for c in self._cells if c is not None}.values()) <= _MOST_CONSTANTS)
        self._programs: dict[Any, Callable] = {}
        self._lock = threading.Lock()
        self._compiling: dict[Any, threading.Lock] = {}
        self.compile_seconds: dict[Any, float] = {}

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return self._random is not None

    @property
    def input_names(self) -> list[str]:
        return [spec.name or "" for spec in self.inputs]

    def run(self, arrays: Sequence[np.ndarray] | Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs for these inputs, in order or by name.

        Raises ValueError if they are not what the model takes: their number, names, dtypes, shapes, constraints.
        """
        outputs = self.run_on_device(self._ordered(arrays))
        return [np.asarray(output) for output in outputs]

    def run_on_device(self, arrays: Sequence[Any]) -> list[Any]:
        """As `run`, with arrays of NumPy or JAX in order, and jax arrays as outputs that may still be computed."""
        program = self._program(self.check(arrays))
        if self._random is None:
            return list(program(arrays, self._cells))[:len(self.outputs)]
        with self._lock:                                # one sequence of random numbers for all threads
            state = default_generator().storage
            cells = [state.array if cell is None else cell for cell in self._cells]
            outputs = program(arrays, cells)
            state.array = outputs[len(self.outputs) + self._random - (len(cells) - self._source.n_written)]
        return list(outputs)[:len(self.outputs)]

    def warm_up(self, shapes: Mapping[str, Sequence[int]]) -> float:
        """Compile for these input shapes, by name; gives the seconds that it took."""
        if shapes.keys() != set(self.input_names):
            raise ValueError(f"Shapes are needed for the inputs {', '.join(self.input_names)}, but there are some for "
                             f"{', '.join(shapes) or 'none'}.")
        arrays = [np.zeros(shapes[spec.name or ""], spec.dtype.numpy if spec.dtype else None) for spec in self.inputs]
        start = time.perf_counter()
        jax.block_until_ready(self.run_on_device(arrays))
        return time.perf_counter() - start

    def check(self, arrays: Sequence[Any]) -> tuple:
        """The shapes of these inputs; a ValueError if they are not what the model takes."""
        if len(arrays) != len(self.inputs):
            raise ValueError(f"{self._source.name}() takes {len(self.inputs)} inputs ({', '.join(self.input_names)}), "
                             f"but got {len(arrays)}.")
        shapes = tuple([array.shape for array in arrays])
        for spec, array in zip(self.inputs, arrays, strict=True):
            if dtypes.find(array.dtype) != spec.dtype:
                raise ValueError(f"The input {spec.name!r} should be {spec.dtype.name if spec.dtype else None}, but it "
                                 f"is {array.dtype}.")
        if shapes not in self._programs:                # what has run once fits
            sizes = bind_dims(self.inputs, shapes)
            check_constraints(self._source.constraints, sizes, f"{self._source.name}()")
        return shapes

    def _ordered(self, arrays: Sequence[np.ndarray] | Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
        if not isinstance(arrays, Mapping):
            return [np.asarray(array) for array in arrays]
        missing = [name for name in self.input_names if name not in arrays]
        unknown = [name for name in arrays if name not in self.input_names]
        if missing or unknown:
            problem = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is not one of them"
            raise ValueError(f"The inputs of the model are {', '.join(self.input_names)}; {problem}.")
        return [np.asarray(arrays[name]) for name in self.input_names]

    def _program(self, shapes: tuple) -> Callable:
        """The compiled program for these shapes; threads that meet new shapes at once compile them once."""
        program = self._programs.get(shapes)
        if program is not None:
            return program
        with self._lock:
            lock = self._compiling.setdefault(shapes, threading.Lock())
        with lock:
            if shapes not in self._programs:
                start = time.perf_counter()
                sharding = None if self.device is None else jax.sharding.SingleDeviceSharding(self.device)
                avals = [jax.ShapeDtypeStruct(shape, spec.dtype.numpy if spec.dtype else None, sharding=sharding)
                         for shape, spec in zip(shapes, self.inputs, strict=True)]
                self._programs[shapes] = self._compile(avals)
                self.compile_seconds[shapes] = time.perf_counter() - start
        return self._programs[shapes]

    def _compile(self, avals: Sequence[Any]) -> Callable:
        call = self._source.program([aval.shape for aval in avals])
        if self._constants:
            values = [np.asarray(cell) for cell in self._cells]
            lowered = jax.jit(lambda inputs: call(*inputs, *values)).lower(avals)
            try:
                compiled = lowered.compile(_CONVOLVING | self._options)
            except jax.errors.JaxRuntimeError as error:
                if "No such compile option" not in str(error):
                    raise
                compiled = lowered.compile(self._options)       # an XLA that calls its kernels by another name
            return lambda inputs, cells: compiled(inputs)
        state = default_generator().storage.array
        cells = [state if cell is None else cell for cell in self._cells]
        return jax.jit(lambda inputs, cells: call(*inputs, *cells)).lower(avals, cells).compile(self._options)


def _in_precision(source: Source, precision: Precision, platform: str) -> Source:
    """The source with its products in 16 bits."""
    dtype, count = dtypes.convert(precision.dtype), len(source.outputs)
    last = len(source.cells) - source.n_written
    low = [c is not None and i < last and precision.keeps(c) for i, c in enumerate(source.cells)]
    state = default_generator().storage.array

    def program(shapes: Sequence[tuple[int, ...]]) -> Callable:
        avals = [jax.ShapeDtypeStruct(shape, s.dtype.numpy if s.dtype else None)
                 for shape, s in zip(shapes, source.inputs, strict=True)]
        avals += [jax.ShapeDtypeStruct(c.shape, c.dtype) for c in (state if c is None else c for c in source.cells)]
        rounded = [False] * len(source.inputs) + low
        return precision.program(source.program(shapes), avals, rounded, len(source.inputs), count, [platform]).call

    return replace(
        source, inputs=[precision.spec(s) for s in source.inputs], program=program,
        outputs=[(dtype if precision.low_io and d is dtypes.convert("float32") else d, s) for d, s in source.outputs],
        cells=[precision.rounded(c, "A parameter") if lo else c for c, lo in zip(source.cells, low, strict=True)])


def _unique(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, new = 1, name
        while new in found:
            new, number = f"{name}_{number}", number + 1
        found.append(new)
    return found


def keep_compiled_programs(folder: str | os.PathLike) -> None:
    """Keep compiled programs in a folder, for all of this process: what any process compiled before starts quickly.

    Raises OSError if the folder cannot be made or written to.
    """
    from jax.experimental.compilation_cache import compilation_cache
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"Compiled programs cannot be kept in {os.fspath(folder)!r}: it cannot be written to.")
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    compilation_cache.reset_cache()                     # what was compiled before has settled that there is none


__all__ = ["Session", "keep_compiled_programs"]
