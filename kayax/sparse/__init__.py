"""``paddle.sparse``: sparse tensors in coordinates (COO) and compressed rows (CSR), and functions of them.

The places of the values are worked with on the host, the values on the device, with gradients. In converted code
places that are known (a captured tensor's are not) are needed: keep such code eager.
"""
from kayax.sparse import nn  # noqa: F401
from kayax.sparse.binary import (
    add,
    addmm,
    divide,
    is_same_shape,
    mask_as,
    masked_matmul,
    matmul,
    multiply,
    mv,
    subtract,
)
from kayax.sparse.creation import sparse_coo_tensor, sparse_csr_tensor
from kayax.sparse.unary import (
    abs,
    asin,
    asinh,
    atan,
    atanh,
    cast,
    coalesce,
    deg2rad,
    expm1,
    isnan,
    log1p,
    neg,
    pca_lowrank,
    pow,
    rad2deg,
    reshape,
    sin,
    sinh,
    slice,
    sqrt,
    square,
    sum,
    tan,
    tanh,
    transpose,
)

__all__ = [
    "sparse_coo_tensor", "sparse_csr_tensor", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "sqrt",
    "square", "log1p", "abs", "pow", "pca_lowrank", "cast", "neg", "deg2rad", "rad2deg", "expm1", "mv", "matmul",
    "mask_as", "masked_matmul", "addmm", "add", "subtract", "transpose", "sum", "multiply", "divide", "coalesce",
    "is_same_shape", "reshape", "isnan", "slice",
]
