"""Names that real code imports from Paddle's inner paths and that are public nowhere."""
from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager as signature_safe_contextmanager
from typing import Any

import kayax as _paddle
from kayax.bridge.parameter import Parameter
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.hapi.steps import as_list as to_list
from kayax.inner.arrays import array_length, array_read, array_write, create_array
from kayax.io.loader_collate import default_collate_fn, default_convert_fn
from kayax.layers.decoding import Decoder
from kayax.layers.initializer import Initializer
from kayax.spec import unique_name
from kayax.spec.dtype import convert

EagerParamBase = ParamBase = Parameter
no_grad_ = _paddle.no_grad
LazyGuard = _paddle.LazyGuard
to_variable = _paddle.to_tensor


# ---- modes -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def guard(place: Any = None) -> Iterator[None]:
    """Imperative mode inside. place: the device there."""
    held, before = state.graph, _paddle.get_device()
    state.graph = None
    if place is not None:
        _paddle.set_device(_device(place))
    try:
        yield
    finally:
        state.graph = held
        _paddle.set_device(before)


def _device(place: Any) -> str:
    return place if isinstance(place, str) else "cpu" if isinstance(place, _paddle.CPUPlace) else "gpu"


def enabled() -> bool:
    """Whether this is imperative mode."""
    return state.graph is None


def enable_dygraph(place: Any = None) -> None:
    """As `paddle.disable_static`."""
    _paddle.disable_static(place)


def disable_dygraph() -> None:
    """As `paddle.enable_static`."""
    _paddle.enable_static()


def in_dygraph_mode() -> bool:
    """As `paddle.in_dynamic_mode`."""
    return _paddle.in_dynamic_mode()


_non_static_mode = in_dynamic_or_pir_mode = in_dygraph_mode


def in_to_static_mode() -> bool:
    """Whether a function is being converted."""
    return state.trace is not None


in_declarative_mode = in_to_static_mode


def in_pir_mode() -> bool:
    """False: programs are XLA's."""
    return False


use_pir_api = in_pir_executor_mode = in_pir_mode


def dygraph_only(func: Callable) -> Callable:
    """Decorate a function that works in imperative mode alone."""
    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        if state.graph is not None:
            raise AssertionError(f"{func.__name__} works in imperative mode only: call paddle.disable_static() first.")
        return func(*args, **kwargs)

    return run


def static_only(func: Callable) -> Callable:
    """Decorate a function that works in static mode alone."""
    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        if state.graph is None:
            raise AssertionError(f"{func.__name__} works in static mode only: call paddle.enable_static() first.")
        return func(*args, **kwargs)

    return run


def cuda_pinned_places(device_count: int | None = None) -> list[Any]:
    """Not without GPUs: an AssertionError."""
    return _paddle.static.cuda_places()[:device_count] and [_paddle.CUDAPinnedPlace()] * (device_count or 1)


def wrap_decorator(decorator: Callable) -> Callable:
    """A decorator made of one that gives a plain wrapper."""
    def decorate(func: Callable) -> Callable:
        return functools.wraps(func)(decorator(func))

    return decorate


# ---- types and checks ------------------------------------------------------------------------------------------


def convert_np_dtype_to_dtype_(np_dtype: Any) -> Any:
    """The data type of this package for one of NumPy, or a name."""
    return convert(np_dtype)


def convert_dtype(dtype: Any) -> str:
    """The name of a data type."""
    return convert(dtype).name


def check_type(input: Any, input_name: str, expected_type: Any, op_name: str, extra_message: str = "") -> None:
    """A TypeError unless `input` is of the type; Tensors pass always."""
    if not isinstance(input, (Tensor, *(expected_type if isinstance(expected_type, tuple) else (expected_type,)))):
        raise TypeError(f"{input_name} of {op_name} must be {expected_type}, but is {type(input)}. {extra_message}")


def check_dtype(input_dtype: Any, input_name: str, expected_dtype: Any, op_name: str, extra_message: str = "") -> None:
    """A TypeError unless the data type is one of those expected."""
    expected = [expected_dtype] if isinstance(expected_dtype, str) else list(expected_dtype)
    if convert_dtype(input_dtype) not in expected:
        raise TypeError(f"{input_name} of {op_name} must be {' or '.join(expected)}, but is "
                        f"{convert_dtype(input_dtype)}. {extra_message}")


def check_variable_and_dtype(input: Any, input_name: str, expected_dtype: Any, op_name: str,
                             extra_message: str = "") -> None:
    """A TypeError unless `input` is a Tensor of one of these data types."""
    check_type(input, input_name, Tensor, op_name, extra_message)
    check_dtype(input.dtype, input_name, expected_dtype, op_name, extra_message)


def _current_expected_place() -> Any:
    """The device that new tensors are on."""
    return _paddle.CPUPlace() if _paddle.get_device() == "cpu" else _paddle.CUDAPlace(0)


def _get_paddle_place(place: Any) -> Any:
    """A place for a name."""
    if not isinstance(place, str):
        return place
    return _paddle.CPUPlace() if place == "cpu" else _paddle.CUDAPlace(int(place.partition(":")[2] or 0))


# ---- functions -------------------------------------------------------------------------------------------------


