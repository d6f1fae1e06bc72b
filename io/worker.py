"""A worker process: opens a DataLoader's dataset, and answers each list of indices with a batch. Needs NumPy alone.

The parent sends (over a socket; FIFO): ``open`` a dataset, ``epoch`` to start from its beginning, ``task`` to fetch a
batch, ``end``. Every message carries the number of its epoch or session: what belongs to an older one is left undone.
"""
from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import queue
import random
import sys
import threading
import traceback
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle
import numpy as np

from kayax.io.loader_fetch import Exhausted, Job, make_fetcher
from kayax.io.worker_memory import Arena, Slots

_IN_BAND = 4096             # arrays below this many bytes travel in the message itself


class WorkerInfo:
    """What a worker knows of itself: `id`, `num_workers`, its copy of the `dataset`, the `seed` of all workers."""

    id: int
    num_workers: int
    dataset: Any
    seed: int

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(f"WorkerInfo cannot be changed, but {name} was assigned.")

    def __repr__(self) -> str:
        return f"WorkerInfo(id={self.id}, num_workers={self.num_workers}, seed={self.seed})"


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a DataLoader's worker process: its `WorkerInfo`. In the main process: None."""
    return _info


def serve(link: Connection, descriptor: int) -> None:
    """Work for the parent until it closes the link or ends."""
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    worker = Worker(link, Slots(Arena(descriptor)))
    threading.Thread(target=_listen, args=(link, inbox, worker), daemon=True).start()
    while True:
        kind, number, *rest = inbox.get()
        if kind != "task" or number == worker.newest:
            getattr(worker, "do_" + kind)(number, *rest)
        with contextlib.suppress(Exception):
            sys.stdout.flush()


def _listen(link: Connection, inbox: queue.SimpleQueue, worker: Worker) -> None:
    """Take in messages at once, so that the parent never waits to send, and notice at once when the parent is gone."""
    try:
        while True:
            kind, number, *rest = link.recv()
            if kind == "open" and rest[-1]:
                rest.append(reduction.recv_handle(link))
            worker.newest = max(worker.newest, number)
            inbox.put((kind, number, *rest))
    except (EOFError, OSError):
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(0)


class Worker:
    """One session after the other, each with its dataset."""

    def __init__(self, link: Connection, slots: Slots):
        self.link, self.slots = link, slots
        self.newest = 0
        self.job: Job | None = None
        self.fetch: Any = None
        self.failure: bytes | None = None
        self.dumps: Any = pickle.dumps

    def do_open(self, number: int, blob: bytes, seat: dict, spans: list, shared: bool,
                descriptor: int | None = None) -> None:
        """Unpack the dataset and its functions, seed the random states, run the user's `worker_init_fn`."""
        global _info
        self._drop()
        sys.path[:] = seat["sys_path"]
        with contextlib.suppress(OSError):
            os.chdir(seat["cwd"])
        seed_all(seat["seed"], seat["id"])
        try:
            self.job = job = Job(*pickle.loads(blob, buffers=_mapped(spans, descriptor)))
            _info = WorkerInfo(id=seat["id"], num_workers=seat["num_workers"], dataset=job.dataset, seed=seat["seed"])
            seed_framework()
            if job.worker_init_fn is not None:
                job.worker_init_fn(seat["id"])
        except Exception as error:
            self.failure = describe(error)
        self._send(number, -1, "opened", None)

    def do_epoch(self, number: int) -> None:
        self.fetch = None

    def do_task(self, number: int, index: int, slot: int | None, indices: bytes) -> None:
        try:
            if self.failure is not None:
                return self._send(number, index, "failed", self.failure)
            if self.fetch is None:
                assert self.job is not None
                self.fetch = make_fetcher(self.job)
            batch = self.fetch(pickle.loads(indices))
            if self.newest == number:
                self._send(number, index, "batch", *self._pack(batch, slot))
        except Exhausted:
            self._send(number, index, "exhausted", None)
        except Exception as error:
            self._send(number, index, "failed", describe(error))

    def do_end(self, number: int) -> None:
        """Let go of the dataset, and say so: this worker may be given another."""
        self._drop()
        self.slots.clear()
        self._send(number, -1, "ended", None)

    def _drop(self) -> None:
        global _info
        self.job = self.fetch = self.failure = _info = None
        self.dumps = pickle.dumps

    def _send(self, number: int, index: int, kind: str, content: Any, spans: Any = ()) -> None:
        try:
            self.link.send_bytes(pickle.dumps((number, index, kind, content, spans), 5))
        except OSError:
            os._exit(0)                                     # the parent is gone

    def _pack(self, batch: Any, slot: int | None) -> tuple[bytes, list[tuple[int, int]]]:
        """The batch as a pickle without its large arrays, and where in shared memory those are."""
        buffers: list[memoryview] = []

        def keep(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < _IN_BAND:
                return True
            buffers.append(raw)
            return False

        callback = None if slot is None else keep
        try:
            content = self.dumps(batch, protocol=5, buffer_callback=callback)
        except Exception:
            if self.dumps is cloudpickle.dumps:
                raise
            self.dumps = cloudpickle.dumps                  # it holds what the user's script defines
            buffers.clear()
            content = self.dumps(batch, protocol=5, buffer_callback=callback)
        return content, self.slots.write(slot, buffers) if buffers and slot is not None else []


def _mapped(spans: list[tuple[int, int]], descriptor: int | None) -> list[Any]:
    """The dataset's large arrays: private to this worker when it writes, shared with the others until then."""
    if descriptor is None:
        return []
    try:
        view = memoryview(mmap.mmap(descriptor, os.fstat(descriptor).st_size, access=mmap.ACCESS_COPY))
    finally:
        os.close(descriptor)
    return [view[offset:offset + size] for offset, size in spans]


_seed: int | None = None


def seed_all(base: int, worker: int) -> None:
    """Seed Python's, NumPy's and this package's random states as Paddle's workers do."""
    global _seed
    words = np.array([worker, base & 0xFFFFFFFF, base >> 32, 0], np.uint32)
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
    random.seed(base + worker)
    _seed = base + worker
    seed_framework()


def seed_framework() -> None:
    """Seed this package's random state, if it is here; `worker_boot` calls this again when it comes."""
    rng = sys.modules.get("kayax.bridge.rng")
    if rng is not None and _seed is not None:
        rng.seed(_seed)


def describe(error: Exception) -> bytes:
    """An exception as bytes: its traceback as text, and itself, or as much of it as can travel."""
    text = "".join(traceback.format_exception(error))
    kind = type(error)
    for parts in (error, (kind, error.args, vars(error)), (kind, (str(error),), {})):
        try:
            packed = cloudpickle.dumps(parts)
            pickle.loads(packed)
            return pickle.dumps((text, kind.__name__, packed))
        except Exception:
            continue
    return pickle.dumps((text, kind.__name__, None))
