"""``paddle.vision``: models."""
from kayax.vision import models
from kayax.vision.models import *  # noqa: F403

__all__ = ["models"]
