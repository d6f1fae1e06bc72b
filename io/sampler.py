"""Samplers: in which order, and in which batches, a dataset is read. Needs NumPy alone."""
from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from kayax.io.dataset import IterableDataset, random_permutation
from kayax.spec.errors import ArgumentError

T = TypeVar("T")


class Sampler(Generic[T]):
    """The base of samplers. Subclasses define `__iter__`, which gives indices, and `__len__`."""

    def __init__(self, data_source: Sized | None = None) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"The sampler class {type(self).__name__} does not define __iter__().")


class SequenceSampler(Sampler[int]):
    """The indices in their order."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        super().__init__(data_source)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices in an order drawn from NumPy's global random state (``numpy.random.seed``), as in Paddle.

    replacement: draw each index independently. num_samples: how many, all by default.
    generator: an iterable of indices to use instead, or a ``numpy.random.Generator`` or ``RandomState`` to draw from.
    """

    data_source: Sized

    def __init__(self, data_source: Sized, replacement: bool = False, num_samples: int | None = None,
                 generator: Any = None) -> None:
        super().__init__(data_source)
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise ArgumentError(f"RandomSampler needs replacement to be True or False, but got {replacement!r}.")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ArgumentError("RandomSampler needs num_samples, or the length of data_source, to be a positive "
                                f"integer, but got {self.num_samples!r}.")
        if not replacement and self.num_samples > len(data_source):
            raise ArgumentError(f"RandomSampler without replacement cannot draw num_samples={num_samples} from a "
                                f"data_source of length {len(data_source)}: use replacement=True or fewer samples.")

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        source = self.generator
        if source is None or isinstance(source, (np.random.Generator, np.random.RandomState)):
            draw = np.random if source is None else source
            indices = np.arange(len(self.data_source))
            yield from draw.choice(indices, self.num_samples, replace=self.replacement).tolist()
        else:
            yield from itertools.islice(source, self.num_samples)

    def __len__(self) -> int:
        return self.num_samples


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn from NumPy's global random state with probabilities proportional to the weights.

    weights: a sequence, array or Tensor of shape [N], or [M, N] for M draws of their own, one after the other.
    num_samples: how many indices to draw from each row. replacement: whether an index may come twice.
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True) -> None:
        super().__init__()
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ArgumentError(f"WeightedRandomSampler needs num_samples to be a positive integer, not "
                                f"{num_samples!r}.")
        if not isinstance(replacement, bool):
            raise ArgumentError(f"WeightedRandomSampler needs replacement to be True or False, but got "
                                f"{replacement!r}.")
        self.weights = weights
        self.num_samples = num_samples
        self.replacement = replacement

    def _rows(self) -> np.ndarray:
        weights = np.asarray(self.weights, np.float64)
        if weights.ndim not in (1, 2):
            raise ArgumentError(f"WeightedRandomSampler needs weights of 1 or 2 dimensions, not of shape "
                                f"{weights.shape}.")
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise ArgumentError("WeightedRandomSampler needs weights that are finite and not negative.")
        rows = weights.reshape(-1, weights.shape[-1])
        fewest = int((rows > 0).sum(axis=1).min())
        needed = 1 if self.replacement else self.num_samples
        if fewest < needed:
            raise ArgumentError(f"WeightedRandomSampler needs at least {needed} positive weights, but got {fewest}.")
        return rows / rows.sum(axis=1, keepdims=True)

    def __iter__(self) -> Iterator[int]:
        rows = self._rows()
        drawn = [np.random.choice(rows.shape[1], self.num_samples, self.replacement, row) for row in rows]
        return iter(np.concatenate(drawn).tolist())

    def __len__(self) -> int:
        return self.num_samples * math.prod(np.shape(self.weights)[:-1])


