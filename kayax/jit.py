"""``paddle.jit``: functions, Layers and training steps as programs; models as files."""
from kayax.bridge.to_static.api import enable_to_static, ignore_module, loop_bound, not_to_static, to_static
from kayax.bridge.to_static.check import Mismatch, Report, check
from kayax.bridge.to_static.explain import Explanation, explain
from kayax.bridge.to_static.showing import set_code_level, set_verbosity
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.io.load import TranslatedLayer, load
from kayax.io.save import save

__all__ = ["Explanation", "Mismatch", "Report", "StaticFunction", "TranslatedLayer", "check", "enable_to_static",
           "explain", "ignore_module", "load", "loop_bound", "not_to_static", "save", "set_code_level", "set_verbosity",
           "to_static"]
