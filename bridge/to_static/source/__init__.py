"""What a function's source says: where it stands in its file, which names it uses, which are needed later. No JAX."""
