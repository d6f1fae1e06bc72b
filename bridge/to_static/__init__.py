"""Conversion: a layer, a function or a whole training step becomes one program."""
