"""Worker processes, kept warm: a DataLoader that ends leaves its workers to the next one.

They are started from a file of their own, never forked (JAX runs threads) and never importing the user's script again,
so a script needs no ``if __name__ == "__main__"``. A worker that has had nothing to do for a minute is stopped.
"""
from __future__ import annotations

import atexit
import contextlib
import itertools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import reduction
from pathlib import Path
from typing import Any

from kayax.io.worker_memory import Arena, anonymous_file

IDLE_SECONDS = 60.0
_ACKNOWLEDGE_SECONDS = 0.2      # less than starting another worker takes
_ONE_THREAD = {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
               "NUMEXPR_NUM_THREADS": "1", "NPROC": "1", "PJRT_NPROC": "1"}      # the last two are XLA's

numbers = itertools.count(1)    # of epochs and sessions: each message between processes carries one


class WorkerDied(RuntimeError):
    """A worker process ended while it was needed."""


class WorkerProcess:
    """One process, the link to it, and the memory that it writes batches to."""

    def __init__(self) -> None:
        self.link, theirs = multiprocessing.Pipe(duplex=True)
        self.arena = Arena(anonymous_file())
        self.idle_since: float | None = None
        self._ending = 0
        descriptors = (theirs.fileno(), self.arena.descriptor)
        boot = Path(__file__).with_name("worker_boot.py")
        self.process = subprocess.Popen(
            [sys.executable, *(f"-W{option}" for option in sys.warnoptions), "-P", str(boot), *map(str, descriptors)],
            pass_fds=descriptors, stdin=subprocess.DEVNULL, env={**os.environ, **_ONE_THREAD}, process_group=0)
        theirs.close()
        self.pid = self.process.pid
        packages = {name: (module.__file__, list(module.__path__))
                    for name in ("kayax", "kayax.io") if (module := sys.modules[name])}
        self.send({"sys_path": sys.path, "argv": sys.argv, "packages": packages})
        _running.add(self)

    def send(self, message: Any, descriptor: int | None = None) -> None:
        """Send a message, and a file descriptor after it. Never waits for long: the worker always listens."""
        try:
            self.link.send(message)
            if descriptor is not None:
                reduction.send_handle(self.link, descriptor, self.pid)
        except OSError:
            raise WorkerDied from None

    def receive(self) -> tuple[int, int, str, Any, Any]:
        """The next message: its number, the index of the batch, its kind, content, and places in shared memory."""
        try:
            return pickle.loads(self.link.recv_bytes())
        except (EOFError, OSError):
            raise WorkerDied from None

    def end(self) -> None:
        """Tell the worker to let go of its dataset."""
        self._ending = next(numbers)
        self.arena.forget()
        self.send(("end", self._ending))

    def is_free(self, patience: float) -> bool:
        """Whether the worker lives and has said that it let go."""
        if self.process.poll() is not None:
            raise WorkerDied
        while self.link.poll(patience):
            number, _, kind, _, _ = self.receive()
            if kind == "ended" and number == self._ending:
                return True
        return False

    def how_it_ended(self) -> str:
        """Its exit code, in words."""
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its connection but still runs"
        if code >= 0:
            return f"exited with code {code}"
        with contextlib.suppress(ValueError):
            hint = " (the system may have run out of memory)" if -code == signal.SIGKILL else ""
            return f"was killed by signal {signal.Signals(-code).name} (exit code {code}){hint}"
        return f"was killed by signal {-code} (exit code {code})"

    def hang_up(self) -> None:
        """Close the link, at which the worker ends by itself."""
        _running.discard(self)
        with contextlib.suppress(OSError):
            self.link.close()

    def stop(self, patience: float = 1.0) -> None:
        """End the process, by force if it does not listen."""
        self.hang_up()
        try:
            self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            self.arena.close()


_running: set[WorkerProcess] = set()
_idle: list[WorkerProcess] = []
_lock = threading.RLock()         # a finalizer may come in anywhere, also while it is held
_reaper: threading.Timer | None = None


def acquire(count: int) -> list[WorkerProcess]:
    """This many workers: warm ones as far as there are."""
    with _lock:
        waiting = _idle[::-1]
        _idle.clear()
    taken: list[WorkerProcess] = []
    deadline = time.monotonic() + _ACKNOWLEDGE_SECONDS
    for worker in waiting:
        try:
            if len(taken) < count and worker.is_free(max(deadline - time.monotonic(), 0)):
                taken.append(worker)
            else:
                with _lock:
                    _idle.append(worker)
        except WorkerDied:
            worker.stop(0)
    return taken + [WorkerProcess() for _ in range(count - len(taken))]


def release(workers: list[WorkerProcess]) -> None:
    """Leave workers to whoever needs some next; those that died are put away."""
    global _reaper
    for worker in workers:
        if worker not in _running:
            continue
        try:
            worker.end()
        except WorkerDied:
            worker.stop(0)
            continue
        worker.idle_since = time.monotonic()
        with _lock:
            _idle.append(worker)
    with _lock:
        if _idle and _reaper is None:
            _reaper = _start_timer()


def _start_timer() -> threading.Timer:
    timer = threading.Timer(IDLE_SECONDS / 2, _reap)
    timer.daemon = True
    timer.start()
    return timer


def _reap() -> None:
    """Stop the workers that have been idle for too long, and look again later if there are others."""
    global _reaper
    with _lock:
        now = time.monotonic()
        old = [worker for worker in _idle if now - (worker.idle_since or now) >= IDLE_SECONDS]
        _idle[:] = [worker for worker in _idle if worker not in old]
        _reaper = _start_timer() if _idle else None
    for worker in old:
        worker.stop()


@atexit.register
def stop_all() -> None:
    """Stop every worker process of this process, idle or not."""
    with _lock:
        _idle.clear()
        workers = list(_running)
    for worker in workers:
        worker.hang_up()
    for worker in workers:
        worker.stop()


def _forget() -> None:
    """In a forked child: the workers are the parent's."""
    global _lock, _reaper
    _lock, _reaper = threading.RLock(), None
    for worker in _running:
        worker.process.returncode = 0
    _running.clear()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
