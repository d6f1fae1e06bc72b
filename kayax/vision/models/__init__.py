"""``paddle.vision.models``: well-known networks, with the parameter names and shapes of Paddle's."""
from kayax.vision.models.resnet import *  # noqa: F403
