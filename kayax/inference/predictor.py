"""Predictors: named inputs are copied in, the program runs, named outputs are copied out."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

import kayax
from kayax.bridge.tensor import wrap
from kayax.inference.config import Choice, Config
from kayax.io.session import Session, keep_compiled_programs


class DataType(Choice):
    """The type of the values of an input or output."""

    FLOAT32, INT64, INT32, UINT8, INT8, FLOAT16, BOOL, FLOAT64, BFLOAT16 = range(9)


def get_num_bytes_of_data_type(dtype: DataType) -> int:
    """The size of one value."""
    return kayax.to_tensor([], dtype=dtype.name.lower()).element_size()


class Tensor:
    """One input or output of a predictor, by name. `copy_from_cpu` and `copy_to_cpu` copy from and to NumPy."""

    def __init__(self, name: str, dtype: Any, shape: Sequence[Any]):
        self._name, self._dtype = name, dtype
        self._shape = [dim if isinstance(dim, int) else -1 for dim in shape]
        self._value: Any = None
        self._lod: list = []

    def name(self) -> str:
        return self._name

    def copy_from_cpu(self, data: np.ndarray) -> None:
        """Take these values; the array may be changed afterwards. Raises TypeError if it is no NumPy array."""
        if not isinstance(data, np.ndarray):
            raise TypeError(f"copy_from_cpu takes a NumPy array, but got {type(data).__name__} for {self._name!r}.")
        self._value = np.array(data, order="C")

    def share_external_data(self, data: Any) -> None:
        """Use these values, of a Tensor or an array, without a copy."""
        self._value = data.array if isinstance(data, kayax.Tensor) else data

    def copy_to_cpu(self) -> np.ndarray:
        """The values, as an array of the caller's own."""
        if self._value is None:
            raise RuntimeError(f"The tensor {self._name!r} has no value yet: call predictor.run() first.")
        return np.array(self._value)

    def reshape(self, shape: Sequence[int]) -> None:
        """Announce the shape of the values to come. Values say it themselves: this is not needed."""
        self._shape = [int(dim) for dim in shape]

    def shape(self) -> list[int]:
        return list(self._value.shape) if self._value is not None else list(self._shape)

    def type(self) -> DataType:
        return DataType[self._dtype.name.upper()]

    def lod(self) -> list:
        return self._lod

    def set_lod(self, lod: list) -> None:
        """Remembered only: programs here have no ragged tensors."""
        self._lod = list(lod)


class Predictor:
    """Runs a saved model. Made by `create_predictor`; `clone` makes one for another thread.

    Clones share weights and compiled programs, and have inputs and outputs of their own. A new combination of input
    shapes is compiled when it is first met: `warm_up` does it before.
    """

    def __init__(self, session: Session):
        self._session = session
        self._inputs = {spec.name or "": Tensor(spec.name or "", spec.dtype, spec.shape) for spec in session.inputs}
        self._outputs = {name: Tensor(name, dtype, shape)
                         for name, (dtype, shape) in zip(session.output_names, session.outputs, strict=True)}

    def get_input_names(self) -> list[str]:
        return list(self._inputs)

    def get_output_names(self) -> list[str]:
        return list(self._outputs)

    def get_input_handle(self, name: str) -> Tensor:
        """The input of this name. Raises RuntimeError if there is none."""
        return self._handle(self._inputs, name, "input")

    def get_output_handle(self, name: str) -> Tensor:
        """The output of this name. Raises RuntimeError if there is none."""
        return self._handle(self._outputs, name, "output")

    get_input_tensor, get_output_tensor = get_input_handle, get_output_handle

    @staticmethod
    def _handle(handles: dict[str, Tensor], name: str, kind: str) -> Tensor:
        if name not in handles:
            raise RuntimeError(f"The model has no {kind} {name!r}. Its {kind}s are: {', '.join(handles)}.")
        return handles[name]

    def run(self, inputs: Sequence[Any] | None = None) -> list[Any] | None:
        """Compute the outputs of the values in the input handles; or give Tensors, in order, and get Tensors.

        Raises ValueError if an input is missing or not what the model takes.
        """
        if inputs is not None:
            if not isinstance(inputs, (list, tuple)):
                raise TypeError(f"run() takes a list of Tensors, one for each of {', '.join(self._inputs)}, but got "
                                f"{type(inputs).__name__}.")
            arrays = [x.array if isinstance(x, kayax.Tensor) else np.asarray(x) for x in inputs]
            return [wrap(array) for array in self._session.run_on_device(arrays)]
        empty = [name for name, handle in self._inputs.items() if handle._value is None]
        if empty:
            name = empty[0]
            raise ValueError(f"The input {name!r} has no value: get_input_handle({name!r}).copy_from_cpu(array).")
        outputs = jax.block_until_ready(self._session.run_on_device([h._value for h in self._inputs.values()]))
        for handle, value in zip(self._outputs.values(), outputs, strict=True):
            handle._value = value
        return None

    def warm_up(self, *shapes: Mapping[str, Sequence[int]]) -> float:
        """Compile for inputs of these shapes, ``{"image": [8, 3, 224, 224]}``; gives the seconds that it took."""
        return sum(self._session.warm_up(each) for each in shapes)

    def clone(self) -> Predictor:
        """A predictor for another thread, with the same weights and programs."""
        return Predictor(self._session)

    def clear_intermediate_tensor(self) -> None:
        """Nothing to do: XLA frees what a run needed."""

    def try_shrink_memory(self) -> int:
        """Forget the values in the handles. Gives 0."""
        for handle in (*self._inputs.values(), *self._outputs.values()):
            handle._value = None
        return 0

    def register_output_hook(self, hook: Any) -> None:
        """Not here: inputs and outputs of single operators are no values of a compiled program."""
        raise NotImplementedError("The model runs as one compiled program, which has no results of single operators. "
                                  "Let the model return what is to be looked at, and save it again.")

    register_input_hook = register_output_hook

    def __getstate__(self) -> Any:
        raise TypeError("A Predictor cannot be pickled: make one in each process, from the same Config.")


class PredictorPool:
    """Several predictors of one model, one for each thread: `retrieve(i)`."""

    def __init__(self, config: Config, size: int = 1):
        if size < 1:
            raise ValueError(f"A pool needs at least one predictor, but got size={size}.")
        first = create_predictor(config)
        self._predictors = [first, *(first.clone() for _ in range(size - 1))]

    def retrieve(self, idx: int) -> Predictor:
        """Predictor number `idx`. Raises IndexError if there are fewer."""
        if not 0 <= idx < len(self._predictors):
            raise IndexError(f"The pool has {len(self._predictors)} predictors, but number {idx} was asked for.")
        return self._predictors[idx]

    retrive = retrieve                  # as Paddle spells it


def create_predictor(config: Config) -> Predictor:
    """Load the model that the Config names.

    Raises FileNotFoundError, ModelFileError or ValueError if it cannot be read, RuntimeError without such a device.
    """
    if not isinstance(config, Config):
        raise TypeError(f"create_predictor takes a Config, but got {type(config).__name__}.")
    if config.optim_cache_dir():
        keep_compiled_programs(config.optim_cache_dir() or "")
    return Predictor(Session(config.prefix(), config.method, config.digest, config.jax_device(), config.ir_optim(),
                             config.compiler_options(), config.params_file() or None, config.precision()))


__all__ = ["DataType", "Predictor", "PredictorPool", "Tensor", "create_predictor", "get_num_bytes_of_data_type"]
