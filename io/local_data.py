"""Where the files of the well-known datasets lie: given by the user, or in Paddle's folder. Nothing is downloaded."""
from __future__ import annotations

import os
import tarfile
import threading
from typing import Any

HOME = os.path.expanduser(os.path.join("~", ".cache", "paddle", "dataset"))         # where Paddle puts its downloads


def find(path: str | None, what: str, url: str, folder: str, download: bool = True) -> str:
    """The path of a dataset's file: the given one, or the one in Paddle's folder of downloads.

    what: the argument's name, for errors. url: where the file comes from; its last part is the file's name.
    folder: below Paddle's folder. download: as in Paddle, False without a path is an AssertionError; True looks in
    Paddle's folder, and a file that is not there is a FileNotFoundError that says where to get and put it.
    """
    if path is not None:
        if not os.path.exists(path):
            raise FileNotFoundError(f"{what}={path!r} does not exist.")
        return path
    if not download:
        raise AssertionError(f"{what} is not set and download=False: pass the path of the file as {what}.")
    kept = os.path.join(HOME, folder, url.rpartition("/")[2])
    if not os.path.exists(kept):
        raise FileNotFoundError(
            f"{what} is not set, and nothing is downloaded here. Either\n"
            f"  1. get {url}\n     and put it at {kept}, or\n"
            f"  2. pass the path of the file as {what}.")
    return kept


class Archive:
    """A tar file whose members are read by name. It may be sent to worker processes: each opens it for itself."""

    def __init__(self, path: str):
        self.path = path
        self._open()

    def _open(self) -> None:
        self.tar = tarfile.open(self.path)                          # noqa: SIM115  (kept open)
        self.members = {member.name: member for member in self.tar.getmembers()}
        self.lock = threading.Lock()

    def read(self, name: str) -> bytes:
        """The bytes of a member; a name that is not there is a ValueError."""
        if name not in self.members:
            raise ValueError(f"{self.path} has no member {name!r}: it is not the archive that this dataset reads.")
        with self.lock:
            return self.tar.extractfile(self.members[name]).read()      # type: ignore[union-attr]

    def lines(self, name: str) -> list[str]:
        """The lines of a text in UTF-8, without their ends."""
        return self.read(name).decode("utf-8").splitlines()

    def __del__(self) -> None:
        if hasattr(self, "tar"):
            self.tar.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._open()
