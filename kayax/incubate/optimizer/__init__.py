"""``paddle.incubate.optimizer``: LookAhead, ModelAverage, LBFGS."""
from kayax.incubate.optimizer import functional
from kayax.incubate.optimizer.averaging import LookAhead, ModelAverage
from kayax.layers.optimizer import LBFGS

__all__ = ["LBFGS", "LookAhead", "ModelAverage", "functional"]
