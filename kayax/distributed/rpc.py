"""``paddle.distributed.rpc``: calls to other processes, of which there are none."""
from kayax.absent import absent

__getattr__ = absent("distributed.rpc")