def fill_constant(shape: Any, dtype: Any, value: Any, force_cpu: bool = False, out: Tensor | None = None,
                  place: Any = None, name: str | None = None) -> Tensor:
    """A Tensor of this shape filled with `value`; written into `out`, if that is given."""
    made = _paddle.full([shape] if isinstance(shape, int) else shape, value, dtype)
    return made if out is None else _paddle.assign(made, out)


def create_tensor(dtype: Any, name: str | None = None, persistable: bool = False) -> Tensor:
    """An empty Tensor, to be written into."""
    made = _paddle.zeros([0], dtype)
    made.name, made.persistable = name, persistable
    return made


def _convert_param_attr_to_list(param_attr: Any, n: int) -> list[Any]:
    """One ParamAttr (or False) for each of n parameters; a name gets the numbers 0 to n - 1."""
    if isinstance(param_attr, (list, tuple)):
        if len(param_attr) != n:
            raise AssertionError(f"param_attr must have {n} entries, but has {len(param_attr)}.")
        return [_paddle.ParamAttr.of(a) for a in param_attr]
    found = []
    for i in range(n):
        attr: Any = copy.deepcopy(_paddle.ParamAttr.of(param_attr))
        if attr is not False and attr.name:
            attr.name = f"{attr.name}_{i}"
        found.append(attr)
    return found


def _convert_attention_mask(attn_mask: Tensor | None, dtype: Any) -> Tensor | None:
    """A mask to add to scores: from booleans and integers, 0 where it is true and -1e9 elsewhere."""
    if attn_mask is None or attn_mask.dtype == convert(dtype):
        return attn_mask
    found = attn_mask.astype(dtype)
    return found if attn_mask.dtype.is_floating else (found - 1.0) * 1e9


def get_logger(name: str, level: Any = logging.INFO, fmt: str | None = None) -> logging.Logger:
    """A logger that writes lines of this form to the standard error."""
    logger = logging.getLogger(name)
    logger.setLevel(level)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(fmt))
        logger.addHandler(handler)
        logger.propagate = False
    return logger


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, skip_if: Callable | None = None) -> None:
    """A ValueError if nested values differ in structure, or with `check_types` a TypeError if in their containers."""
    kinds = (list, tuple, dict)
    if not isinstance(nest1, kinds) and not isinstance(nest2, kinds):
        return
    if isinstance(nest1, kinds) != isinstance(nest2, kinds) or len(nest1) != len(nest2):
        raise ValueError(f"The two structures differ: {nest1} and {nest2}.")
    if check_types and type(nest1) is not type(nest2):
        raise TypeError(f"The two structures are of different types: {type(nest1)} and {type(nest2)}.")
    if isinstance(nest1, dict) and set(nest1) != set(nest2):
        raise ValueError(f"The two dicts have different keys: {set(nest1)} and {set(nest2)}.")
    pairs = [(nest1[k], nest2[k]) for k in nest1] if isinstance(nest1, dict) else zip(nest1, nest2, strict=True)
    for first, second in pairs:
        if skip_if is None or not skip_if(first):
            assert_same_structure(first, second, check_types, skip_if)


def clip_by_norm(x: Tensor, max_norm: float, name: str | None = None) -> Tensor:
    """`x`, made shorter if its Euclidean norm is above `max_norm`."""
    return x * (max_norm / x.norm().clip(min=max_norm))


def setitem(x: Tensor, index: Any, value: Any) -> Tensor:
    """A copy of `x` with `value` at `index`."""
    new = x.clone()
    new[index] = value
    return new


def extract_args(func: Callable) -> list[str]:
    """The names of a function's parameters."""
    import inspect
    return list(inspect.signature(func).parameters)


def flatten(nest: Any) -> list[Any]:
    """The values in nested lists, tuples and dicts (by sorted key)."""
    if isinstance(nest, dict):
        nest = [nest[k] for k in sorted(nest)]
    return [v for part in nest for v in flatten(part)] if isinstance(nest, (list, tuple)) else [nest]


def is_parameter(var: Any) -> bool:
    """Whether this is a Parameter."""
    return isinstance(var, Parameter)


def is_persistable(var: Any) -> bool:
    """Whether this Tensor keeps its value: a parameter or a buffer."""
    return bool(var.persistable)


_STATIC = {"DataFeeder": "feeding.DataFeeder", "DenseTensor": "scopes.DenseTensor", "Block": "program.Program",
           "Operator": "program.Operation"}


def __getattr__(name: str) -> Any:
    if name in _STATIC:                     # loaded when first used, as all of static mode
        module, _, attribute = _STATIC[name].partition(".")
        return getattr(importlib.import_module(f"kayax.static.{module}"), attribute)
    if name == "require_version":
        return _paddle.utils.require_version
    raise AttributeError(name)


class LayerHelper:
    """Paddle's way to add kernels to a program by name, which XLA's programs do not have."""

    def __init__(self, *args: Any, **kwargs: Any):
        raise NotImplementedError("LayerHelper adds Paddle's kernels by name, which are not here. Call the public "
                                  "functions (paddle.* or paddle.nn.functional.*), which work in static mode too.")


__all__ = ["Decoder", "EagerParamBase", "Initializer", "LayerHelper", "Parameter", "StaticFunction", "array_length",
           "array_read", "array_write", "create_array", "default_collate_fn", "default_convert_fn",
           "signature_safe_contextmanager", "to_list", "unique_name"]
