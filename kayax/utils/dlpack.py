"""``paddle.utils.dlpack``: tensors of other frameworks without a copy."""
from kayax.bridge.dlpack import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
