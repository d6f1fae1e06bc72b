"""``paddle.vision.models``: well-known networks, with the parameter names and shapes of Paddle's."""
from kayax.vision.models import _utils as _utils
from kayax.vision.models.alexnet import *  # noqa: F403
from kayax.vision.models.densenet import *  # noqa: F403
from kayax.vision.models.googlenet import *  # noqa: F403
from kayax.vision.models.inceptionv3 import *  # noqa: F403
from kayax.vision.models.lenet import *  # noqa: F403
from kayax.vision.models.mobilenetv1 import *  # noqa: F403
from kayax.vision.models.mobilenetv2 import *  # noqa: F403
from kayax.vision.models.mobilenetv3 import *  # noqa: F403
from kayax.vision.models.resnet import *  # noqa: F403
from kayax.vision.models.shufflenetv2 import *  # noqa: F403
from kayax.vision.models.squeezenet import *  # noqa: F403
from kayax.vision.models.vgg import *  # noqa: F403

__all__ = [_name for _name, _made in list(globals().items()) if not _name.startswith("_") and callable(_made)]
