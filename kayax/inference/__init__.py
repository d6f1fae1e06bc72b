"""``paddle.inference``: saved models that predict, from many threads, without gradients."""
from __future__ import annotations

from kayax.absent import absent
from kayax.inference.config import Config, PlaceType, PrecisionType
from kayax.inference.mixed import convert_to_mixed_precision
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

__all__ = ["Config", "DataType", "PlaceType", "PrecisionType", "Predictor", "PredictorPool", "Tensor",
           "convert_to_mixed_precision", "create_predictor", "get_num_bytes_of_data_type", "get_trt_compile_version",
           "get_trt_runtime_version", "get_version"]
