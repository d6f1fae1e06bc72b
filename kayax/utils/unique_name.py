"""``paddle.utils.unique_name``."""
from kayax.spec.unique_name import generate, guard, switch

__all__ = ["generate", "guard", "switch"]
