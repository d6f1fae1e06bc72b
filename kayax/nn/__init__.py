"""``paddle.nn``: layers."""
from kayax.bridge.tensor import Parameter
from kayax.layers.activation import *  # noqa: F403
from kayax.layers.attention import *  # noqa: F403
from kayax.layers.containers import *  # noqa: F403
from kayax.layers.conv import *  # noqa: F403
from kayax.layers.dropout import *  # noqa: F403
from kayax.layers.flax_adapter import FlaxLayer
from kayax.layers.layer import Layer
from kayax.layers.linear import *  # noqa: F403
from kayax.layers.loss import *  # noqa: F403
from kayax.layers.norm import *  # noqa: F403
from kayax.layers.optimizer.clip import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from kayax.layers.padding import *  # noqa: F403
from kayax.layers.pooling import *  # noqa: F403
from kayax.layers.rearrange import *  # noqa: F403
from kayax.layers.rnn import *  # noqa: F403
from kayax.nn import functional, initializer

__all__ = ["ClipGradByGlobalNorm", "ClipGradByNorm", "ClipGradByValue", "FlaxLayer", "Layer", "Parameter", "functional",
           "initializer"]
