"""Reading one batch of a dataset: the same code in the user's process and in a worker. Needs NumPy alone."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kayax.io.dataset import Dataset, TensorDataset
from kayax.io.loader_collate import default_collate_fn, default_convert_fn

_END = object()


class Exhausted(Exception):
    """An iterable dataset has no more samples."""


class Job(NamedTuple):
    """All that a worker needs to know of a DataLoader."""

    dataset: Dataset[Any]
    iterable: bool
    batched: bool
    drop_last: bool
    collate_fn: Callable[[Any], Any] | None
    worker_init_fn: Callable[[int], None] | None

    @property
    def collate(self) -> Callable[[Any], Any]:
        return self.collate_fn or (default_collate_fn if self.batched else default_convert_fn)


def make_fetcher(job: Job) -> Callable[[Any], Any]:
    """The function from a batch's indices to the batch. Of an iterable dataset it raises `Exhausted` at the end."""
    if job.iterable:
        source = iter(job.dataset)
        return lambda indices: _fetch_next(job, source, len(indices))
    if job.batched and job.collate_fn is None and type(job.dataset) is TensorDataset:
        arrays = [np.asarray(tensor) for tensor in job.dataset.tensors]
        return lambda indices: [array[np.asarray(list(indices))] for array in arrays]
    return lambda indices: _fetch(job, indices)


def _fetch(job: Job, indices: Any) -> Any:
    try:
        sample = [job.dataset[i] for i in indices] if job.batched else job.dataset[indices]
    except StopIteration as error:
        raise RuntimeError(f"{type(job.dataset).__name__}.__getitem__ raised StopIteration for the indices {indices}: "
                           "the length of the dataset is what ends an epoch.") from error
    return job.collate(sample)


def _fetch_next(job: Job, source: Iterator[Any], size: int) -> Any:
    if not job.batched:
        sample = next(source, _END)
        if sample is _END:
            raise Exhausted
        return job.collate(sample)
    samples = list(itertools.islice(source, size))
    if not samples or (job.drop_last and len(samples) < size):
        raise Exhausted
    return job.collate(samples)
