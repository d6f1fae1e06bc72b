"""Layers that drop at random while training."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.layers.layer import Layer


class Dropout(Layer):
    """Sets elements to zero with probability `p` while training.

    axis: drop whole slices across the other axes. mode: "upscale_in_train" divides what is left by ``1 - p``,
    "downscale_in_infer" multiplies by ``1 - p`` in evaluation instead.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, axis: Any = None, mode: str = "upscale_in_train",
                 name: str | None = None):
        super().__init__()
        self.p, self.inplace, self.axis, self.mode, self.name = p, inplace, axis, mode, name

    def forward(self, input: Any) -> Any:
        out = F.dropout(input, p=self.p, axis=self.axis, training=self.training, mode=self.mode)
        return input._rebind(out) if self.inplace and out is not input else out

    def extra_repr(self) -> str:
        name = f", name={self.name}" if self.name else ""
        return f"p={self.p}, axis={self.axis}, mode={self.mode}, inplace={self.inplace}{name}"


class _ChannelDropout(Layer):
    """Sets whole channels to zero with probability `p` while training."""

    _function: Any

    def __init__(self, p: float, data_format: str, name: str | None):
        super().__init__()
        self.p, self.data_format, self.name = p, data_format, name

    def forward(self, input: Any) -> Any:
        return type(self)._function(input, p=self.p, training=self.training, data_format=self.data_format)

    def extra_repr(self) -> str:
        name = f", name={self.name}" if self.name else ""
        return f"p={self.p}, data_format={self.data_format}{name}"


class Dropout2D(_ChannelDropout):
    """Sets whole channels of ``[N, C, H, W]`` to zero with probability `p` while training."""

    _function: Any = staticmethod(F.dropout2d)

    def __init__(self, p: float = 0.5, data_format: str = "NCHW", name: str | None = None):
        super().__init__(p, data_format, name)


class Dropout3D(_ChannelDropout):
    """Sets whole channels of ``[N, C, D, H, W]`` to zero with probability `p` while training."""

    _function: Any = staticmethod(F.dropout3d)

    def __init__(self, p: float = 0.5, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(p, data_format, name)


class _Alpha(Layer):
    _function: Any

    def __init__(self, p: float = 0.5, name: str | None = None):
        super().__init__()
        self.p, self.name = p, name

    def forward(self, input: Any) -> Any:
        return type(self)._function(input, p=self.p, training=self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}" + (f", name={self.name}" if self.name else "")


class AlphaDropout(_Alpha):
    """Dropout that keeps mean and variance, for SELU networks (Klambauer et al., 2017)."""

    _function: Any = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(_Alpha):
    """AlphaDropout of whole channels."""

    _function: Any = staticmethod(F.feature_alpha_dropout)


__all__ = ["AlphaDropout", "Dropout", "Dropout2D", "Dropout3D", "FeatureAlphaDropout"]
