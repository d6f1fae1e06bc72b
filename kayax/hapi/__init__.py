"""The high-level API: `Model` with its callbacks, `summary` and `flops`, written in the public API."""
from kayax.hapi import callbacks
from kayax.hapi.flops import flops
from kayax.hapi.model import Model
from kayax.hapi.summary import summary

__all__ = ["Model", "callbacks", "flops", "summary"]
