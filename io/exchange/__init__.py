"""Weights and checkpoints of other frameworks: safetensors, PyTorch, Orbax."""
