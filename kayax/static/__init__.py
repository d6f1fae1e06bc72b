"""``paddle.static``: what describes a program before it exists."""
from kayax.bridge.to_static.build_strategy import BuildStrategy
from kayax.spec.input_spec import InputSpec
from kayax.static import nn

__all__ = ["BuildStrategy", "InputSpec", "nn"]
