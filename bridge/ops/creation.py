"""New Tensors: filled, counted, copied."""
from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.autograd import no_grad
from kayax.bridge.convert import to_array, to_tensor
from kayax.bridge.ops.promotion import cast
from kayax.bridge.registry import function, op
from kayax.bridge.staging import staged
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.dtype import default, find, to_numpy

_SHAPE: dict[str, Any] = {"static": ("shape",), "differentiable": False}


def sizes(shape: Any) -> tuple:
    """A `shape` argument as a tuple: an int, or a list of ints, where one of them may be a 0-D Tensor's value."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    for n in shape:
        if isinstance(n, (float, str, bool)):
            raise TypeError(f"A shape must hold integers, but got {list(shape)}.")
        if isinstance(n, (int, np.integer)) and n < 0:
            raise ValueError(f"A shape must not hold negative sizes here, but got {list(shape)}.")
    return tuple(shape)


def _dtype(dtype: Any) -> np.dtype:
    return default().numpy if dtype is None else to_numpy(dtype)


def _is_size(value: Any) -> bool:
    """Whether it is a size (an int, or a dimension that is only known by a symbol), not a dtype."""
    return value is not None and find(value) is None


def with_sizes(fn: Any) -> Any:
    """Also take the shape as separate ints (``zeros(2, 3)`` is ``zeros([2, 3])``), and put in the default dtype."""
    @functools.wraps(fn)
    def public(*shape: Any, **kwargs: Any) -> Any:
        if len(shape) > 1 and not isinstance(shape[0], (list, tuple, Tensor)) and _is_size(shape[1]):
            shape = (shape,)
        if len(shape) > 1 and shape[1] is None:
            shape = (shape[0], default(), *shape[2:])
        elif len(shape) < 2 and kwargs.get("dtype") is None:
            kwargs["dtype"] = default()             # here, not in the operation, whose programs are kept
        return fn(*shape, **kwargs)

    public.accepts = fn.op.extras                   # type: ignore[attr-defined]
    return public


def _filled(name: str, value: int, doc: str) -> Any:
    def body(shape, dtype=None, name=None):
        return jnp.full(sizes(shape), value, to_numpy(dtype))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc + " dtype: the default floating type if None."
    return with_sizes(op(body, **_SHAPE))


zeros = _filled("zeros", 0, "A Tensor of the shape, filled with 0.")
ones = _filled("ones", 1, "A Tensor of the shape, filled with 1.")
empty = _filled("empty", 0, "A Tensor of the shape whose values do not matter (here they are 0).")


@op(name="full", scalars=("fill_value",), static=("shape",))
def _full(shape, fill_value, dtype=None, name=None):
    return cast(jnp.broadcast_to(fill_value, sizes(shape)), to_numpy(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A Tensor of the shape, filled with `fill_value`: a number, its text, or a one-element Tensor.

    dtype: if None, bool for a bool, complex128 for a complex number, else the default floating type.
    """
    if isinstance(fill_value, str):
        fill_value = float(fill_value)
    if isinstance(fill_value, (list, tuple)):
        raise TypeError(f"fill_value must be a number or a one-element Tensor, but got {fill_value!r}.")
    if dtype is None:
        dtype = {bool: "bool", complex: "complex128"}.get(type(fill_value), default())
    return _full(shape, fill_value, dtype)


def _like(name: str, value: int, doc: str) -> Any:
    def body(x, dtype=None, name=None):
        return jnp.full(x.shape, value, x.dtype if dtype is None else to_numpy(dtype))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc + " dtype: that of `x` if None."
    return op(body, differentiable=False)


zeros_like = _like("zeros_like", 0, "Zeros in the shape of `x`.")
ones_like = _like("ones_like", 1, "Ones in the shape of `x`.")
empty_like = _like("empty_like", 0, "A Tensor in the shape of `x` whose values do not matter (here they are 0).")


@op(scalars=("fill_value",), differentiable=False)
def full_like(x, fill_value, dtype=None, name=None):
    """A Tensor in the shape of `x`, filled with `fill_value`. dtype: that of `x` if None."""
    return cast(jnp.broadcast_to(fill_value, x.shape), x.dtype if dtype is None else to_numpy(dtype))


def _number(value: Any) -> Any:
    """A Python number, or that of a one-element Tensor or array."""
    return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


@staged
def arange(start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, *, name: str | None = None) -> Tensor:
    """The numbers from `start` up to `end` (which is left out) in steps of `step`; from 0 to `start` if `end` is None.

    dtype: if None, int64 for integers and the default floating type as soon as one of the three is a float.
    """
    start, end, step = _span(start, end, step)
    if dtype is None:
        dtype = default() if any(isinstance(n, float) for n in (start, end, step)) else "int64"
    return _arange(start, end, step, to_numpy(dtype))


def _span(start: Any, end: Any, step: Any) -> list:
    if end is None:
        start, end = 0, start
    numbers = [_number(v) for v in (start, end, step)]
    if numbers[2] == 0:
        raise ValueError("The step must not be 0.")
    return numbers


@op(name="arange", static=("start", "end", "step"), differentiable=False)
def _arange(start, end, step, dtype):
    if not all(isinstance(v, (int, float, np.number)) for v in (start, end, step)):
        return jnp.arange(start, end, step, dtype=dtype)
    if np.issubdtype(dtype, np.integer):
        start, end, step = (int(v) for v in (start, end, step))
    count = np.maximum(0, int(np.ceil((end - start) / step)))
    return cast(start + jnp.arange(count, dtype=dtype if dtype.kind in "iu" else np.float64) * step, dtype)


