"""``paddle.nn``: layers."""
from typing import Any as _Any

from kayax.bridge.parameter import Parameter
from kayax.layers.activation import *  # noqa: F403
from kayax.layers.adaptive_softmax import *  # noqa: F403
from kayax.layers.attention import *  # noqa: F403
from kayax.layers.containers import *  # noqa: F403
from kayax.layers.conv import *  # noqa: F403
from kayax.layers.decoding import *  # noqa: F403
from kayax.layers.dropout import *  # noqa: F403
from kayax.layers.layer import Layer
from kayax.layers.linear import *  # noqa: F403
from kayax.layers.loss import *  # noqa: F403
from kayax.layers.norm import *  # noqa: F403
from kayax.layers.optimizer.clip import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from kayax.layers.padding import *  # noqa: F403
from kayax.layers.pooling import *  # noqa: F403
from kayax.layers.rearrange import *  # noqa: F403
from kayax.layers.rnn import *  # noqa: F403
from kayax.layers.spectral import *  # noqa: F403
from kayax.nn import attention, functional, init, initializer, utils
from kayax.nn.utils import spectral_norm

# Paddle's second names, as PyTorch spells them.
_ALSO = {"Module": "Layer", "ModuleList": "LayerList", "ModuleDict": "LayerDict", "SiLU": "Silu",
         "HuberLoss": "SmoothL1Loss",
         "MaxUnpool1d": "MaxUnPool1D", "MaxUnpool2d": "MaxUnPool2D", "MaxUnpool3d": "MaxUnPool3D"}
_ALSO |= {f"{kind}{n}d": f"{kind}{n}D" for n in (1, 2, 3) for kind in (
    "AdaptiveAvgPool", "AdaptiveMaxPool", "CircularPad", "ConstantPad", "Conv", "ReflectionPad", "ReplicationPad",
    "ZeroPad")}
_ALSO |= {f"LPPool{n}d": f"LPPool{n}D" for n in (1, 2)}
_ALSO |= {f"Upsampling{kind}2d": f"Upsampling{kind}2D" for kind in ("Bilinear", "Nearest")}
globals().update({new: globals()[old] for new, old in _ALSO.items() if old in globals()})


def __getattr__(name: str) -> _Any:
    if name == "FlaxLayer":                 # imports Flax, which most programs do not need
        from kayax.layers.flax_adapter import FlaxLayer
        return FlaxLayer
    if name == "quant":
        import kayax.nn.quant as quant
        return quant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["ClipGradByGlobalNorm", "ClipGradByNorm", "ClipGradByValue", "FlaxLayer",  # noqa: F405
           "Layer", "Parameter", "attention", "functional", "init", "initializer", "spectral_norm", "utils"]
__all__ += [_name for _name in list(globals()) if not _name.startswith("_") and _name not in __all__]
