"""``paddle.sparse.nn``: Layers for sparse tensors."""
from kayax.sparse.nn import functional  # noqa: F401
from kayax.sparse.nn.activation import LeakyReLU, ReLU, ReLU6, Softmax
from kayax.sparse.nn.conv import Conv2D, Conv3D, MaxPool3D, SubmConv2D, SubmConv3D
from kayax.sparse.nn.norm import BatchNorm, SyncBatchNorm

__all__ = ["ReLU", "ReLU6", "LeakyReLU", "Softmax", "BatchNorm", "SyncBatchNorm", "Conv2D", "Conv3D", "SubmConv2D",
           "SubmConv3D", "MaxPool3D"]
