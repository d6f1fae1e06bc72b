"""``paddle.distributed.io``: its names say what to do instead."""
from kayax.absent import absent

__getattr__ = absent("distributed.io")
