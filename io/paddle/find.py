"""Which files are PaddlePaddle's own, told by what is in them."""
from __future__ import annotations

import os
from typing import Any

from kayax.io.container import ModelFileError

JSON, DESC, PARAMS, INFO = ".json", ".pdmodel", ".pdiparams", ".pdiparams.info"


def is_paddle_model(path: Any) -> bool:
    """Whether the prefix names a model that PaddlePaddle saved (`jit.save` or `save_inference_model`)."""
    return program_file(path) is not None


def program_file(path: Any) -> str | None:
    """The file of the program: Paddle 3's `.json`, or Paddle 2's `.pdmodel` unless that is one of our own."""
    path = os.fspath(path)
    if _starts(path + PARAMS).startswith(b"KX"):            # of our own, whatever JSON lies beside
        return None
    head = _starts(path + JSON, 512)
    if b'"base_code"' in head and b'"pir"' in head:
        return path + JSON
    head = _starts(path + DESC)
    # A ProgramDesc starts with its first block: field 1, length-delimited.
    return path + DESC if head[:1] == b"\n" and not head.startswith(b"KX") else None


def _starts(path: str, count: int = 8) -> bytes:
    if not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read(count)


def read_file(path: str, most: int) -> bytes:
    """A file's bytes, refused if there are more than `most`."""
    size = os.path.getsize(path)
    if size > most:
        raise ModelFileError(path, 0, f"a program of {size} bytes is larger than the limit of {most}.",
                             "Check that this is a program and not a file of parameters.")
    with open(path, "rb") as file:
        return file.read()
