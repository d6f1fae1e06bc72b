"""``paddle.inference``: saved models that predict, from many threads, without gradients."""
from __future__ import annotations

from typing import Any

from kayax.absent import absent
from kayax.inference.config import Config, PlaceType, PrecisionType
from kayax.inference.predictor import (
    DataType,
    Predictor,
    PredictorPool,
    Tensor,
    create_predictor,
    get_num_bytes_of_data_type,
)


def get_version() -> str:
    """The versions of this package and of JAX."""
    import jax

    import kayax
    return f"version: {kayax.__version__}\njax: {jax.__version__}\n"


def get_trt_compile_version() -> tuple[int, int, int]:
    """(0, 0, 0): TensorRT is not used."""
    return 0, 0, 0


get_trt_runtime_version = get_trt_compile_version
__getattr__ = absent("inference")

def convert_to_mixed_precision(model_file: str, params_file: str, *args: Any, **kwargs: Any) -> None:
    """Not available: NotImplementedError. A saved program is in one precision; save it in the one that is wanted."""
    raise NotImplementedError(
        f"The program {model_file!r} is compiled as it was saved, in the precision that its operations have. "
        "Save it in that precision: with paddle.amp.auto_cast(dtype='bfloat16'): paddle.jit.save(layer, path, "
        "input_spec). To store weights in half the space, export it: kayax.convert.to_onnx(..., weights='float16').")


__all__ = ["Config", "DataType", "PlaceType", "PrecisionType", "Predictor", "PredictorPool", "Tensor",
           "convert_to_mixed_precision", "create_predictor", "get_num_bytes_of_data_type", "get_trt_compile_version",
           "get_trt_runtime_version", "get_version"]
