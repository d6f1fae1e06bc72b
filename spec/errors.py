"""What is raised about arguments."""
from __future__ import annotations


class ArgumentError(TypeError, ValueError, RuntimeError, AssertionError):
    """An argument does not fit. Paddle raises one of the four, by the operation; what catches that catches this."""


class NotATensorError(ArgumentError, AttributeError):
    """Something else is in the place of a Tensor. Paddle raises one of the five, by where it stumbles over it."""


class NoEntryError(IndexError, KeyError):
    """A container has nothing under this number or name. Paddle raises either of the two: both catch this."""

    __str__ = Exception.__str__         # a KeyError's text is in quotes


class RangeError(ArgumentError, IndexError):
    """An index, axis, label or position is beyond what there is."""


__all__ = ["ArgumentError", "NoEntryError", "NotATensorError", "RangeError"]
