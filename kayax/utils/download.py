"""``paddle.utils.download``: pretrained weights, from local files. Nothing is downloaded."""
from __future__ import annotations

import hashlib
import os

WEIGHTS_HOME = os.path.expanduser("~/.cache/paddle/hapi/weights")


def is_url(path: str) -> bool:
    """Whether `path` is an address on the network."""
    return path.startswith(("http://", "https://"))


def get_weights_path_from_url(url: str, md5sum: str | None = None) -> str:
    """The local file of the weights at `url`: the file of its name in Paddle's own folder of weights.

    md5sum: what its digest must be. Raises FileNotFoundError that says which file to put where if there is none.
    """
    return get_path_from_url(url, WEIGHTS_HOME, md5sum)


def get_path_from_url(url: str, root_dir: str, md5sum: str | None = None, check_exist: bool = True,
                      decompress: bool = True, method: str = "get") -> str:
    """The file of the name of `url` in `root_dir`, or the folder that an archive of that name was unpacked to."""
    path = os.path.join(root_dir, os.path.basename(url))
    unpacked = path.removesuffix(".zip").removesuffix(".tar.gz").removesuffix(".tar").removesuffix(".tgz")
    if decompress and unpacked != path and os.path.isdir(unpacked):
        return unpacked
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path}, and nothing is downloaded here. Put the file of "
                                f"{url} there.")
    if md5sum is not None and os.path.isfile(path) and _digest(path) != md5sum:
        raise RuntimeError(f"The file {path} has the MD5 digest {_digest(path)}, but {md5sum} was expected: it is "
                           f"damaged or another version. Replace it by that of {url}.")
    return path


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


__all__ = ["get_path_from_url", "get_weights_path_from_url"]
