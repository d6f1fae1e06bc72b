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
from kayax.bridge.rng import get_rng_state, seed, set_rng_state  # noqa: E402
from kayax.bridge.rng import get_rng_state as get_cuda_rng_state  # noqa: E402
from kayax.bridge.rng import set_rng_state as set_cuda_rng_state  # noqa: E402
from kayax.bridge.device import (  # noqa: E402
    CPUPlace, CUDAPinnedPlace, CUDAPlace, TPUPlace, get_device, set_device)
from kayax.bridge.autograd import (  # noqa: E402
    enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled)
from kayax.bridge.ops import public as _public  # noqa: E402
from kayax.bridge.printing import set_printoptions  # noqa: E402
from kayax.bridge.amp import get_autocast_dtype, is_autocast_enabled  # noqa: E402
from kayax.layers.param_attr import ParamAttr  # noqa: E402
from kayax.io.load import load_object as load  # noqa: E402
from kayax.io.state_file import save  # noqa: E402
from kayax import amp, autograd, device, framework, io, jit, linalg, nn, optimizer, regularizer, static, utils  # noqa: E402
from kayax.layers.parameter import create_parameter  # noqa: E402

globals().update(_public.TOP_LEVEL)
globals().update(_DTYPES | _ALIASES)

__version__ = "0.1.0"
e, pi, inf, nan, newaxis = _math.e, _math.pi, _math.inf, _math.nan, None
autocast = amp.autocast

# Loaded when first used: a training script does not need them.
_LAZY = {"metric", "vision", "distributed", "hub", "incubate", "distribution", "fft", "signal", "sparse", "text",
         "audio", "callbacks", "hapi", "inference", "onnx", "profiler", "quantization", "version"}
_LAZY_NAMES = {"Model": "hapi", "summary": "hapi", "flops": "hapi", "DataParallel": "distributed"}  # public here


def in_dynamic_mode() -> bool:
    """True, except while a function is being converted."""
    from kayax.bridge.state import tracing
    return not tracing()


in_dygraph_mode = in_dynamic_mode


def disable_static(place: _Any = None) -> None:
    """Imperative mode, which is the only one here: accepted for Paddle scripts that call it."""


def is_compiled_with_cuda() -> bool:
    """Whether JAX sees a GPU."""
    import jax
    return any(d.platform in ("gpu", "cuda") for d in jax.devices())


def is_compiled_with_rocm() -> bool:
    """Whether JAX sees an AMD GPU."""
    import jax
    return any(d.platform == "rocm" for d in jax.devices())


def is_compiled_with_xpu() -> bool:
    """False: JAX has no such device."""
    return False


def is_compiled_with_cinn() -> bool:
    """False: XLA compiles here."""
    return False


def is_compiled_with_distribute() -> bool:
    """False: one process."""
    return False


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        try:
            return _importlib.import_module(f"kayax.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"kayax.{name}":
                raise
    if name in _LAZY_NAMES:
        return getattr(_importlib.import_module(f"kayax.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'kayax' has no attribute {name!r}")
