"""Files of programs: the parameters of a program, and programs that predict."""
from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

from kayax import jit
from kayax import load as load_file
from kayax import save as save_file
from kayax.bridge.staging import suspended
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.spec.errors import ArgumentError
from kayax.spec.input_spec import InputSpec
from kayax.static.executor import Executor
from kayax.static.program import Program, normalize_program
from kayax.static.serialize import program_around, write_program


def save(program: Program, model_path: str, protocol: int = 4, **configs: Any) -> None:
    """Write parameters and buffers to ``model_path.pdparams``, what optimizers hold to ``model_path.pdopt``, and the
    program to ``model_path.pdmodel``, which `paddle.load` reads.

    A program that calls Python functions is not written, and a warning says so.
    """
    _need_program(program)
    if not os.path.basename(model_path):
        raise ArgumentError(f"model_path must end in a file name without extension, but got {model_path!r}.")
    with suspended():
        save_file(program.state_dict(), model_path + ".pdparams", protocol=protocol)
        state = {k: v for optimizer in program.graph.optimizers() for k, v in optimizer.state_dict().items()}
        if state:
            save_file(state, model_path + ".pdopt", protocol=protocol)
    try:
        write_program(program, model_path + ".pdmodel")
    except TypeError as error:
        warnings.warn(f"{model_path}.pdmodel is not written: {error}", stacklevel=2)


def load(program: Program, model_path: str, executor: Executor | None = None, var_list: Any = None) -> None:
    """Read what `save` wrote into the program's parameters, buffers and optimizers. var_list: only these variables."""
    _need_program(program)
    with suspended():
        values = load_program_state(model_path, var_list)
        missing = sorted(set(program.state_dict()) - set(values)) if var_list is None else []
        if missing:
            raise RuntimeError(f"{model_path}.pdparams has no value for {', '.join(missing)}.")
        program.set_state_dict(values)
        if os.path.exists(model_path + ".pdopt"):
            for optimizer in program.graph.optimizers():
                optimizer.set_state_dict(load_file(model_path + ".pdopt"))


def load_program_state(model_path: str, var_list: Any = None) -> dict[str, Any]:
    """The arrays in ``model_path.pdparams`` by name; those of `var_list` alone, if it is given."""
    base = model_path.removesuffix(".pdparams")
    with suspended():
        values = load_file(base + ".pdparams", return_numpy=True)
    chosen = None if var_list is None else {v.name for v in var_list}
    return {k: v for k, v in values.items() if chosen is None or k in chosen}


def set_program_state(program: Program, state_dict: dict[str, Any]) -> None:
    """Copy values into the program's parameters and buffers of these names."""
    _need_program(program)
    with suspended():
        program.set_state_dict(state_dict)


def _need_program(value: Any) -> None:
    if not isinstance(value, Program):
        raise ArgumentError(f"program must be a Program, but got {type(value).__name__}.")


def save_inference_model(path_prefix: str, feed_vars: Any, fetch_vars: Any, executor: Any, **kwargs: Any) -> None:
    """Write what computes `fetch_vars` from `feed_vars` as a model of `jit.save`, in evaluation mode.

    path_prefix: the files' common prefix. executor: accepted. program: (keyword) the main program if not given.
    """
    from kayax.static.program import default_main_program
    feeds, fetches = _as_list(feed_vars), _as_list(fetch_vars)
    for name, values in (("feed_vars", feeds), ("fetch_vars", fetches)):
        if not all(isinstance(v, Tensor) for v in values):
            raise ArgumentError(f"{name} must be a variable or a list of variables, but got {values!r}.")
    given = kwargs.pop("program", None) or default_main_program()
    _need_program(given)
    whole = given.clone(for_test=True)
    names = [v.name for v in feeds]
    missing = [n for n in whole.graph.inputs(whole.graph.needed(fetches), fetches, ()) if n not in names]
    program = normalize_program(whole, feeds, fetches)
    if missing:
        raise ValueError(f"fetch_vars depend on the input {missing[0]!r}, which is not among feed_vars.")

    def predict(*values: Any) -> Any:
        results = program.graph.run(program.graph.instructions, dict(zip(names, values, strict=True)), fetches)
        return results if len(results) > 1 else results[0]

    predict.__signature__ = _signature(names)               # type: ignore[attr-defined]
    specs = [InputSpec([d if isinstance(d, (int, str)) else None for d in v.__dict__["open_dims"]], v.dtype, n)
             for n, v in zip(names, feeds, strict=True)]
    with suspended():
        jit.save(StaticFunction(predict, specs), path_prefix, input_spec=specs)


def _signature(names: Sequence[str]) -> Any:
    import inspect
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(n if n.isidentifier() else f"input_{i}", kind)
                              for i, n in enumerate(names)])


def load_inference_model(path_prefix: str, executor: Any, **kwargs: Any) -> list[Any]:
    """A saved model as ``[program, names of its inputs, variables of its results]``, to be run by an Executor.

    path_prefix: of a model that `save_inference_model` or `jit.save` wrote, here or in Paddle.
    """
    if not isinstance(path_prefix, (str, os.PathLike)):
        raise ValueError(f"path_prefix must be a path, but got {type(path_prefix).__name__}.")
    if not isinstance(executor, Executor):
        raise AssertionError(f"executor must be an Executor, but got {type(executor).__name__}.")
    with suspended():
        layer = jit.load(path_prefix, **{k: v for k, v in kwargs.items() if k.endswith("_filename")})
        layer.eval()
        program = program_around(layer)
    return [program, list(program.graph.data), list(program.fetched)]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


__all__ = ["load", "load_inference_model", "load_program_state", "save", "save_inference_model", "set_program_state"]
