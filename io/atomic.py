"""Files that are written whole or not at all, also several of them together.

One file: it is written under a temporary name in the same folder, flushed to the disk, and renamed.

Several files: no file system renames two files at once, so a *journal* says what is going on. All temporary files are
written and flushed first. Then the journal, which names them, appears by one rename: that is the moment at which the
new set counts. Only then are the files renamed, and the journal removed. Whoever finds a journal (after a crash, or in
the middle of another process's save) reads the temporary file where it is still there, so that at every moment either
the whole old set or the whole new one is seen; the next writer finishes the renames first. A reader that opens several
files while a writer passes the journal can still meet both sets: the files carry the name of their set for that
(`model_format`). One writer at a time for each journal.
"""
from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

Content = bytes | Iterable[bytes | memoryview] | Callable[[BinaryIO], None]
_SUFFIX = re.compile(r"\.[0-9a-f]{16}\.tmp\Z")
_MAX_JOURNAL = 1 << 20
_STALE_SECONDS = 3600


class JournalError(ValueError):
    """A journal that no writer of this project has left."""


def write_file(path: str | os.PathLike, content: Content) -> None:
    """Write one file whole or not at all. Missing parent folders are made."""
    path = Path(path)
    suffix = _new_suffix()
    with _temporaries([path], suffix):
        _write(_beside(path, suffix), content)
        os.replace(_beside(path, suffix), path)
    _sync_folder(path.parent)


def write_files(files: Mapping[Path, Content], journal: str | os.PathLike, gone: Iterable[Path] = ()) -> None:
    """Write several files of one folder so that all of them change at one moment, or none.

    Args:
        files: path -> bytes, an iterable of buffers, or a function that writes into the open file.
        journal: the path of the journal, in the same folder; readers give it to `open_file`.
        gone: old files of the folder that are removed before any new one appears: the new set lacks them, or a reader
            that knows no journal must not take them for one set with a new file.

    Raises:
        ValueError: the files are not in one folder.
        OSError: the disk is full, and so on. The old files are still there then.
    """
    contents = dict(files)
    journal = Path(journal)
    if any(path.parent != journal.parent for path in contents):
        raise ValueError(f"The files of one set must be in one folder, but they are: {sorted(map(str, contents))}.")
    suffix = _new_suffix()
    journal.parent.mkdir(parents=True, exist_ok=True)
    recover(journal)
    removed = {"gone": names} if (names := [path.name for path in gone]) else {}
    entry = json.dumps({"suffix": suffix, "names": [path.name for path in contents], **removed}).encode()
    with _temporaries([*contents, journal], suffix):
        for path, content in contents.items():
            _write(_beside(path, suffix), content)
        _write(_beside(journal, suffix), entry)
        _sync_folder(journal.parent)
        os.replace(_beside(journal, suffix), journal)
    _sync_folder(journal.parent)
    recover(journal)


def recover(journal: str | os.PathLike) -> None:
    """Finish what a journal says: remove and rename files, then the journal. Without a journal, nothing."""
    journal = Path(journal)
    found = _read_journal(journal)
    if found is None:
        return
    suffix, names, gone = found
    for name in gone:
        path = journal.parent / name
        # One that was renamed before a crash is a new file, and stays.
        if name not in names or _beside(path, suffix).exists():
            path.unlink(missing_ok=True)
    for name in names:
        path = journal.parent / name
        with contextlib.suppress(FileNotFoundError):      # renamed before the crash
            os.replace(_beside(path, suffix), path)
    _sync_folder(journal.parent)
    journal.unlink(missing_ok=True)


def open_file(path: str | os.PathLike, journal: str | os.PathLike) -> BinaryIO:
    """Open a file of a set for reading: the one that waits under a temporary name if a journal says so.

    Raises FileNotFoundError, JournalError.
    """
    path = Path(path)
    found = _read_journal(Path(journal))
    if found is not None and path.name in found[1]:
        with contextlib.suppress(FileNotFoundError):      # renamed already, maybe just now
            return open(_beside(path, found[0]), "rb")
    elif found is not None and path.name in found[2]:
        raise FileNotFoundError(f"{path} is not of the set that {journal} names, and about to be removed.")
    return open(path, "rb")


def _new_suffix() -> str:
    return f".{secrets.token_hex(8)}.tmp"


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextlib.contextmanager
def _temporaries(paths: list[Path], suffix: str):
    """Make the folder, clear away what older crashed writers left, and remove our own temporaries on an error."""
    folder = paths[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in paths}
    for entry in os.scandir(folder):
        match = _SUFFIX.search(entry.name)
        # A journal may still need what it names, but the caller has replayed it by now.
        if match and entry.name[:match.start()] in names:
            with contextlib.suppress(OSError):
                if time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                    os.unlink(entry.path)
    try:
        yield
    except BaseException:
        for path in paths:
            _beside(path, suffix).unlink(missing_ok=True)
        raise


def _write(path: Path, content: Content) -> None:
    with open(path, "xb") as file:
        if callable(content):
            content(file)
        else:
            file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":             # folders cannot be opened there, and renames are on the disk by themselves
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:                 # some network file systems cannot do it
        pass
    finally:
        os.close(descriptor)


def _read_journal(journal: Path) -> tuple[str, list[str], list[str]] | None:
    try:
        with open(journal, "rb") as file:
            data = file.read(_MAX_JOURNAL + 1)
    except FileNotFoundError:
        return None
    suffix, names, gone = "", [], []
    try:
        entry = json.loads(data if len(data) <= _MAX_JOURNAL else b"")
        suffix, names, gone = entry["suffix"], entry["names"], entry.get("gone", [])
        # Plain names alone: a journal must not reach outside its folder.
        good = _SUFFIX.fullmatch(suffix) is not None and type(names) is list and type(gone) is list and all(
            name == os.path.basename(name) and name for name in (*names, *gone))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        good = False
    if not good:
        raise JournalError(f"{journal} is not the journal of a save. If no save is running, remove it; if a file is "
                           "then found to be of another save than the rest, save the model again.")
    return suffix, names, gone
