"""DataLoader: batches of a dataset as Tensors, read here or by worker processes, on the device ahead of their use."""
from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from kayax.bridge import device
from kayax.bridge.errors import ArgumentError
from kayax.bridge.state import state
from kayax.bridge.tensor import wrap
from kayax.io.dataset import Dataset, IterableDataset, NoLengthError
from kayax.io.loader_collate import aligned_copy
from kayax.io.loader_fetch import Exhausted, Job, make_fetcher
from kayax.io.loader_workers import Epoch, Reader, Session, WorkerIterator
from kayax.io.sampler import BatchSampler
from kayax.spec.dtype import find

_NUMERIC = "biufc"


class DataLoader:
    """Iterates over a dataset in batches of Tensors. ``for batch in loader`` and ``for batch in loader()`` do the same.

    dataset: a Dataset or an IterableDataset. A sample is an array, Tensor, number or string, or a dict, list or tuple
        of them; a batch has the same form, with lists for tuples.
    feed_list, return_list: in static mode, with ``return_list=False``, a batch is a list with one dict, of the values
        by the names of these variables: what an Executor is fed.
    places: where the batches go: the current device by default; the first place if several are given.
    batch_sampler: gives lists of indices, instead of `batch_size`, `shuffle` and `drop_last`.
    batch_size: samples in a batch; None gives the samples themselves, unbatched. collate_fn: makes a batch of a list of
        samples (`default_collate_fn` by default).
    num_workers: how many processes read the dataset; 0 reads it in this one. They need no main guard in the script, and
        are kept warm for the next DataLoader; each time they get a fresh copy of the dataset.
    use_buffer_reader: with workers, a thread puts up to `reader_buffer_size` batches on the device before they are
        asked for. prefetch_factor: batches that each worker reads ahead.
    use_shared_memory: move arrays through shared memory.
    timeout: seconds to wait for a batch from a worker before a RuntimeError; 0 waits forever.
    worker_init_fn: called with the worker's number in each worker first.
    persistent_workers: keep the workers' copies of the dataset from epoch to epoch.

    An exception in a worker is raised here, with its type and the worker's traceback. A worker that is killed is a
    RuntimeError that names its pid and exit code. Orders, and the random numbers in workers, follow from
    ``numpy.random.seed`` as in Paddle.
    """

    def __init__(self, dataset: Dataset[Any], feed_list: Sequence[Any] | None = None, places: Any = None,
                 return_list: bool = True, batch_sampler: Any = None, batch_size: int | None = 1, shuffle: bool = False,
                 drop_last: bool = False, collate_fn: Callable[[Any], Any] | None = None, num_workers: int = 0,
                 use_buffer_reader: bool = True, reader_buffer_size: int = 2, prefetch_factor: int = 2,
                 use_shared_memory: bool = True, timeout: float = 0,
                 worker_init_fn: Callable[[int], None] | None = None, persistent_workers: bool = False) -> None:
        _check_number("num_workers", num_workers, 0)
        _check_number("prefetch_factor", prefetch_factor, 1)
        _check_number("reader_buffer_size", reader_buffer_size, 1)
        if timeout < 0:
            raise ArgumentError(f"DataLoader needs timeout to be a number of seconds of at least 0, but got "
                                f"{timeout!r}.")
        for name, function in (("collate_fn", collate_fn), ("worker_init_fn", worker_init_fn)):
            if function is not None and not callable(function):
                raise ArgumentError(f"DataLoader needs {name} to be a function, but got {type(function).__name__}.")
        if num_workers > 0 and sys.platform == "win32":
            warnings.warn("DataLoader has no workers on Windows: it reads the data in this process.", stacklevel=2)
            num_workers = 0
        self.dataset = dataset
        self.feed_list, self.return_list = feed_list, return_list
        self.places = _places(places)
        self.collate_fn, self.worker_init_fn = collate_fn, worker_init_fn
        self.num_workers, self.prefetch_factor, self.timeout = num_workers, prefetch_factor, timeout
        self.use_buffer_reader, self.reader_buffer_size = use_buffer_reader, reader_buffer_size
        self.use_shared_memory = use_shared_memory and num_workers > 0
        self.drop_last = drop_last
        self._persistent_workers = persistent_workers
        self._session: Session | None = None
        self._iterable = isinstance(dataset, IterableDataset)
        self._set_batches(batch_sampler, batch_size, shuffle, drop_last)
        self.auto_collate_batch = self.batch_size is not None or self.batch_sampler is not None

    def _set_batches(self, batch_sampler: Any, batch_size: int | None, shuffle: bool, drop_last: bool) -> None:
        """Settle where batches of indices come from, or say what contradicts."""
        if self._iterable and (shuffle or batch_sampler is not None):
            raise ArgumentError("An IterableDataset decides on the order itself: leave out shuffle and batch_sampler.")
        if batch_sampler is not None and (batch_size != 1 or shuffle or drop_last):
            raise ArgumentError("With batch_sampler leave out batch_size, shuffle and drop_last: it decides on them.")
        self.batch_sampler = batch_sampler
        self.batch_size = None if batch_sampler is not None else batch_size
        if self.batch_size is not None:
            _check_number("batch_size", self.batch_size, 1)
            if not self._iterable:
                self.batch_sampler = BatchSampler(dataset=self.dataset, batch_size=self.batch_size, shuffle=shuffle,
                                                  drop_last=drop_last)

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        if self._iterable:
            raise NoLengthError("A DataLoader of an IterableDataset has no length.")
        return len(self.batch_sampler) if self.auto_collate_batch else len(self.dataset)

    def __call__(self) -> Iterator[Any]:
        return iter(self)

    def __iter__(self) -> Iterator[Any]:
        job = Job(self.dataset, self._iterable, self.auto_collate_batch, self.drop_last, self.collate_fn,
                  self.worker_init_fn)
        found = self._read_by_workers(job) if self.num_workers else LocalIterator(self, job)
        if not self.feed_list or self.return_list or state.graph is None:
            return found
        names = [v.name for v in self.feed_list]
        return ([dict(zip(names, batch, strict=True))] for batch in found)

    def _indices(self) -> Iterator[Any]:
        if self._iterable:
            batch = [None] * (self.batch_size or 1)
            return iter(lambda: batch, None)
        return iter(self.batch_sampler if self.auto_collate_batch else range(len(self.dataset)))

    def _read_by_workers(self, job: Job) -> WorkerIterator:
        session = self._session
        kept = self._persistent_workers and (session is None or not session.workers or not session.busy)
        if not kept or session is None or not session.workers:
            seed = int(np.random.randint(0, sys.maxsize))
            session = Session(job, self.num_workers, seed)
            if kept:
                self._session = session
                weakref.finalize(self, session.close)
        try:
            epoch = Epoch(session, self._indices(), self.prefetch_factor * self.num_workers,
                          self.use_shared_memory, self.timeout)
        except BaseException:
            session.close()
            raise
        place = self.places[0]
        reader = Reader(epoch, lambda batch: _to_arrays(batch, place, owned=True),
                        self.reader_buffer_size if self.use_buffer_reader else 0, kept)
        return WorkerIterator(reader, _to_tensors, self.__len__)


