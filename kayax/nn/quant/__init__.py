"""``paddle.nn.quant``: layers that compute with quantized values, and where a model asks for it."""
from kayax.nn.quant.format import ConvertibleQuantedLayer, LinearDequanter, LinearQuanter, LinearQuanterDequanter  # noqa: F401
from kayax.nn.quant.qat import QuantedConv2D, QuantedLinear  # noqa: F401
from kayax.nn.quant.stub import QuanterStub, Stub  # noqa: F401
from kayax.nn.quant.weight_only import llm_int8_linear, weight_dequantize, weight_only_linear, weight_quantize

__all__ = ["Stub", "weight_only_linear", "llm_int8_linear", "weight_quantize", "weight_dequantize"]
