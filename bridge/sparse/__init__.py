"""Sparse tensors: the places of values are known on the host, the values are Tensors with gradients."""
