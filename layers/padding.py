"""Layers that pad. The sides are given last axis first: ``[left, right, top, bottom, front, back]``."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.layers.layer import Layer


class _Pad(Layer):
    """Pads the spatial axes. padding: one int for all sides, or one for each side."""

    _n: int

    def __init__(self, padding: Any, mode: str, value: float, data_format: str, name: str | None):
        super().__init__()
        self._pad = [padding] * (2 * self._n) if isinstance(padding, int) else padding
        self._mode, self._value, self._data_format, self._name = mode, value, data_format, name

    def forward(self, x: Any) -> Any:
        return F.pad(x, self._pad, mode=self._mode, value=self._value, data_format=self._data_format)

    def extra_repr(self) -> str:
        name = f", name={self._name}" if self._name else ""
        return f"padding={self._pad}, mode={self._mode}, value={self._value}, data_format={self._data_format}{name}"


class Pad1D(_Pad):
    """Pads ``[N, C, L]``; mode: "constant", "reflect", "replicate" or "circular"."""

    _n = 1

    def __init__(self, padding: Any, mode: str = "constant", value: float = 0.0, data_format: str = "NCL",
                 name: str | None = None):
        super().__init__(padding, mode, value, data_format, name)


class ConstantPad1D(_Pad):
    """Pads ``[N, C, L]`` with `value`."""

    _n = 1

    def __init__(self, padding: Any, value: float, data_format: str = "NCL", name: str | None = None):
        super().__init__(padding, "constant", value, data_format, name)


class ZeroPad1D(_Pad):
    """Pads ``[N, C, L]`` with zeros."""

    _n = 1

    def __init__(self, padding: Any, data_format: str = "NCL", name: str | None = None):
        super().__init__(padding, "constant", 0.0, data_format, name)


class ReflectionPad1D(_Pad):
    """Pads ``[N, C, L]`` by reflection."""

    _n = 1

    def __init__(self, padding: Any, data_format: str = "NCL", name: str | None = None):
        super().__init__(padding, "reflect", 0.0, data_format, name)


class ReplicationPad1D(_Pad):
    """Pads ``[N, C, L]`` by repeating the edge."""

    _n = 1

    def __init__(self, padding: Any, data_format: str = "NCL", name: str | None = None):
        super().__init__(padding, "replicate", 0.0, data_format, name)


class CircularPad1D(_Pad):
    """Pads ``[N, C, L]`` from the other side."""

    _n = 1

    def __init__(self, padding: Any, data_format: str = "NCL", name: str | None = None):
        super().__init__(padding, "circular", 0.0, data_format, name)


class Pad2D(_Pad):
    """Pads ``[N, C, H, W]``; mode: "constant", "reflect", "replicate" or "circular"."""

    _n = 2

    def __init__(self, padding: Any, mode: str = "constant", value: float = 0.0, data_format: str = "NCHW",
                 name: str | None = None):
        super().__init__(padding, mode, value, data_format, name)


class ConstantPad2D(_Pad):
    """Pads ``[N, C, H, W]`` with `value`."""

    _n = 2

    def __init__(self, padding: Any, value: float, data_format: str = "NCHW", name: str | None = None):
        super().__init__(padding, "constant", value, data_format, name)


class ZeroPad2D(_Pad):
    """Pads ``[N, C, H, W]`` with zeros."""

    _n = 2

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(padding, "constant", 0.0, data_format, name)


class ReflectionPad2D(_Pad):
    """Pads ``[N, C, H, W]`` by reflection."""

    _n = 2

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(padding, "reflect", 0.0, data_format, name)


class ReplicationPad2D(_Pad):
    """Pads ``[N, C, H, W]`` by repeating the edge."""

    _n = 2

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(padding, "replicate", 0.0, data_format, name)


class CircularPad2D(_Pad):
    """Pads ``[N, C, H, W]`` from the other side."""

    _n = 2

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(padding, "circular", 0.0, data_format, name)


class Pad3D(_Pad):
    """Pads ``[N, C, D, H, W]``; mode: "constant", "reflect", "replicate" or "circular"."""

    _n = 3

    def __init__(self, padding: Any, mode: str = "constant", value: float = 0.0, data_format: str = "NCDHW",
                 name: str | None = None):
        super().__init__(padding, mode, value, data_format, name)


class ConstantPad3D(_Pad):
    """Pads ``[N, C, D, H, W]`` with `value`."""

    _n = 3

    def __init__(self, padding: Any, value: float, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(padding, "constant", value, data_format, name)


class ZeroPad3D(_Pad):
    """Pads ``[N, C, D, H, W]`` with zeros."""

    _n = 3

    def __init__(self, padding: Any, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(padding, "constant", 0.0, data_format, name)


class ReflectionPad3D(_Pad):
    """Pads ``[N, C, D, H, W]`` by reflection."""

    _n = 3

    def __init__(self, padding: Any, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(padding, "reflect", 0.0, data_format, name)


class ReplicationPad3D(_Pad):
    """Pads ``[N, C, D, H, W]`` by repeating the edge."""

    _n = 3

    def __init__(self, padding: Any, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(padding, "replicate", 0.0, data_format, name)


class CircularPad3D(_Pad):
    """Pads ``[N, C, D, H, W]`` from the other side."""

    _n = 3

    def __init__(self, padding: Any, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(padding, "circular", 0.0, data_format, name)


__all__ = ["CircularPad1D", "CircularPad2D", "CircularPad3D", "ConstantPad1D", "ConstantPad2D", "ConstantPad3D",
           "Pad1D", "Pad2D", "Pad3D", "ReflectionPad1D", "ReflectionPad2D", "ReflectionPad3D", "ReplicationPad1D",
           "ReplicationPad2D", "ReplicationPad3D", "ZeroPad1D", "ZeroPad2D", "ZeroPad3D"]
