"""Layers that rearrange, pad, resize and drop: thin faces of nn.functional."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.layers import ops
from kayax.layers.function_layer import FunctionLayer
from kayax.layers.layer import Layer


def _unusual(data_format: str) -> tuple[str, ...]:
    return () if data_format == "NCHW" else ("data_format",)


class PixelShuffle(FunctionLayer):
    """Channels moved into space: ``[N, C r², H, W]`` to ``[N, C, H r, W r]`` (Shi et al., 2016)."""

    def __init__(self, upscale_factor: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.pixel_shuffle, shown=("upscale_factor", *_unusual(data_format)),
                         upscale_factor=upscale_factor, data_format=data_format)


class PixelUnshuffle(FunctionLayer):
    """Space moved into channels, the inverse of PixelShuffle."""

    def __init__(self, downscale_factor: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.pixel_unshuffle, shown=("downscale_factor", *_unusual(data_format)),
                         downscale_factor=downscale_factor, data_format=data_format)


class ChannelShuffle(FunctionLayer):
    """Channels of the groups interleaved (Zhang et al., 2018)."""

    def __init__(self, groups: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.channel_shuffle, shown=("groups", *_unusual(data_format)), groups=groups,
                         data_format=data_format)


class CosineSimilarity(FunctionLayer):
    """The cosine of the angle between two vectors along `axis`."""

    def __init__(self, axis: int = 1, eps: float = 1e-08):
        super().__init__(F.cosine_similarity, axis=axis, eps=eps)


class Upsample(FunctionLayer):
    """Enlarges or shrinks to `size`, or by `scale_factor`: see `paddle.nn.functional.interpolate`."""

    def __init__(self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool = False,
                 align_mode: int = 0, data_format: Any = None, recompute_scale_factor: Any = None,
                 name: str | None = None):
        super().__init__(F.interpolate, shown=("scale_factor" if scale_factor is not None else "size", "mode",
                                               "align_corners", "align_mode", "data_format"),
                         size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners,
                         align_mode=align_mode, data_format=data_format, recompute_scale_factor=recompute_scale_factor)


def _pair(size: Any) -> Any:
    return [size, size] if isinstance(size, int) else size


class UpsamplingNearest2D(FunctionLayer):
    """Enlarges ``[N, C, H, W]`` by repeating."""

    def __init__(self, size: Any = None, scale_factor: Any = None, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.interpolate, shown=("scale_factor" if scale_factor is not None else "size", "data_format"),
                         size=_pair(size), scale_factor=scale_factor, mode="nearest", align_corners=False, align_mode=0,
                         data_format=data_format)


class UpsamplingBilinear2D(FunctionLayer):
    """Enlarges ``[N, C, H, W]`` bilinearly, corners aligned."""

    def __init__(self, size: Any = None, scale_factor: Any = None, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.interpolate, shown=("scale_factor" if scale_factor is not None else "size", "data_format"),
                         size=_pair(size), scale_factor=scale_factor, mode="bilinear", align_corners=True, align_mode=0,
                         data_format=data_format)


class Flatten(Layer):
    """The axes from `start_axis` to `stop_axis` as one."""

    def __init__(self, start_axis: int = 1, stop_axis: int = -1):
        super().__init__()
        self.start_axis, self.stop_axis = start_axis, stop_axis

    def forward(self, input: Any) -> Any:
        return ops.flatten(input, self.start_axis, self.stop_axis)


class Unflatten(FunctionLayer):
    """The axis `axis` as several, of sizes `shape`."""

    def __init__(self, axis: int, shape: Any, name: str | None = None):
        super().__init__(ops.unflatten, axis=axis, shape=shape)


class PairwiseDistance(Layer):
    """The p-norm of the difference of two vectors along the last axis."""

    def __init__(self, p: float = 2.0, epsilon: float = 1e-06, keepdim: bool = False, name: str | None = None):
        super().__init__()
        self.p, self.epsilon, self.keepdim = p, epsilon, keepdim
        self.norm, self.eps = p, epsilon

    def forward(self, x: Any, y: Any) -> Any:
        return F.pairwise_distance(x, y, self.p, self.epsilon, self.keepdim)

    def extra_repr(self) -> str:
        shown = f"p={self.p}"
        shown += f", epsilon={self.epsilon}" if self.epsilon != 1e-6 else ""
        return shown + (f", keepdim={self.keepdim}" if self.keepdim else "")


class Unfold(Layer):
    """Sliding windows of ``[N, C, H, W]`` as columns."""

    def __init__(self, kernel_sizes: Any, dilations: Any = 1, paddings: Any = 0, strides: Any = 1,
                 name: str | None = None):
        super().__init__()
        self.kernel_sizes, self.dilations, self.paddings, self.strides = kernel_sizes, dilations, paddings, strides

    def forward(self, input: Any) -> Any:
        return F.unfold(input, self.kernel_sizes, self.strides, self.paddings, self.dilations)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_sizes}, dilation={self.dilations}, padding={self.paddings}, "
                f"stride={self.strides}")


class Fold(Layer):
    """Columns added up into an image, the transpose of Unfold."""

    def __init__(self, output_sizes: Any, kernel_sizes: Any, dilations: Any = 1, paddings: Any = 0, strides: Any = 1,
                 name: str | None = None):
        super().__init__()
        self.output_sizes, self.kernel_sizes = output_sizes, kernel_sizes
        self.dilations, self.paddings, self.strides = dilations, paddings, strides
        self.output_size, self.kernel_size = output_sizes, kernel_sizes
        self.dilation, self.padding, self.stride = dilations, paddings, strides

    def forward(self, input: Any) -> Any:
        return F.fold(input, self.output_sizes, self.kernel_sizes, self.strides, self.paddings, self.dilations)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_sizes}, dilation={self.dilations}, padding={self.paddings}, "
                f"stride={self.strides}")


__all__ = ["ChannelShuffle", "CosineSimilarity", "Flatten", "Fold", "PairwiseDistance", "PixelShuffle",
           "PixelUnshuffle", "Unflatten", "Unfold", "Upsample", "UpsamplingBilinear2D", "UpsamplingNearest2D"]
