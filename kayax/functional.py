"""``paddle.functional``: functions that are public under `paddle`, under the names of ``torch.functional``.

`split` is PyTorch's: it takes the size of the parts, not their number.
"""
from kayax.bridge.ops.public import TOP_LEVEL as _TOP
from kayax.compat import split

_SHARED = "atleast_1d atleast_2d atleast_3d broadcast_shapes einsum meshgrid norm unique_consecutive".split()
globals().update({name: _TOP[name] for name in _SHARED})
__all__ = ["split", *_SHARED]
