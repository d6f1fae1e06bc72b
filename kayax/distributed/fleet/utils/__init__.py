"""``paddle.distributed.fleet.utils``: recomputation, and files of this machine."""
from __future__ import annotations

import os
import shutil

from kayax.absent import absent
from kayax.bridge.recompute import recompute


class LocalFS:
    """Files and folders of this machine, by path."""

    def ls_dir(self, fs_path: str) -> tuple[list[str], list[str]]:
        """The names of folders and of files in a folder."""
        if not self.is_exist(fs_path):
            return [], []
        names = os.listdir(fs_path)
        folders = [n for n in names if os.path.isdir(os.path.join(fs_path, n))]
        return folders, [n for n in names if n not in folders]

    def list_dirs(self, fs_path: str) -> list[str]:
        """The names of the folders in a folder."""
        return self.ls_dir(fs_path)[0]

    def mkdirs(self, fs_path: str) -> None:
        """Make a folder and those above it."""
        if os.path.isfile(fs_path):
            raise AssertionError(f"{fs_path} is a file already.")
        os.makedirs(fs_path, exist_ok=True)

    def rename(self, fs_src_path: str, fs_dst_path: str) -> None:
        """Give a file or folder another name."""
        os.rename(fs_src_path, fs_dst_path)

    def delete(self, fs_path: str) -> None:
        """Remove a file, or a folder with all in it, if it is there."""
        if os.path.isfile(fs_path):
            os.remove(fs_path)
        elif self.is_exist(fs_path):
            shutil.rmtree(fs_path)

    def need_upload_download(self) -> bool:
        """False."""
        return False

    def is_file(self, fs_path: str) -> bool:
        """Whether it is a file."""
        return os.path.isfile(fs_path)

    def is_dir(self, fs_path: str) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(fs_path)

    def is_exist(self, fs_path: str) -> bool:
        """Whether it is there."""
        return os.path.exists(fs_path)

    def touch(self, fs_path: str, exist_ok: bool = True) -> None:
        """Make an empty file."""
        if self.is_exist(fs_path):
            if exist_ok:
                return
            raise FileExistsError(f"{fs_path} is there already.")
        with open(fs_path, "a", encoding="utf-8"):
            pass

    def mv(self, src_path: str, dst_path: str, overwrite: bool = False, test_exists: bool = False) -> None:
        """Move a file or folder."""
        if not self.is_exist(src_path):
            raise FileNotFoundError(f"{src_path} is not there.")
        if overwrite and self.is_exist(dst_path):
            self.delete(dst_path)
        if self.is_exist(dst_path):
            raise FileExistsError(f"{dst_path} is there already.")
        self.rename(src_path, dst_path)

    def cat(self, fs_path: str) -> str:
        """The text of a file."""
        with open(fs_path, encoding="utf-8") as file:
            return file.read()

    def upload(self, local_path: str, fs_path: str) -> None:
        """Copy a file or folder."""
        (shutil.copytree if os.path.isdir(local_path) else shutil.copy)(local_path, fs_path)

    download = upload_dir = upload


__getattr__ = absent("distributed.fleet.utils")

__all__ = ["LocalFS", "recompute"]
