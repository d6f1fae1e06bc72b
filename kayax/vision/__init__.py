"""``paddle.vision``: models, transforms, datasets, operations of detection, and how images are read."""
from kayax.vision import datasets, models, ops, transforms  # noqa: F401
from kayax.vision.datasets import *  # noqa: F403
from kayax.vision.image import get_image_backend, image_load, set_image_backend
from kayax.vision.models import *  # noqa: F403
from kayax.vision.transforms import *  # noqa: F403

__all__ = ["set_image_backend", "get_image_backend", "image_load"]
