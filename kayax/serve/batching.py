"""Requests that arrive while others run are put together into one batch."""
from __future__ import annotations

import asyncio
import collections
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from kayax.io.session import Session
from kayax.serve.metrics import Metrics
from kayax.serve.protocol import RequestError
from kayax.spec import dtype as dtypes

_log = logging.getLogger("kayax.serve")
_TRIED = (8, 16, 1, 32, 64, 128)


@dataclass
class _Waiting:
    arrays: list[np.ndarray]
    rows: int
    answer: asyncio.Future


class Batcher:
    """Runs requests of one model in worker threads.

    A request that finds a free worker runs at once. While all are busy, requests of one kind (equal shapes but for the
    first dim) gather, and the next free worker runs up to `max_batch` rows of them as one, the rows padded to a power
    of two so that few programs are compiled. If `max_batch` is 1, or rows of a batch are found to depend on each
    other, every request runs alone.
    """

    def __init__(self, session: Session, metrics: Metrics, max_batch: int = 32, workers: int = 1, max_queue: int = 256,
                 max_programs: int = 64):
        self.session, self.metrics = session, metrics
        self.max_queue, self.max_programs = max_queue, max_programs
        self.max_batch = max_batch if max_batch > 1 and rows_are_independent(session) else 1
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="kayax-serve")
        self._free = workers
        self._groups: collections.OrderedDict[Any, collections.deque[_Waiting]] = collections.OrderedDict()
        self._queued = 0
        self._tasks: set[asyncio.Task] = set()

    async def infer(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The outputs. Raises RequestError: the inputs do not fit, or there are too many requests."""
        try:
            shapes = self.session.check(arrays)
        except ValueError as error:
            raise RequestError(400, str(error)) from None
        if self._queued >= self.max_queue:
            raise RequestError(503, f"{self._queued} requests are waiting, which is the most. Try again later.")
        rows = shapes[0][0] if self.max_batch > 1 else 0
        alone = self.max_batch == 1 or rows == 0 or rows > self.max_batch
        self._limit_programs(shapes if alone else tuple([(self._padded(rows), *shape[1:]) for shape in shapes]))
        waiting = _Waiting(arrays, rows, asyncio.get_running_loop().create_future())
        key = object() if alone else tuple([shape[1:] for shape in shapes])
        self._groups.setdefault(key, collections.deque()).append(waiting)
        self._count(1)
        self._start()
        return await waiting.answer

    def close(self) -> None:
        """Wait for what runs, and end the workers."""
        self._pool.shutdown(wait=True)

    def _limit_programs(self, shapes: tuple) -> None:
        compiled = self.session.compile_seconds
        if shapes not in compiled and len(compiled) >= self.max_programs:
            raise RequestError(400, f"Programs for {len(compiled)} combinations of shapes are compiled, which is the "
                               "most that this server keeps. Use shapes that were used before.")

    def _count(self, change: int) -> None:
        self._queued += change
        self.metrics.queued.set(self._queued)

    def _padded(self, rows: int) -> int:
        return min(1 << max(rows - 1, 0).bit_length(), self.max_batch)

    def _start(self) -> None:
        while self._free and self._groups:
            key, group = next(iter(self._groups.items()))
            batch = [group.popleft()]
            rows = batch[0].rows
            while group and rows + group[0].rows <= self.max_batch:
                rows += group[0].rows
                batch.append(group.popleft())
            self._groups.pop(key)
            if group:                           # the rest goes behind the other kinds
                self._groups[key] = group
            self._count(-len(batch))
            batch = [waiting for waiting in batch if not waiting.answer.done()]         # not those given up
            if batch:
                self._free -= 1
                task = asyncio.get_running_loop().create_task(self._run(batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: list[_Waiting]) -> None:
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._pool, self._compute, batch)
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(result)
        except Exception as error:              # of XLA, say no memory: each request is answered with it
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        finally:
            self._free += 1
            self._start()

    def _compute(self, batch: list[_Waiting]) -> list[list[np.ndarray]]:
        before = len(self.session.compile_seconds)
        rows = sum(waiting.rows for waiting in batch)
        if rows == 0 or rows > self.max_batch:
            results = [self.session.run(batch[0].arrays)]
        else:
            results = self._together(batch, rows)
        self.metrics.rows.observe(rows or 1)
        if len(self.session.compile_seconds) != before:
            self.metrics.programs.set(len(self.session.compile_seconds))
            self.metrics.compiling.set(sum(self.session.compile_seconds.values()))
        return results

    def _together(self, batch: list[_Waiting], rows: int) -> list[list[np.ndarray]]:
        arrays = [np.concatenate(column) if len(column) > 1 else column[0]
                  for column in zip(*(waiting.arrays for waiting in batch), strict=True)]
        outputs = self.session.run(_padded(self.session, arrays, self._padded(rows)))
        ends = np.cumsum([waiting.rows for waiting in batch])
        return [[output[end - waiting.rows:end] for output in outputs]
                for waiting, end in zip(batch, ends, strict=True)]


def _padded(session: Session, arrays: list[np.ndarray], rows: int) -> list[np.ndarray]:
    """The arrays with copies of their last row behind, `rows` in all; as they are, if the model refuses that size."""
    missing = rows - arrays[0].shape[0]
    padded = [np.concatenate([a, np.repeat(a[-1:], missing, 0)]) for a in arrays] if missing > 0 else arrays
    try:
        session.check(padded)
    except ValueError:
        return arrays
    return padded


def rows_are_independent(session: Session) -> bool:
    """Whether requests may be put together: all inputs and outputs have one open first dim, and a try shows that a
    row's result does not depend on the other rows."""
    reason = "its inputs and outputs do not all have one open first dim"
    if session.rows_match and not session.draws:
        arrays = _example(session)
        if arrays is None:
            reason = "no sizes were found to try it with"
        else:
            together = session.run(arrays)
            apart = [session.run([a[i:i + 1] for a in arrays]) for i in range(arrays[0].shape[0])]
            joined = [np.concatenate(column) for column in zip(*apart, strict=True)]
            if all(a.shape == b.shape and np.allclose(a.astype("complex128"), b.astype("complex128"), 1e-2, 1e-3,
                                                      equal_nan=True) for a, b in zip(together, joined, strict=True)):
                return True
            reason = "a row's result depends on the other rows"
    _log.warning("requests are not put together into batches: %s", reason)
    return False


def _example(session: Session) -> list[np.ndarray] | None:
    """Two different rows of inputs, with the first sizes that the model takes for its other open dims."""
    rng = np.random.default_rng(0)
    for size in _TRIED:
        arrays = []
        for spec in session.inputs:
            shape = [2] + [d if isinstance(d, int) and d >= 0 else size for d in spec.shape[1:]]
            dtype = dtypes.to_numpy(spec.dtype)
            values = rng.normal(size=shape) if dtype.kind in "fV" else rng.integers(0, 2, shape)
            arrays.append(values.astype(dtype))
        try:
            for rows in (2, 1):
                session.check([a[:rows] for a in arrays])
            return arrays
        except ValueError:
            continue
    return None
