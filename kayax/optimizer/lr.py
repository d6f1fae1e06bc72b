"""``paddle.optimizer.lr``: learning-rate schedulers."""
from kayax.layers.optimizer.lr import *  # noqa: F403
from kayax.layers.optimizer.lr import __all__  # noqa: F401
