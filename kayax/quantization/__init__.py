"""``paddle.quantization``: training aware of quantization (QAT), and quantization after training (PTQ).

A QuantConfig says which layers get which quanters and observers; `quantize` puts them in; `convert` fixes their
scales.
"""
from kayax.quantization import observers, quanters  # noqa: F401
from kayax.quantization.base import BaseObserver, BaseQuanter
from kayax.quantization.config import QuantConfig
from kayax.quantization.factory import quanter
from kayax.quantization.quantize import PTQ, QAT, ObserveWrapper  # noqa: F401

__all__ = ["QuantConfig", "BaseQuanter", "BaseObserver", "quanter", "QAT", "PTQ"]
