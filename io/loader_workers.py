"""Batches from worker processes: tasks out, results back in order, and what to do when something goes wrong."""
from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any

import cloudpickle

from kayax.io import loader_pool as pool
from kayax.io.loader_collate import aligned_empty
from kayax.io.loader_fetch import Job
from kayax.io.loader_send import pack, share

_START_SECONDS = 60.0   # what a timeout adds for starting Python and importing
_PLAIN = {int, type(None)}


class WorkerTraceback(Exception):
    """The traceback of an exception as it was in the worker: the cause of the exception that the user gets."""

    def __init__(self, text: str):
        self.text = text

    def __str__(self) -> str:
        return "\n" + self.text


class Closed(Exception):
    """The iteration was closed while its thread was waiting."""


class Session:
    """Workers that have opened one DataLoader's dataset."""

    def __init__(self, job: Job, count: int, seed: int):
        blob, buffers = pack(job)
        descriptor, spans = share(buffers)
        self.busy = False
        self.opened = [False] * count
        self.workers = pool.acquire(count)
        seat = {"num_workers": count, "seed": seed, "cwd": os.getcwd(), "sys_path": sys.path}
        try:
            for i, worker in enumerate(self.workers):
                message = ("open", next(pool.numbers), blob, {**seat, "id": i}, spans, descriptor is not None)
                try:
                    worker.send(message, descriptor)
                except pool.WorkerDied:                     # a warm one that ended this very moment
                    worker.stop(0)
                    self.workers[i] = worker = pool.WorkerProcess()
                    worker.send(message, descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def close(self) -> None:
        workers, self.workers = self.workers, []
        pool.release(workers)


class Epoch:
    """One pass over the data. Made and advanced in the user's thread; `receive` may run in another."""

    def __init__(self, session: Session, indices: Iterator[Any], window: int, shared: bool, timeout: float):
        self.session, self.indices, self.timeout = session, indices, timeout
        self.number = next(pool.numbers)
        self.shared = shared
        count = len(session.workers)
        self.alive = [True] * count
        self.dead: set[int] = set()
        self.slots: list[list[int]] = [[] for _ in range(count)]
        self.slots_made = [0] * count
        self.turns = itertools.cycle(range(count))
        self.orders: queue.SimpleQueue = queue.SimpleQueue()
        self.arrived: dict[int, tuple[str, Any, Any]] = {}
        self.sent = 0
        self.ended = self.closed = False
        self.wake_read, self.wake_write = os.pipe()
        try:
            for seat in range(count):
                self._send(seat, ("epoch", self.number))
            for _ in range(window):
                self.submit()
        except BaseException:
            self.close()
            raise

    def submit(self) -> None:
        """Give the next indices to the worker whose turn it is; at the end, order the end."""
        if self.ended:
            return
        count = len(self.alive)
        seat = next((s for s in itertools.islice(self.turns, count) if self.alive[s]), None)
        indices = next(self.indices, None) if seat is not None else None
        if seat is None or indices is None:
            self.ended = True
            self.orders.put(None)
            return
        slot = self._slot(seat) if self.shared else None
        plain = type(indices) is list and _PLAIN.issuperset(map(type, indices))
        packed = pickle.dumps(indices) if plain else cloudpickle.dumps(indices)
        self._send(seat, ("task", self.number, self.sent, slot, packed))
        self.orders.put((self.sent, seat, slot))
        self.sent += 1

    def _slot(self, seat: int) -> int:
        if self.slots[seat]:
            return self.slots[seat].pop()
        self.slots_made[seat] += 1
        return self.slots_made[seat] - 1

    def receive(self, order: tuple[int, int, int | None]) -> tuple[str, Any]:
        """What came of an order: ``("batch", tree of new arrays)`` or ``("skip", None)``."""
        index, seat, slot = order
        kind, content, spans = self._await(index, seat)
        if kind == "failed":
            raise _rebuilt(content, seat, self.session.workers[seat].pid)
        if kind == "exhausted":
            self.alive[seat] = False
            return "skip", None
        buffers = [self._copy(seat, *span) for span in spans]
        if slot is not None:
            self.slots[seat].append(slot)
        return "batch", pickle.loads(content, buffers=buffers)

    def _copy(self, seat: int, offset: int, size: int) -> Any:
        out = aligned_empty(size)
        out[:] = self.session.workers[seat].arena.view(offset, size)
        return out

    def _await(self, index: int, seat: int) -> tuple[str, Any, Any]:
        start = time.monotonic()
        opened = self.session.opened
        while index not in self.arrived:
            if seat in self.dead:
                raise self._died(seat)
            links = {worker.link: s for s, worker in enumerate(self.session.workers) if s not in self.dead}
            left = start + self.timeout + (0 if opened[seat] else _START_SECONDS) - time.monotonic()
            if self.timeout and left < 0:
                self._timed_out(seat)
            ready = wait([self.wake_read, *links], min(left, 1.0) if self.timeout else 1.0)
            if self.closed:
                raise Closed
            for link in ready:
                if link in links:
                    was_open = opened[seat]
                    self._take(links[link])                 # type: ignore[index]
                    if opened[seat] and not was_open:
                        start = time.monotonic()            # the time to start and import does not count
            if not ready and self.session.workers[seat].process.poll() is not None:
                self.dead.add(seat)
        return self.arrived.pop(index)

    def _take(self, seat: int) -> None:
        try:
            number, index, kind, content, spans = self.session.workers[seat].receive()
        except pool.WorkerDied:
            self.dead.add(seat)             # said when its batch is due, after those that come before
            return
        if kind == "opened":
            self.session.opened[seat] = True
        elif number == self.number:
            self.arrived[index] = kind, content, spans

    def _send(self, seat: int, message: tuple) -> None:
        with contextlib.suppress(pool.WorkerDied):          # found out when its batch is due
            self.session.workers[seat].send(message)

    def _died(self, seat: int) -> RuntimeError:
        worker = self.session.workers[seat]
        how = worker.how_it_ended()
        worker.stop(0)
        return RuntimeError(f"DataLoader worker {seat} (pid {worker.pid}) {how} before it gave its batch. What it "
                            "printed stands above; use num_workers=0 to run the dataset in this process instead.")

    def _timed_out(self, seat: int) -> None:
        worker = self.session.workers[seat]
        worker.stop(0)                                      # it may hang for good
        raise RuntimeError(f"DataLoader timed out: worker {seat} (pid {worker.pid}) gave no batch in {self.timeout} "
                           "seconds. Raise timeout (0 waits forever), or find what is slow in the dataset.")

    def wake(self) -> None:
        self.closed = True
        os.write(self.wake_write, b"x")

    def close(self) -> None:
        os.close(self.wake_read)
        os.close(self.wake_write)


class Reader:
    """Runs an epoch: with `ahead` of 0 in the caller's thread, otherwise in one that makes this many batches ready."""

    def __init__(self, epoch: Epoch, finish: Callable[[Any], Any], ahead: int, keep_session: bool):
        self.epoch, self.finish, self.keep_session = epoch, finish, keep_session
        self.out: queue.SimpleQueue = queue.SimpleQueue()
        self.room = threading.Semaphore(ahead)
        self.thread = threading.Thread(target=self._run, name="kayax-loader", daemon=True) if ahead else None
        self._closed = False
        epoch.session.busy = True
        if self.thread is not None:
            self.thread.start()

    def _next_item(self) -> tuple[str, Any]:
        order = self.epoch.orders.get()
        if order is None:
            return "end", None
        if self.thread is not None:
            self.room.acquire()
        kind, value = self.epoch.receive(order)
        return kind, self.finish(value) if kind == "batch" else None

    def _run(self) -> None:
        kind = ""
        while kind not in ("end", "failed") and not self.epoch.closed:
            try:
                kind, value = self._next_item()
            except Closed:
                return
            except BaseException as error:
                kind, value = "failed", error
            self.out.put((kind, value))

    def take(self) -> Any:
        """The next batch, or StopIteration after the last."""
        if self._closed:
            raise StopIteration
        try:
            while True:
                kind, value = self.out.get() if self.thread is not None else self._next_item()
                self.room.release()
                if kind == "end":
                    raise StopIteration
                if kind == "failed":
                    raise value
                self.epoch.submit()
                if kind == "batch":
                    return value
        except BaseException as error:
            self.close(broken=not isinstance(error, StopIteration))
            raise

    def close(self, broken: bool = False) -> None:
        """Stop the thread, and let go of the workers unless they are to be kept."""
        if self._closed:
            return
        self._closed = True
        self.epoch.wake()
        self.room.release()
        self.epoch.orders.put(None)
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()
        self.epoch.close()
        self.epoch.session.busy = False
        if broken or not self.keep_session:
            self.epoch.session.close()


class WorkerIterator:
    """The iterator that a user holds: when it goes, its reader is closed."""

    def __init__(self, reader: Reader, wrap: Callable[[Any], Any], length: Callable[[], int]):
        self._reader, self._wrap, self._length = reader, wrap, length
        self._finalizer = weakref.finalize(self, reader.close)

    def __iter__(self) -> WorkerIterator:
        return self

    def __next__(self) -> Any:
        return self._wrap(self._reader.take())

    def __len__(self) -> int:
        return self._length()


def _rebuilt(packed: bytes, seat: int, pid: int) -> BaseException:
    """The worker's exception, of its own type, caused by its traceback there."""
    text, name, content = pickle.loads(packed)
    error: Any = None
    if content is not None:
        with contextlib.suppress(Exception):
            error = pickle.loads(content)
    if isinstance(error, tuple):
        kind, args, fields = error
        error = kind.__new__(kind, *args)
        error.args = args
        error.__dict__.update(fields)
    if not isinstance(error, BaseException):
        error = RuntimeError(f"{name} in a DataLoader worker, which could not be sent here: see its traceback above.")
    elif isinstance(error, StopIteration):
        error = RuntimeError(f"StopIteration was raised in the dataset: {error}")
    error.add_note(f"Raised in DataLoader worker {seat} (pid {pid}); its traceback there stands above.")
    error.__cause__ = WorkerTraceback(text)
    return error
