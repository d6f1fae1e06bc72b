"""Imported as `paddle` in a process that a script under `kayax run` has started."""
from kayax.cli.shim import alias

alias.install()
