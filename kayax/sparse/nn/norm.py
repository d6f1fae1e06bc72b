"""Batch normalization of the values of sparse tensors: places without a value do not count."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.sparse.unary import of_values


class BatchNorm(nn.BatchNorm1D):
    """Batch normalization of the channels of a sparse tensor [N, ..., channels]: arguments as for `nn.BatchNorm1D`.

    data_format: "NDHWC" or "NHWC", with dense channels.
    """

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NDHWC", use_global_stats: bool | None = None,
                 name: str | None = None):
        if data_format not in ("NDHWC", "NHWC"):
            raise ValueError(f"data_format must be 'NDHWC' or 'NHWC', but got {data_format!r}.")
        super().__init__(num_features, momentum, epsilon, weight_attr, bias_attr, "NLC", use_global_stats, name)
        self._shown_format = data_format

    def extra_repr(self) -> str:
        return super().extra_repr().replace("NLC", self._shown_format)

    def forward(self, input: Any) -> Any:
        """The sparse tensor with normalized values."""
        return of_values(super().forward, input)


class SyncBatchNorm(nn.SyncBatchNorm):
    """`BatchNorm` with statistics of all devices of a program: arguments as for `nn.SyncBatchNorm`."""

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCHW", name: str | None = None):
        super().__init__(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, name)

    def forward(self, x: Any) -> Any:
        """The sparse tensor with normalized values."""
        return of_values(super().forward, x)
