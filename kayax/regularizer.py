"""``paddle.regularizer``: weight decay."""
from kayax.layers.optimizer.regularizer import L1Decay, L2Decay

__all__ = ["L1Decay", "L2Decay"]
