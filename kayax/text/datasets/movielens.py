"""Ratings of films by users (MovieLens 1M, Harper and Konstan 2015)."""
from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.text.datasets._common import need_one_of, numbered

_AGES = (1, 18, 25, 35, 45, 50, 56)
_TITLE = re.compile(r"^(.*)\((\d+)\)$")                             # the year follows in parentheses


class MovieInfo:
    """A film: its number, kinds, and title without the year."""

    def __init__(self, index: str, categories: list[str], title: str):
        self.index, self.categories, self.title = int(index), categories, title

    def value(self, categories_dict: dict[str, int], movie_title_dict: dict[str, int]) -> list[list[int]]:
        """Its number, the numbers of its kinds, and of its title's words."""
        return [[self.index], [categories_dict[c] for c in self.categories],
                [movie_title_dict[word.lower()] for word in self.title.split()]]

    def __repr__(self) -> str:
        return f"<MovieInfo id({self.index}), title({self.title}), categories({self.categories})>"


class UserInfo:
    """A user: number, gender, group of age, and job."""

    def __init__(self, index: str, gender: str, age: str, job_id: str):
        self.index, self.is_male, self.age, self.job_id = int(index), gender == "M", _AGES.index(int(age)), int(job_id)

    def value(self) -> list[list[int]]:
        """Number, 0 for a man and 1 for a woman, number of the group of age, job."""
        return [[self.index], [0 if self.is_male else 1], [self.age], [self.job_id]]

    def __repr__(self) -> str:
        gender = "M" if self.is_male else "F"
        return f"<UserInfo id({self.index}), gender({gender}), age({_AGES[self.age]}), job({self.job_id})>"


class Movielens(Dataset):
    """A million ratings. A sample: user, gender, age, job, film, its kinds, its title's words, rating (from -3 to 5).

    data_file: ``ml-1m.zip``; None looks where Paddle keeps its downloads. mode: "train" or "test". test_ratio: the
    share to test with, drawn from NumPy's generator, which is seeded with `rand_seed`. download: False makes the path
    necessary. Words and kinds are numbered by alphabet (in Paddle anew in each process). Nothing is downloaded:
    FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", test_ratio: float = 0.1,
                 rand_seed: int = 0, download: bool = True):
        self.mode = mode.lower()
        need_one_of(self.mode, ("train", "test"), "mode")
        self.data_file = local_data.find(data_file, "data_file", "https://dataset.bj.bcebos.com/movielens%2Fml-1m.zip",
                                         "sentiment", download)
        self.test_ratio, self.rand_seed = test_ratio, rand_seed
        np.random.seed(rand_seed)
        with zipfile.ZipFile(self.data_file) as package:
            self._load_meta(package)
            self.data = self._ratings(package)

    def _load_meta(self, package: zipfile.ZipFile) -> None:
        self.movie_info = {}
        for index, title, kinds in _records(package, "movies"):
            match = _TITLE.match(title)
            self.movie_info[int(index)] = MovieInfo(index, kinds.split("|"), match.group(1) if match else title)
        films = self.movie_info.values()
        self.movie_title_dict = numbered(sorted({word.lower() for film in films for word in film.title.split()}))
        self.categories_dict = numbered(sorted({kind for film in films for kind in film.categories}))
        self.user_info = {int(index): UserInfo(index, gender, age, job)
                          for index, gender, age, job, _ in _records(package, "users")}

    def _ratings(self, package: zipfile.ZipFile) -> list[Any]:
        data = []
        for user, film, rating, _ in _records(package, "ratings"):
            if (np.random.random() < self.test_ratio) == (self.mode == "test"):
                about = self.movie_info[int(film)].value(self.categories_dict, self.movie_title_dict)
                data.append([*self.user_info[int(user)].value(), *about, [float(rating) * 2 - 5.0]])
        return data

    def __getitem__(self, idx: int) -> tuple[np.ndarray, ...]:
        return tuple(np.array(part) for part in self.data[idx])

    def __len__(self) -> int:
        return len(self.data)


def _records(package: zipfile.ZipFile, name: str) -> Iterator[list[str]]:
    with package.open(f"ml-1m/{name}.dat") as file:
        for line in file:
            yield line.decode("latin-1").strip().split("::")