class LocalIterator:
    """Reads the dataset in this process. Copies to the device run on by themselves, as JAX starts them and goes on."""

    def __init__(self, loader: DataLoader, job: Job):
        self._loader = loader
        self._indices = loader._indices()
        self._fetch = make_fetcher(job)
        self._owned = job.collate_fn is None and job.batched

    def __iter__(self) -> LocalIterator:
        return self

    def __next__(self) -> Any:
        try:
            batch = self._fetch(next(self._indices))
        except Exhausted:
            self._indices = iter(())
            raise StopIteration from None
        return _to_tensors(_to_arrays(batch, self._loader.places[0], self._owned))

    def __len__(self) -> int:
        return len(self._loader)


def _to_arrays(tree: Any, place: jax.Device | None, owned: bool) -> Any:
    """The tree with jax arrays for NumPy arrays. `owned`: nobody else holds their memory; `device_put` may use it."""
    if isinstance(tree, np.ndarray):
        numeric = tree.dtype.kind in _NUMERIC or find(tree.dtype) is not None
        if not numeric:
            return tree
        return jax.device_put(tree if owned and tree.dtype.isnative else aligned_copy(tree), place)
    return _rebuild(tree, lambda value: _to_arrays(value, place, owned))


def _to_tensors(tree: Any) -> Any:
    """The tree with Tensors for jax arrays."""
    return wrap(tree) if isinstance(tree, jax.Array) else _rebuild(tree, _to_tensors)


def _rebuild(tree: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {key: convert(value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(convert, tree))
    return [convert(value) for value in tree] if isinstance(tree, (list, tuple)) else tree


def _places(places: Any) -> list[jax.Device | None]:
    if places is None:
        return [None]
    return [device.to_jax(place) for place in (places if isinstance(places, (list, tuple)) else [places])]


def _check_number(name: str, value: Any, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ArgumentError(f"DataLoader needs {name} to be an integer of at least {least}, but got {value!r}.")
