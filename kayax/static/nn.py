"""``paddle.static.nn``: choices and loops that depend on tensors."""
from kayax.bridge.control_flow import case, cond, switch_case, while_loop

__all__ = ["case", "cond", "switch_case", "while_loop"]
