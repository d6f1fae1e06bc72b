"""Sending a dataset to workers: its classes by name where a worker can import them, by value where it cannot."""
from __future__ import annotations

import contextlib
import pickle
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import cloudpickle

from kayax.io.loader_fetch import Job
from kayax.io.worker_memory import Arena, Slots, anonymous_file

_SHARED = 4096          # arrays of a dataset from this many bytes on are sent once to all workers


def pack(job: Job) -> tuple[bytes, list[memoryview]]:
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _SHARED:
            return True
        buffers.append(raw)
        return False

    try:
        with _by_value(job):
            return cloudpickle.dumps(tuple(job), protocol=5, buffer_callback=keep), buffers
    except Exception as error:
        raise TypeError(f"The dataset {type(job.dataset).__name__} (or collate_fn, worker_init_fn) cannot be sent to "
                        f"worker processes: {error}. Open files, locks and connections in worker_init_fn or on first "
                        "use, or use num_workers=0.") from error


def share(buffers: list[memoryview]) -> tuple[int | None, list[tuple[int, int]]]:
    """The dataset's large arrays, written once into a file in memory that all workers map."""
    if not buffers:
        return None, []
    descriptor = anonymous_file()
    return descriptor, Slots(Arena(descriptor)).write(0, buffers)


@contextlib.contextmanager
def _by_value(job: Job) -> Iterator[None]:
    """Meanwhile cloudpickle takes along what is defined in modules that a worker would not find."""
    names = {cls.__module__ for dataset in _datasets(job.dataset) for cls in type(dataset).__mro__}
    names |= {getattr(function, "__module__", None) or "" for function in (job.collate_fn, job.worker_init_fn)}
    registered = set(cloudpickle.list_registry_pickle_by_value())
    modules = [module for name in sorted(names - registered) if (module := sys.modules.get(name))]
    hidden = [module for module in modules if not _findable(module)]
    for module in hidden:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in hidden:
            cloudpickle.unregister_pickle_by_value(module)


def _datasets(dataset: Any) -> Iterator[Any]:
    """A dataset and those inside it."""
    yield dataset
    for inner in (getattr(dataset, "dataset", None), *(getattr(dataset, "datasets", None) or ())):
        if inner is not None:
            yield from _datasets(inner)


def _findable(module: ModuleType) -> bool:
    """Whether an import in another process, with our `sys.path`, would find this very module."""
    if module.__name__ == "__main__" or getattr(module, "__file__", None) is None:
        return True                                         # cloudpickle knows the one; the other is built in
    path, spec, name = None, None, ""
    for part in module.__name__.split("."):
        name = f"{name}.{part}" if name else part
        finders = (find for finder in sys.meta_path if (find := getattr(finder, "find_spec", None)))
        spec = next((found for find in finders if (found := find(name, path)) is not None), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return spec is not None and spec.origin == module.__file__
