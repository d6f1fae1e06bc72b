"""``paddle.framework``: Paddle's inner path to names that are public elsewhere."""
from kayax.bridge.rng import get_rng_state, seed, set_rng_state
from kayax.files import load, save
from kayax.spec.dtype import get_default_dtype, set_default_dtype

__all__ = ["get_default_dtype", "get_rng_state", "load", "save", "seed", "set_default_dtype", "set_rng_state"]
