"""Layers, initial values, optimizers: what has parameters, over the operations of the bridge."""