def range(start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, *, name: str | None = None) -> Tensor:
    """The numbers from `start` to `end`, which is included (unlike in `arange`), in steps of `step`.

    From 0 to `start` if `end` is None. dtype: the default floating type if None.
    """
    start, end, step = _span(start, end, step)
    count = int(np.floor((end - start) / step)) + 1
    return _arange(start, start + step * max(count, 0), step, _dtype(dtype))


def _ends(start: Any, stop: Any, num: Any, dtype: Any) -> tuple:
    num = _number(num)
    if isinstance(num, (float, bool, str)):
        raise TypeError(f"num must be an int, but got {num!r}.")
    if isinstance(num, int) and num < 0:
        raise ValueError(f"num must not be negative, but got {num}.")
    return start, stop, num, _dtype(dtype)


@staged
def linspace(start: Any, stop: Any, num: int, dtype: Any = None, name: str | None = None) -> Tensor:
    """`num` numbers from `start` to `stop`, both included, at equal distances.

    dtype: the default floating type if None.
    """
    return _linspace(*_ends(start, stop, num, dtype))


def _wide(value: Any) -> Any:
    """A number, or a one-element Tensor's, in float64."""
    return cast(jnp.reshape(value, ()), np.float64)


@op(name="linspace", scalars=("start", "stop"), differentiable=False)
def _linspace(start, stop, num, dtype):
    return cast(jnp.linspace(_wide(start), _wide(stop), num), dtype)


@staged
def logspace(start: Any, stop: Any, num: int, base: float = 10.0, dtype: Any = None, name: str | None = None) -> Tensor:
    """`num` powers of `base`, with exponents at equal distances from `start` to `stop`, both included."""
    start, stop, num, dtype = _ends(start, stop, num, dtype)
    if isinstance(num, int) and num < 1:
        raise ValueError(f"num must be 1 or more, but got {num}.")
    return _logspace(start, stop, num, base, dtype)


@op(name="logspace", scalars=("start", "stop", "base"), differentiable=False)
def _logspace(start, stop, num, base, dtype):
    return cast(jnp.power(_wide(base), jnp.linspace(_wide(start), _wide(stop), num)), dtype)


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = None, name: str | None = None) -> Tensor:
    """The identity matrix: `num_rows` by `num_columns` (as many as rows if None), 1 on the diagonal."""
    return _eye(num_rows, num_columns, _dtype(dtype))


@op(name="eye", static=("num_rows", "num_columns"), differentiable=False)
def _eye(num_rows, num_columns, dtype):
    for n in (num_rows, num_columns):
        if isinstance(n, (float, bool, str)) or (isinstance(n, int) and n < 0):
            raise TypeError(f"The numbers of rows and columns must be ints of 0 or more, but got {n!r}.")
    return jnp.eye(num_rows, num_columns, dtype=dtype)


@op(name="assign")
def _assign(x):
    return x + jnp.zeros((), x.dtype) if x.dtype != np.bool_ else x | False


def assign(x: Any, output: Tensor | None = None) -> Tensor:
    """A copy of a Tensor, an array, a number or a list, into `output` if given. The gradient flows to a Tensor `x`.

    Numbers and lists keep NumPy's types: Python floats give float64. A number has the shape [1].
    """
    made = _assign(x) if isinstance(x, Tensor) else wrap(to_array(np.atleast_1d(np.asarray(x))))
    if output is None:
        return made
    if made._stop_gradient and output.is_leaf:          # a parameter takes the value, and stays one
        with no_grad():
            return output._rebind(made)
    return output._rebind(made)


@function
def clone(x: Tensor, name: str | None = None) -> Tensor:
    """A copy that takes part in the gradient."""
    return _assign(x)


def unshared(x: Tensor) -> Tensor:
    """`x` as another Tensor: nothing is computed, but what is written into one is not seen in the other."""
    if state.trace is not None or state.graph is not None or (x.node is None and not x._stop_gradient):
        return clone(x)
    return wrap(x.storage.array, x._stop_gradient, x.node, x.index)


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid: for N Tensors of one dimension (or a list of them), N Tensors with N dimensions.

    Result i holds the values of argument i along dimension i ("ij" indexing).
    """
    tensors = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    return _grid(list(tensors))


@op(name="meshgrid")
def _grid(args):
    if any(a.ndim > 1 for a in args):
        raise ValueError(f"meshgrid takes 0-D and 1-D Tensors, but got shapes {[list(a.shape) for a in args]}.")
    if any(a.dtype != args[0].dtype for a in args):
        raise ValueError(f"meshgrid needs Tensors of one dtype, but got {[a.dtype.name for a in args]}.")
    return list(jnp.meshgrid(*[a.reshape(-1) for a in args], indexing="ij"))


def as_tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
              pin_memory: bool = False) -> Tensor:
    """A new Tensor of the data, as `to_tensor` gives. `pin_memory` is accepted: JAX moves the data itself."""
    return to_tensor(data, dtype, device, not requires_grad)


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:
    """A new Tensor of the data, as `to_tensor` gives; it is always a copy."""
    if copy is False:
        raise ValueError("copy=False cannot be kept: a Tensor here always has its own memory.")
    return to_tensor(obj, dtype, device, not requires_grad)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A new Tensor of a NumPy array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy takes a NumPy array, but got {type(ndarray).__name__}.")
    return to_tensor(ndarray)


__all__ = [
    "arange", "as_tensor", "asarray", "assign", "clone", "empty", "empty_like", "eye", "from_numpy", "full",
    "full_like", "linspace", "logspace", "meshgrid", "ones", "ones_like", "range", "to_tensor", "zeros", "zeros_like",
]
