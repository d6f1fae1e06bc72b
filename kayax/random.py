"""``paddle.random``: the random state."""
from kayax.bridge.rng import default_generator


def initial_seed() -> int:
    """The seed that the random state was started with."""
    return default_generator().initial_seed()


__all__ = ["initial_seed"]
