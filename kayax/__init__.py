"""Kayax: PaddlePaddle's imperative API on JAX. ``import kayax as paddle``."""
from __future__ import annotations

import importlib as _importlib
import math as _math
import os as _os
from typing import Any as _Any

_root = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))
if _os.path.isfile(_os.path.join(_root, "bridge", "tensor.py")):        # a source checkout: the rooms lie beside us
    __path__.append(_root)

from kayax.spec.dtype import ALL as _DTYPES  # noqa: E402
from kayax.spec.dtype import MODULE_ALIASES as _ALIASES  # noqa: E402
from kayax.spec.dtype import DType as dtype  # noqa: E402
from kayax.spec.dtype import get_default_dtype, set_default_dtype  # noqa: E402
from kayax.spec.limits import finfo, iinfo  # noqa: E402
from kayax.spec.size import Size  # noqa: E402
from kayax.bridge.tensor import Tensor  # noqa: E402
from kayax.bridge.convert import to_tensor  # noqa: E402
from kayax.bridge.dlpack import from_dlpack, to_dlpack  # noqa: E402
from kayax.bridge.rng import (  # noqa: E402
    Generator, get_cuda_rng_state, get_rng_state, seed, set_cuda_rng_state, set_rng_state)
from kayax.bridge.rng import seed as manual_seed  # noqa: E402
from kayax.bridge.autograd import (  # noqa: E402
    enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled)
from kayax.bridge.ops import public as _public  # noqa: E402
from kayax.bridge.printing import set_printoptions  # noqa: E402
from kayax.bridge.amp import get_autocast_dtype, is_autocast_enabled  # noqa: E402
from kayax.layers.param_attr import ParamAttr  # noqa: E402
from kayax.files import load, save  # noqa: E402
from kayax import amp, autograd, device, framework, io, jit, linalg, nn, optimizer, regularizer, static, utils  # noqa: E402
from kayax.layers.parameter import LazyGuard, create_parameter  # noqa: E402
from kayax import inner as _inner  # noqa: E402

globals().update(_public.TOP_LEVEL)
globals().update(_DTYPES | _ALIASES)

__version__ = "0.1.0"
e, pi, inf, nan, newaxis = _math.e, _math.pi, _math.inf, _math.nan, None
autocast, get_autocast_cpu_dtype = amp.autocast, amp.get_autocast_cpu_dtype
get_autocast_gpu_dtype = amp.get_autocast_gpu_dtype
globals().update({name: getattr(device, name) for name in device.AT_TOP})

# Loaded when first used: a training script does not need them.
_LAZY = {"metric", "vision", "distributed", "hub", "incubate", "distribution", "fft", "signal", "sparse", "text",
         "audio", "geometric", "callbacks", "hapi", "inference", "onnx", "profiler", "quantization", "version",
         "convert", "compat", "cuda", "functional", "random", "special", "sysconfig", "base", "tensor",
         "common_ops_import", "pir", "pir_utils"}
_LAZY_NAMES = {                     # public here, from such a module
    "Model": "hapi", "summary": "hapi", "flops": "hapi",
    "DataParallel": "distributed",
    "set_flags": "flags", "get_flags": "flags",
    **dict.fromkeys(("MmapStorage", "async_save", "batch", "check_shape", "disable_compat", "disable_signal_handler",
                     "enable_compat"), "legacy"),
}


def in_dynamic_mode() -> bool:
    """True, except while a function is being converted and in static mode."""
    from kayax.bridge.state import state
    return state.trace is None and state.graph is None


in_dygraph_mode = in_dynamic_mode


def enable_static() -> None:
    """Static mode: operations are noted in the default main program, and run by an Executor."""
    from kayax.static.program import Mode
    Mode.enter()


def disable_static(place: _Any = None) -> None:
    """Imperative mode, in which everything runs at once: the mode that a script starts in."""
    from kayax.bridge.state import state
    if state.graph is not None:
        from kayax.static.program import Mode
        Mode.leave()


_inner.install([amp, autograd, framework, io, jit, nn, nn.functional, nn.initializer, nn.utils, optimizer, static,
                utils])


__all__ = [_name for _name in list(globals()) if not _name.startswith("_") and _name != "annotations"]
__all__ += _LAZY_NAMES


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        try:
            return _importlib.import_module(f"kayax.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"kayax.{name}":
                raise
    if name in _LAZY_NAMES:
        return getattr(_importlib.import_module(f"kayax.{_LAZY_NAMES[name]}"), name)
    from kayax.absent import absent
    return absent("")(name)
