"""Datasets: where samples come from. Nothing heavy is imported here: worker processes load this module."""
from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from kayax.spec.errors import ArgumentError

T = TypeVar("T")


class NoLengthError(RuntimeError, ValueError, TypeError):
    """What Paddle raises (RuntimeError or ValueError), and the TypeError that ``list(...)`` passes over."""


class Dataset(Generic[T]):
    """A dataset that gives the sample at an index. Subclasses define `__getitem__` and `__len__`."""

    def __init__(self) -> None:
        pass

    def __getitem__(self, idx: int) -> T:
        raise NotImplementedError(f"The dataset class {type(self).__name__} does not define __getitem__(idx).")

    def __len__(self) -> int:
        raise NotImplementedError(f"The dataset class {type(self).__name__} does not define __len__().")


class IterableDataset(Dataset[T]):
    """A dataset that gives its samples one after the other. Subclasses define `__iter__`.

    With several workers each worker iterates over its own copy: divide the samples with `get_worker_info()`.
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"The dataset class {type(self).__name__} does not define __iter__().")

    def __getitem__(self, idx: int) -> T:
        raise RuntimeError(f"{type(self).__name__} is an IterableDataset: iterate over it, it has no __getitem__.")

    def __len__(self) -> int:
        raise NoLengthError(f"{type(self).__name__} is an IterableDataset: it has no length.")


class TensorDataset(Dataset[Any]):
    """A dataset of Tensors of equal first dimension: sample ``i`` is the tuple of their ``i``-th rows."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        rows = [tensor.shape[0] for tensor in tensors]
        if len(set(rows)) != 1:
            raise ArgumentError(f"TensorDataset needs one or more Tensors with the same first dimension, but got "
                                f"{rows}.")
        self.tensors = tensors

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class ComposeDataset(Dataset[Any]):
    """Datasets of equal length side by side: sample ``i`` is the fields of their ``i``-th samples in one tuple."""

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = _checked(datasets, "ComposeDataset", iterable=False)
        lengths = [len(dataset) for dataset in self.datasets]
        if len(set(lengths)) != 1:
            raise ArgumentError(f"ComposeDataset needs datasets of the same length, but got the lengths {lengths}.")

    def __len__(self) -> int:
        return len(self.datasets[0])

    def __getitem__(self, idx: int) -> tuple[Any, ...]:
        fields: list[Any] = []
        for dataset in self.datasets:
            sample = dataset[idx]
            fields.extend(sample if isinstance(sample, (list, tuple)) else [sample])
        return tuple(fields)


class ChainDataset(IterableDataset[Any]):
    """IterableDatasets one after the other."""

    def __init__(self, datasets: Iterable[IterableDataset[Any]]) -> None:
        self.datasets = _checked(datasets, "ChainDataset", iterable=True)

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)


class Subset(Dataset[T]):
    """The samples of a dataset at the given indices."""

    def __init__(self, dataset: Dataset[T], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: int) -> T:
        return self.dataset[self.indices[idx]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T]):
    """Datasets one after the other, indexed as one."""

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """The running sums of the lengths."""
        return list(itertools.accumulate(len(item) for item in sequence))

    def __init__(self, datasets: Iterable[Dataset[T]]) -> None:
        self.datasets = _checked(datasets, "ConcatDataset", iterable=False)
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> T:
        if idx < 0:
            if -idx > len(self):
                raise ArgumentError(f"The index {idx} is out of range for a ConcatDataset of length {len(self)}.")
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        if which == len(self.datasets):
            raise IndexError(f"The index {idx} is out of range for a ConcatDataset of length {len(self)}.")
        return self.datasets[which][idx - (self.cumulative_sizes[which - 1] if which else 0)]


def random_split(dataset: Dataset[T], lengths: Sequence[float], generator: Any = None) -> list[Subset[T]]:
    """Split a dataset at random into Subsets that do not overlap.

    lengths: the sizes, which sum to ``len(dataset)``, or fractions that sum to 1 (what rounding leaves over goes to the
        splits one by one, from the first on).
    generator: a Generator of this package or of NumPy; by default the global random state (`seed`).
        Differs from Paddle, which ignores it.
    """
    sizes = _fractions(len(dataset), lengths) if _are_fractions(lengths) else [int(n) for n in lengths]
    if sum(sizes) != len(dataset):
        raise ArgumentError(f"The lengths must sum to the dataset's length {len(dataset)} or be fractions that sum to "
                            f"1, but got {list(lengths)}.")
    indices = random_permutation(len(dataset), generator)
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, indices[end - size:end]) for end, size in zip(ends, sizes, strict=True)]


def _are_fractions(lengths: Sequence[float]) -> bool:
    return math.isclose(sum(lengths), 1) and sum(lengths) <= 1


def _fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ArgumentError(f"Each fraction must lie between 0 and 1, but number {i} is {fraction}.")
    sizes = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(sizes)):
        sizes[i % len(sizes)] += 1
    for i, size in enumerate(sizes):
        if size == 0:
            warnings.warn(f"Split number {i} is empty: {total} samples are too few for the fraction {fractions[i]}.",
                          stacklevel=3)
    return sizes


def random_permutation(n: int, generator: Any = None) -> list[int]:
    """The numbers below `n` in an order drawn from the generator (the global random state by default)."""
    if isinstance(generator, (np.random.Generator, np.random.RandomState)):
        return generator.permutation(n).tolist()
    import jax

    from kayax.bridge import rng
    source = generator if isinstance(generator, rng.Generator) else rng.default_generator()
    key = rng.key_of(source.storage.array)
    source.storage.array = rng.advance(source.storage.array)
    return np.random.default_rng(np.asarray(jax.random.key_data(key))).permutation(n).tolist()


def _checked(datasets: Iterable[Any], owner: str, iterable: bool) -> list[Any]:
    found = list(datasets)
    if not found:
        raise ArgumentError(f"{owner} needs at least one dataset, but got none.")
    for i, dataset in enumerate(found):
        if isinstance(dataset, IterableDataset) != iterable:
            wanted = "an IterableDataset" if iterable else "a Dataset with __getitem__ and __len__"
            raise ArgumentError(f"{owner} needs each dataset to be {wanted}, but number {i} is a "
                                f"{type(dataset).__name__}.")
    return found
