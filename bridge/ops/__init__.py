"""The operations, by topic: each a pure function of jax arrays under Paddle's name and signature."""
