"""The profiler: a schedule of steps to record, and what comes of a recording."""
from __future__ import annotations

import datetime
import os
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax

from kayax.profiler.kinds import ProfilerState, ProfilerTarget, SortedKeys
from kayax.profiler.recording import Recording

_RECORDING = (ProfilerState.RECORD, ProfilerState.RECORD_AND_RETURN)


class RecordEvent:
    """Gives a part of the program a name in the trace: a context, or `begin` and `end`."""

    def __init__(self, name: str, event_type: Any = None):
        self.name, self.event_type = name, event_type
        self._annotation: Any = None

    def begin(self) -> None:
        """The part begins."""
        self._annotation = jax.profiler.TraceAnnotation(self.name)
        self._annotation.__enter__()

    def end(self) -> None:
        """The part ends."""
        if self._annotation is not None:
            self._annotation.__exit__(None, None, None)
            self._annotation = None

    def __enter__(self) -> RecordEvent:
        self.begin()
        return self

    def __exit__(self, *_: Any) -> None:
        self.end()


def make_scheduler(*, closed: int, ready: int, record: int, repeat: int = 0,
                   skip_first: int = 0) -> Callable[[int], ProfilerState]:
    """A schedule in rounds: `closed` steps of nothing, `ready` of warming up, `record` recorded ones.

    repeat: how many rounds, 0 for no end. skip_first: steps before the first.
    """
    if closed < 0 or ready < 0 or record <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError("make_scheduler needs record above 0 and the others at least 0, but got "
                             f"{closed=}, {ready=}, {record=}, {repeat=}, {skip_first=}.")
    length = closed + ready + record

    def state(step: int) -> ProfilerState:
        step -= skip_first
        if step < 0 or (repeat and step // length >= repeat) or step % length < closed:
            return ProfilerState.CLOSED
        place = step % length
        if place < closed + ready:
            return ProfilerState.READY
        return ProfilerState.RECORD_AND_RETURN if place == length - 1 else ProfilerState.RECORD

    return state


def _schedule(given: Any) -> Callable[[int], ProfilerState]:
    if callable(given):
        return given
    if given is None:
        return lambda step: ProfilerState.RECORD
    first, end = given
    if end <= first:
        raise AssertionError(f"A scheduler (first, end) needs end above first, but got {given}.")
    first = max(first, 0)
    return make_scheduler(closed=max(first - 1, 0), ready=min(first, 1), record=end - first, repeat=1)


def export_chrome_tracing(dir_name: str, worker_name: str | None = None) -> Callable[[Profiler], None]:
    """For `on_trace_ready`: write each recording into this folder, for chrome://tracing and Perfetto."""
    return _exporter(dir_name, worker_name, "json")


def export_protobuf(dir_name: str, worker_name: str | None = None) -> Callable[[Profiler], None]:
    """For `on_trace_ready`: write each recording into this folder, in XLA's format (XSpace) for TensorBoard."""
    return _exporter(dir_name, worker_name, "pb")


def _exporter(folder: str, worker: str | None, kind: str) -> Callable[[Profiler], None]:
    os.makedirs(folder, exist_ok=True)
    worker = worker or f"host_{socket.gethostname()}pid_{os.getpid()}"

    def export(profiler: Profiler) -> None:
        now = datetime.datetime.now().strftime("%Y_%m_%d_%H_%M_%S_%f")
        profiler.export(os.path.join(folder, f"{worker}_time_{now}.paddle_trace.{kind}"), kind)

    return export


def load_profiler_result(filename: str) -> Recording:
    """A recording that was exported as "json"."""
    return Recording.load(filename)


class Profiler:
    """Records what the device and the host do during some steps: a context, or `start`, `step` and `stop`.

    targets: accepted; all devices that JAX uses are recorded. scheduler: which steps to record: a pair (first, end), a
        function of the step's number, or None for all. on_trace_ready: called with the profiler after each recording;
        ``export_chrome_tracing("./profiler_log/")`` if None. timer_only: only take the times that `step_info` gives.
        The other arguments are accepted without effect.
    """

    def __init__(self, *, targets: Any = None, scheduler: Any = None,
                 on_trace_ready: Callable[[Profiler], None] | None = None, record_shapes: bool = False,
                 profile_memory: bool = False, timer_only: bool = False, emit_nvtx: bool = False,
                 custom_device_types: Sequence[str] = (), with_flops: bool = False):
        self.targets = set(targets or [ProfilerTarget.CPU])
        self.scheduler = _schedule(scheduler)
        self.on_trace_ready = on_trace_ready
        self.timer_only, self.record_shapes, self.profile_memory = timer_only, record_shapes, profile_memory
        self.with_flops, self.emit_nvtx = with_flops, emit_nvtx
        self.step_num = 0
        self.previous_state, self.current_state = ProfilerState.CLOSED, self.scheduler(0)
        self.profiler_result: Recording | None = None
        self.record_event: RecordEvent | None = None
        self._folder: str | None = None
        self._times: list[float] = []
        self._samples = 0
        self._mark = 0.0

    def __enter__(self) -> Profiler:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Begin with step 0."""
        self._mark = time.perf_counter()
        if not self.timer_only:
            if self.current_state in _RECORDING:
                self._begin()
            self._name_step()

    def step(self, num_samples: int | None = None) -> None:
        """The step is over and the next begins. num_samples: how many it had, for the speed in `step_info`."""
        now = time.perf_counter()
        self._times.append(now - self._mark)
        self._samples += num_samples or 0
        self._mark = now
        self.step_num += 1
        if self.timer_only:
            return
        self._end_step()
        self.previous_state, self.current_state = self.current_state, self.scheduler(self.step_num)
        before, after = self.previous_state, self.current_state
        if before in _RECORDING and (before is ProfilerState.RECORD_AND_RETURN or after not in _RECORDING):
            self._finish(keep=before is ProfilerState.RECORD_AND_RETURN)
        if after in _RECORDING and self._folder is None:
            self._begin()
        self._name_step()

    def stop(self) -> None:
        """End. What is being recorded is complete then."""
        if self.timer_only:
            return
        self._end_step()
        if self._folder is not None:
            self._finish(keep=True)

    def step_info(self, unit: str | None = None) -> str:
        """The average time of the steps since this was last asked, and their speed in `unit` (samples) per second."""
        if not self._times:
            return ""
        each = sum(self._times) / len(self._times)
        speed = f"{self._samples / sum(self._times):.3f} {unit or 'samples'}/s" if self._samples else (
            f"{1 / each:.3f} steps/s")
        self._times, self._samples = [], 0
        return f" batch_cost: {each:.5f} s ips: {speed}"

    def export(self, path: str = "", format: str = "json") -> None:
        """Write the last recording: "json" for chrome://tracing, "pb" in XLA's format."""
        if self.profiler_result is not None:
            self.profiler_result.save(path, format)

    def summary(self, sorted_by: SortedKeys = SortedKeys.CPUTotal, op_detail: bool = True, thread_sep: bool = False,
                time_unit: str = "ms", views: Any = None) -> None:
        """Print the events of the last recording as a table: how often, and how long in total, on average, at most.

        sorted_by, time_unit ("s", "ms", "us", "ns"): as in Paddle. thread_sep: a table for each thread. op_detail,
        views: accepted, there is one table.
        """
        if self.profiler_result is not None:
            print(self.profiler_result.table(sorted_by, time_unit, thread_sep))

    # ---- recording -------------------------------------------------------------------------------------------

    def _name_step(self) -> None:
        self.record_event = RecordEvent(f"ProfileStep#{self.step_num}")
        self.record_event.begin()

    def _end_step(self) -> None:
        if self.record_event is not None:
            self.record_event.end()
            self.record_event = None

    def _begin(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="kayax_profile_")
        jax.profiler.start_trace(self._folder)

    def _finish(self, keep: bool) -> None:
        folder, self._folder = self._folder, None
        assert folder is not None
        jax.profiler.stop_trace()
        if keep:
            self.profiler_result = Recording.collect(folder)
        else:
            warnings.warn("The scheduler ended a recording without RECORD_AND_RETURN: it is dropped.", stacklevel=3)
        shutil.rmtree(folder, ignore_errors=True)
        if keep:
            (self.on_trace_ready or export_chrome_tracing("./profiler_log/"))(self)
