"""``paddle.linalg``: linear algebra."""
from kayax.absent import absent as _absent
from kayax.bridge.ops.public import LINALG as _LINALG
from kayax.bridge.ops.public import TOP_LEVEL as _TOP

_SHARED = """cholesky norm cond cov corrcoef inv eig eigvals multi_dot matrix_rank svd svdvals qr householder_product
pca_lowrank lu lu_unpack matrix_exp matrix_norm matrix_power det slogdet eigh eigvalsh pinv solve cholesky_solve
cholesky_inverse triangular_solve lstsq vector_norm ormqr inverse cross diagonal
matmul vecdot dot""".split()

globals().update({name: _TOP[name] for name in _SHARED if name in _TOP})
globals().update(_LINALG)
__getattr__ = _absent("linalg")
__all__ = [_name for _name in list(globals()) if not _name.startswith("_")]
