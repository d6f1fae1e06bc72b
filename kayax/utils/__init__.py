"""``paddle.utils``."""
from kayax.utils import dlpack, unique_name

__all__ = ["dlpack", "unique_name"]
