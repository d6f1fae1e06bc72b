"""`paddle.save` and `paddle.load`, for programs of static mode too."""
from __future__ import annotations

import io
import os
import sys
from typing import Any

from kayax.io.load import load_object
from kayax.io.state_file import save as save_state

_PROGRAM = b"KXGRAPH\0"


def save(obj: Any, path: Any, protocol: int = 4, **configs: Any) -> None:
    """Save a state dict, a Tensor, a nested dict, list or tuple of Tensors and plain values, or a static Program.

    path: a file, or a BytesIO. protocol: the pickle protocol, 2 to 4. Files are Paddle's own, but for a Program: its
    instructions are written in this project's format, without the values of its parameters.

    Raises ValueError for a Layer (save its state_dict()), a bad path, protocol or config, NotImplementedError for
    something else that cannot be saved, TypeError for a Program that calls a Python function.
    """
    static = sys.modules.get("kayax.static.program")            # loaded when it is first used
    if static is not None and isinstance(obj, static.Program):
        from kayax.static.serialize import write_program
        write_program(obj, path)
    else:
        save_state(obj, path, protocol, **configs)


def load(path: Any, **configs: Any) -> Any:
    """What `save`, or Paddle's, has written, or the parameters of a model that `jit.save` wrote under this prefix.

    path: a file, a BytesIO, or a prefix. return_numpy: NumPy arrays in place of Tensors. Parameters of a static Program
    have the values that parameters of these names have here, otherwise none, until they are given some.
    """
    content = _program_in(path)
    if content is None:
        return load_object(path, **configs)
    from kayax.static.serialize import program_of
    return program_of(content, os.fspath(path) if not isinstance(path, io.BytesIO) else "the program")


def _program_in(path: Any) -> bytes | None:
    """The bytes of a program, if that is what is there; otherwise nothing is read."""
    if isinstance(path, io.BytesIO):
        at = path.tell()
        if path.read(len(_PROGRAM)) == _PROGRAM:
            path.seek(at)
            return path.read()
        path.seek(at)
    elif isinstance(path, (str, os.PathLike)) and os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read(len(_PROGRAM)) == _PROGRAM:
                return _PROGRAM + file.read()
    return None


__all__ = ["load", "save"]
