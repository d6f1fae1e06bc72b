"""``paddle.utils.cpp_extension``: its names say what to do instead."""
from kayax.absent import absent

__getattr__ = absent("utils.cpp_extension")
