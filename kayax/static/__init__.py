"""``paddle.static``: what describes a program before it exists, and programs that are built first and run later."""
from __future__ import annotations

import importlib
from typing import Any

from kayax.absent import absent
from kayax.bridge.to_static.build_strategy import BuildStrategy
from kayax.spec.input_spec import InputSpec

# Loaded when first used: most scripts never switch to static mode.
_LAZY = {name: module for module, names in {
    "program": """Program append_backward data default_main_program default_startup_program gradients normalize_program
        program_guard""",
    "executor": "CompiledProgram Executor",
    "scopes": "Scope global_scope scope_guard",
    "extras": """Print cpu_places create_global_var create_parameter cuda_places device_guard name_scope
        py_func""",
    "measures": "accuracy auc ctr_metric_bundle",
    "averaging": "ExponentialMovingAverage",
    "serialize": """deserialize_persistables deserialize_program load_from_file save_to_file serialize_persistables
        serialize_program""",
    "io": "load load_inference_model load_program_state save save_inference_model set_program_state",
}.items() for name in names.split()}
_OTHER = {"Variable": "kayax.bridge.symbols", "WeightNormParamAttr": "kayax.layers.param_attr"}


def __getattr__(name: str) -> Any:
    if name in ("amp", "nn"):
        return importlib.import_module(f"kayax.static.{name}")
    if name in _LAZY:
        return getattr(importlib.import_module(f"kayax.static.{_LAZY[name]}"), name)
    if name in _OTHER:
        return getattr(importlib.import_module(_OTHER[name]), name)
    return absent("static")(name)


__all__ = ["BuildStrategy", "InputSpec", *_LAZY, *_OTHER]
