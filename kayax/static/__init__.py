"""``paddle.static``: what describes a program before it exists, and programs that are built first and run later."""
from __future__ import annotations

import importlib
from typing import Any

from kayax.bridge.to_static.build_strategy import BuildStrategy
from kayax.spec.input_spec import InputSpec

# Loaded when first used: most scripts never switch to static mode.
_LAZY = {name: module for module, names in {
    "program": """Program append_backward data default_main_program default_startup_program gradients normalize_program
        program_guard""",
    "executor": "CompiledProgram Executor Scope global_scope scope_guard",
    "extras": """Print cpu_places create_global_var create_parameter cuda_places device_guard name_scope
        py_func""",
    "measures": "accuracy auc",
    "io": "load load_inference_model load_program_state save save_inference_model set_program_state",
}.items() for name in names.split()}
_OTHER = {"Variable": "kayax.bridge.symbols"}
_ABSENT = {
    "It is for IPUs, which JAX does not have.":
        "IpuCompiledProgram IpuStrategy ipu_shard_guard set_ipu_shard",
    "It is for XPUs, which JAX does not have.": "xpu_places",
    "Use paddle.static.save_inference_model and load_inference_model, whose files hold the program and its parameters.":
        """deserialize_persistables deserialize_program load_from_file save_to_file serialize_persistables
        serialize_program""",
    "Use paddle.metric.Auc on the values that are fetched.": "ctr_metric_bundle",
    "Keep averages in buffers: `buffer.set_value(decay * buffer + (1 - decay) * parameter)` under no_grad.":
        "ExponentialMovingAverage",
    "Use paddle.nn.utils.weight_norm.": "WeightNormParamAttr",
}


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module("kayax.static.nn")
    if name in _LAZY:
        return getattr(importlib.import_module(f"kayax.static.{_LAZY[name]}"), name)
    if name in _OTHER:
        return getattr(importlib.import_module(_OTHER[name]), name)
    for advice, names in _ABSENT.items():
        if name in names.split():
            return _absent(name, advice)
    raise AttributeError(f"module 'kayax.static' has no attribute {name!r}")


def _absent(name: str, advice: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"paddle.static.{name} is not available. {advice}")

    call.__name__ = call.__qualname__ = name
    return call


__all__ = ["BuildStrategy", "InputSpec", *_LAZY, *_OTHER]
