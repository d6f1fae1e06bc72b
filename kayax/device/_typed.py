"""``FloatTensor`` and its like: makers of Tensors of one dtype, and the kinds that `isinstance` asks for."""
from __future__ import annotations

from typing import Any

from kayax.bridge.ops.public import TOP_LEVEL
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import ALL


class _Maker(type):
    dtype: Any

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        if args and all(isinstance(a, int) and not isinstance(a, bool) for a in args):
            return TOP_LEVEL["empty"](list(args), cls.dtype, device=device)
        if len(args) > 1:
            raise TypeError(f"{cls.__name__} takes the data, or the sizes as ints, but got {len(args)} arguments.")
        return TOP_LEVEL["to_tensor"](args[0] if args else [], cls.dtype, device)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype


_DTYPES = {"FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
           "ByteTensor": "uint8", "CharTensor": "int8", "ShortTensor": "int16", "IntTensor": "int32",
           "LongTensor": "int64", "BoolTensor": "bool"}

TYPED = {name: _Maker(name, (), {
    "dtype": ALL[dtype], "__doc__": f"A new {dtype} Tensor: of data, or of the sizes given as ints.",
}) for name, dtype in _DTYPES.items()}
