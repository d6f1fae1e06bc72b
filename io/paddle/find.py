"""Which files are PaddlePaddle's own, told by what is in them."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from kayax.io import atomic
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


def is_paddle_program(path: Any) -> bool:
    """Whether this is the prefix, or the program's file, of a model that PaddlePaddle saved."""
    path = os.fspath(path)
    return is_paddle_model(path) or any(path.endswith(s) and program_file(path[:-len(s)]) == path for s in (JSON, DESC))


def journal_of(path: Any) -> Path:
    """The journal of the set that a file belongs to."""
    path = os.fspath(path)
    suffix = next((s for s in (INFO, PARAMS, JSON, DESC) if path.endswith(s)), "")
    return Path(path.removesuffix(suffix) + ".pdcommit")


def open_part(path: Any) -> BinaryIO:
    """Open a file of a model, in the middle of a save too. Raises FileNotFoundError, ModelFileError."""
    try:
        return atomic.open_file(path, journal_of(path))
    except atomic.JournalError as error:
        raise ModelFileError(journal_of(path), 0, str(error)) from None
    except (NotADirectoryError, IsADirectoryError) as error:
        raise FileNotFoundError(*error.args) from None


def has_part(path: Any) -> bool:
    """Whether there is such a file."""
    try:
        open_part(path).close()
    except FileNotFoundError:
        return False
    return True


def identity(path: Any) -> tuple[int, int, int]:
    """Tells a file from one that is saved over it."""
    with open_part(path) as file:
        facts = os.fstat(file.fileno())
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


def _starts(path: str, count: int = 8) -> bytes:
    try:
        with open_part(path) as file:
            return file.read(count)
    except FileNotFoundError:
        return b""


def read_file(path: str, most: int) -> bytes:
    """A file's bytes, refused if there are more than `most`."""
    with open_part(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ModelFileError(path, 0, f"a program of {size} bytes is larger than the limit of {most}.",
                                 "Check that this is a program and not a file of parameters.")
        return file.read()
