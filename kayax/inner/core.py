"""Names of Paddle's C++ module that scripts look at: types, places, what was compiled in."""
from __future__ import annotations

from typing import Any

import jax

import kayax as _paddle
from kayax.bridge.parameter import Parameter as EagerParamBase
from kayax.bridge.tensor import Tensor

_TYPES = {"BOOL": "bool", "UINT8": "uint8", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
          "FP16": "float16", "BF16": "bfloat16", "FP32": "float32", "FP64": "float64", "COMPLEX64": "complex64",
          "COMPLEX128": "complex128"}


class VarDesc:
    """Holds `VarType`, the names of data types as programs of Paddle 2 have them."""

    class VarType:
        """Data types, and kinds of variables."""

        LOD_TENSOR, DENSE_TENSOR, SELECTED_ROWS = 7, 7, 8


DataType = VarDesc.VarType
for _name, _dtype in _TYPES.items():
    setattr(VarDesc.VarType, _name, getattr(_paddle, _dtype))
    setattr(VarDesc.VarType, {"FP16": "FLOAT16", "BF16": "BFLOAT16", "FP32": "FLOAT32", "FP64": "FLOAT64"}.get(
        _name, _name), getattr(_paddle, _dtype))


def get_cuda_device_count() -> int:
    """How many GPUs JAX sees."""
    return sum(d.platform in ("gpu", "cuda") for d in jax.devices())


def is_compiled_with_dist() -> bool:
    """False: one process."""
    return False


def avx_supported() -> bool:
    """True: XLA compiles for the processor."""
    return True


def is_float16_supported(place: Any = None) -> bool:
    """True: XLA computes in it everywhere. place: accepted."""
    return True


is_bfloat16_supported = is_float16_supported
is_compiled_with_mkldnn = is_compiled_with_nccl = is_compiled_with_onednn = is_compiled_with_dist


_SCOPES = {"DenseTensor": "DenseTensor", "LoDTensor": "DenseTensor", "Scope": "Scope", "_Scope": "Scope",
           "Variable": "ScopeVariable"}


def __getattr__(name: str) -> Any:
    if name in _SCOPES:                     # loaded when first used, as all of static mode
        from kayax.static import scopes
        return getattr(scopes, _SCOPES[name])
    raise AttributeError(name)


DenseTensorArray = LoDTensorArray = list

__all__ = ["DataType", "EagerParamBase", "Tensor", "VarDesc", "get_cuda_device_count", "is_compiled_with_dist"]
