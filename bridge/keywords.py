"""Keywords beside a function's own parameters: second names of parameters, and what is done with the result.

Paddle 3 takes ``input`` for ``x``, ``dim`` for ``axis`` and so on, and ``out=``, ``device=``, ``requires_grad=``,
``pin_memory=`` in many functions. Both are tables here. They are looked at only when a call has such a keyword.
"""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Iterable
from typing import Any

import jax

from kayax.bridge import device as devices
from kayax.bridge.tensor import Tensor, wrap

# A second name, and the parameters it may stand for: the first one that the function has.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "input": ("x", "values", "arr", "inputs"), "other": ("y",), "tensors": ("x", "inputs"), "obj": ("x",),
    "dim": ("axis", "axes"), "axis": ("dim",), "dims": ("repeat_times", "axis", "perm"), "dimension": ("axis",),
    "size": ("shape", "shape_or_dtype"), "sizes": ("shape",), "dtype": ("shape_or_dtype",),
    "A": ("x",), "B": ("y",), "ord": ("p",), "vec2": ("y",),
    "exponent": ("y",),
    "eps": ("epsilon",), "elements": ("x",), "test_elements": ("test_x",), "boundaries": ("sorted_sequence",),
    "start_dim": ("start_axis",), "end_dim": ("stop_axis",), "steps": ("num",), "end": ("stop",),
    "n": ("num_rows",), "m": ("num_columns",), "lambd": ("threshold", "lam"), "target": ("label",),
    "return_indices": ("return_mask",), "x1": ("x",), "x2": ("y",), "from": ("min", "from_"), "to": ("max",),
    "source": ("value",), "indices_or_sections": ("num_or_indices",), "indices": ("num_or_indices",),
    "sections": ("num_or_indices",), "type": ("dtype",), "modules": ("sublayers",), "kernel_size": ("kernel_sizes",),
    "output_size": ("output_sizes",), "padding": ("paddings",), "stride": ("strides",), "dilation": ("dilations",),
}
# Not here: PyTorch's function of this name means something else, and a script that says so must not get ours.
REFUSED = {"max": ("input", "dim", "other"), "min": ("input", "dim", "other"), "sort": ("input", "dim"),
           "split": ("tensor", "split_size_or_sections", "dim")}

_OUT = """
abs acos acosh add all amax amin any atanh bmm ceil clip complex cos cosh cumprod cumsum diff divide dot equal exp expm1
floor floor_divide frac greater_equal greater_than less_equal less_than log log10 log1p log2 logical_and
logical_not logical_or logical_xor logsumexp matmul maximum mean median minimum remainder multinomial multiply normal
not_equal outer polar pow quantile round rsqrt nn.functional.sigmoid sigmoid sign sin sinh sqrt subtract sum
nn.functional.tanh tanh tril triu var linalg.solve linalg.svd linalg.vector_norm solve svd vector_norm
fft.fft fft.fft2 fft.fftn fft.hfft fft.hfft2 fft.hfftn fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.ihfft2 fft.ihfftn
fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn""".split()
_NEW = "empty eye full ones rand randn randperm zeros arange".split()
_NEW_BUT_PINNED = "linspace standard_normal uniform fft.fftfreq fft.rfftfreq range".split()
_LIKE = "empty_like full_like ones_like zeros_like".split()
_WINDOWS = "bartlett_window blackman_window hamming_window hann_window kaiser_window".split()

_SWITCHES = ("requires_grad", "pin_memory")

EXTRAS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_OUT, ("out",)),
    **dict.fromkeys(_NEW, ("out", "device", "requires_grad", "pin_memory")),
    **dict.fromkeys(_NEW_BUT_PINNED, ("out", "device", "requires_grad")),
    **dict.fromkeys(_LIKE, ("device", "requires_grad", "pin_memory")),
    **dict.fromkeys(_WINDOWS, ("layout", "device", "pin_memory", "requires_grad")),
}


def parameter_for(keyword: str, known: Container[str], function: str) -> str | None:
    """The one of the `known` parameters that a second name stands for, or None."""
    if keyword in REFUSED.get(function, ()):
        raise TypeError(f"{function}() got PyTorch's keyword argument {keyword!r}, but it differs from PyTorch's: use "
                        f"paddle.compat.{function}, or this function's own names.")
    return next((name for name in SYNONYMS.get(keyword, ()) if name in known), None)


def renamed(kwargs: dict[str, Any], known: Container[str], function: str) -> dict[str, Any]:
    """Keyword arguments under the function's own names."""
    out: dict[str, Any] = {}
    for keyword, value in kwargs.items():
        name = keyword if keyword in known else parameter_for(keyword, known, function) or keyword
        if name in out:
            raise TypeError(f"{function}() got multiple values for argument {name!r}, once as {keyword!r}.")
        out[name] = value
    return out


def extended(signature: inspect.Signature, extras: Iterable[str]) -> inspect.Signature:
    """The signature with the extra keywords it does not name itself; a keyword-only `name` stays the last."""
    parameters = list(signature.parameters.values())
    new = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False if name in _SWITCHES else None)
           for name in extras if name not in signature.parameters]
    last = parameters[-1] if parameters else None
    at = len(parameters) - (last is not None and last.kind is last.KEYWORD_ONLY and last.name == "name")
    return signature.replace(parameters=parameters[:at] + new + parameters[at:])


def take(kwargs: dict[str, Any], extras: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The function's own keyword arguments, and the extra ones."""
    return ({k: v for k, v in kwargs.items() if k not in extras}, {k: v for k, v in kwargs.items() if k in extras})


def finish(result: Any, out: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
           layout: Any = None) -> Any:
    """The result, moved to `device`, recorded from here on if `requires_grad`, written into `out` if one was given.

    pin_memory changes nothing: JAX pins what it copies.
    """
    if device is not None and not isinstance(result.storage.array, jax.core.Tracer):
        result = wrap(jax.device_put(result.storage.array, devices.to_jax(device)), result.stop_gradient)
    if requires_grad:
        result.stop_gradient = False
    if out is None:
        return result
    if not isinstance(result, Tensor):
        return tuple([put_out(r, o) for r, o in zip(result, out, strict=True)])
    return put_out(result, out)


def put_out(result: Any, out: Any) -> Any:
    """The result, written into `out` if one was given; `out` takes its shape, dtype and history, as in Paddle."""
    if out is None:
        return result
    if not isinstance(out, Tensor):
        raise TypeError(f"out must be a Tensor, but got {type(out).__name__}.")
    return out._rebind(result)


def accepting(fn: Callable, name: str | None = None) -> Callable:
    """A plain function that takes second names of its parameters, and the extra keywords of the table.

    Given the same function again, it gives the same wrapper.
    """
    made = getattr(fn, "_accepting", None)
    if made is not None or hasattr(fn, "op") or hasattr(fn, "accepts"):
        return made or fn
    name = name or fn.__name__
    signature = inspect.signature(fn)
    known = signature.parameters
    extras = frozenset(EXTRAS.get(name, ())) - frozenset(known)
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return fn

    @functools.wraps(fn)
    def public(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return fn(*args)
        if not extras.isdisjoint(kwargs):
            kwargs, more = take(kwargs, extras)
            return finish(fn(*args, **renamed(kwargs, known, name)), **more)
        return fn(*args, **renamed(kwargs, known, name))

    public.__signature__ = extended(signature, EXTRAS.get(name, ()))        # type: ignore[attr-defined]
    public.accepts = extras                                                 # type: ignore[attr-defined]
    fn._accepting = public                                                  # type: ignore[attr-defined]
    return public