class SubsetRandomSampler(Sampler[Any]):
    """The given indices in an order drawn from the global random state (`seed`)."""

    def __init__(self, indices: Sequence[Any]) -> None:
        super().__init__()
        if len(indices) == 0:
            raise ArgumentError("SubsetRandomSampler needs at least one index, but got none.")
        self.indices = indices

    def __iter__(self) -> Iterator[Any]:
        return (self.indices[i] for i in random_permutation(len(self.indices)))

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler[Any]):
    """Lists of `batch_size` indices of a dataset (in order or shuffled), or of what a sampler gives.

    dataset or sampler: exactly one of them. shuffle: only with dataset. drop_last: leave out an incomplete last batch.
    """

    def __init__(self, dataset: Sized | None = None, sampler: Iterable[Any] | None = None, shuffle: bool = False,
                 batch_size: int = 1, drop_last: bool = False) -> None:
        super().__init__(dataset)
        _check_batches(type(self).__name__, batch_size, shuffle, drop_last)
        if (dataset is None) == (sampler is None):
            raise ArgumentError("BatchSampler needs either dataset or sampler, but got "
                                f"{'neither' if dataset is None else 'both'}.")
        if isinstance(dataset, IterableDataset):
            raise ArgumentError("BatchSampler needs a dataset with __getitem__ and __len__, but got an "
                                "IterableDataset.")
        if sampler is not None and not isinstance(sampler, (Sampler, Iterable)):
            raise ArgumentError(f"BatchSampler needs sampler to be an iterable of indices, not "
                                f"{type(sampler).__name__}.")
        if sampler is not None and shuffle:
            raise ArgumentError("BatchSampler takes the order from the sampler: leave shuffle=False.")
        if sampler is None:
            assert dataset is not None
            sampler = RandomSampler(dataset) if shuffle else SequenceSampler(dataset)
        self.sampler = sampler
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        return _batches(self.sampler, self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return _count(len(self.sampler), self.batch_size, self.drop_last)      # type: ignore[arg-type]


class DistributedBatchSampler(BatchSampler):
    """The share of one process in the batches of a dataset, which is padded so that all shares are equally long.

    num_replicas, rank: how many processes there are and which one this is; by default what ``PADDLE_TRAINERS_NUM`` and
    ``PADDLE_TRAINER_ID`` or `jax.distributed` say. Shuffling depends on the epoch alone (`set_epoch`), not on the rank.
    """

    def __init__(self, dataset: Sized, batch_size: int, num_replicas: int | None = None, rank: int | None = None,
                 shuffle: bool = False, drop_last: bool = False) -> None:
        _check_batches(type(self).__name__, batch_size, shuffle, drop_last)
        if num_replicas is not None and (not isinstance(num_replicas, int) or num_replicas <= 0):
            raise ArgumentError(f"DistributedBatchSampler needs num_replicas to be a positive int, not "
                                f"{num_replicas!r}.")
        if rank is not None and (not isinstance(rank, int) or rank < 0):
            raise ArgumentError(f"DistributedBatchSampler needs rank to be an integer of at least 0, but got {rank!r}.")
        self.data_source = self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.nranks = _processes()[0] if num_replicas is None else num_replicas
        self.local_rank = _processes()[1] if rank is None else rank
        if self.local_rank >= self.nranks:
            raise ArgumentError(f"DistributedBatchSampler needs rank < num_replicas, but got rank={self.local_rank} "
                                f"and num_replicas={self.nranks}.")
        self.epoch = 0
        self.num_samples = math.ceil(len(dataset) / self.nranks)
        self.total_size = self.num_samples * self.nranks

    def __iter__(self) -> Iterator[list[int]]:
        indices = np.resize(np.arange(len(self.dataset)), self.total_size)
        if self.shuffle:
            np.random.RandomState(self.epoch).shuffle(indices)
            self.epoch += 1
        # Whole batches go to the ranks in turn; what is left over is divided into equal runs.
        leftover = self.total_size % (self.batch_size * self.nranks)
        whole = indices[:self.total_size - leftover].reshape(-1, self.nranks, self.batch_size)[:, self.local_rank]
        rest = indices[self.total_size - leftover:].reshape(self.nranks, -1)[self.local_rank]
        return _batches(np.concatenate([whole.ravel(), rest]).tolist(), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return _count(self.num_samples, self.batch_size, self.drop_last)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that the next shuffling depends on, the same on every process."""
        self.epoch = epoch


def _check_batches(owner: str, batch_size: Any, shuffle: Any, drop_last: Any) -> None:
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
        raise ArgumentError(f"{owner} needs batch_size to be a positive integer, but got {batch_size!r}.")
    for name, value in (("shuffle", shuffle), ("drop_last", drop_last)):
        if not isinstance(value, bool):
            raise ArgumentError(f"{owner} needs {name} to be True or False, but got {value!r}.")


def _batches(indices: Iterable[Any], batch_size: int, drop_last: bool) -> Iterator[list[Any]]:
    source = iter(indices)
    while batch := list(itertools.islice(source, batch_size)):
        if len(batch) == batch_size or not drop_last:
            yield batch


def _count(samples: int, batch_size: int, drop_last: bool) -> int:
    return samples // batch_size if drop_last else -(-samples // batch_size)


def _processes() -> tuple[int, int]:
    """How many processes train together, and which one this is."""
    if "PADDLE_TRAINERS_NUM" in os.environ:
        return int(os.environ["PADDLE_TRAINERS_NUM"]), int(os.environ.get("PADDLE_TRAINER_ID", 0))
    jax = sys.modules.get("jax")
    if jax is not None and jax.distributed.is_initialized():
        return jax.process_count(), jax.process_index()
    return 1, 0
