"""A recording: the events of a trace, as chrome://tracing has them, and the same in XLA's format."""
from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from kayax.profiler.kinds import SortedKeys

_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}           # microseconds in one
_COLUMNS = ("Calls", "Total", "Avg", "Max", "Min")
_KEYS = {"Total": 1, "Avg": 2, "Max": 3, "Min": 4}              # the columns that SortedKeys name


class Recording:
    """Events: for each its name, its begin and duration in microseconds, and its process and thread."""

    def __init__(self, trace: dict[str, Any], xspace: bytes | None = None):
        self.trace, self._xspace = trace, xspace

    @staticmethod
    def collect(folder: str) -> Recording:
        """What `jax.profiler` left in a folder."""
        traces = sorted(Path(folder).rglob("*.trace.json.gz"))
        spaces = sorted(Path(folder).rglob("*.xplane.pb"))
        if not traces or not spaces:
            raise RuntimeError("The profiler wrote no trace. Another profiler may be running in this process.")
        return Recording(json.loads(gzip.decompress(traces[-1].read_bytes())), spaces[-1].read_bytes())

    @staticmethod
    def load(path: str) -> Recording:
        """A recording that was saved as "json"."""
        return Recording(json.loads(Path(path).read_text(encoding="utf-8")))

    def save(self, path: str, format: str = "json") -> None:
        """Write it: "json" for chrome://tracing, "pb" in XLA's format (XSpace)."""
        if format == "json":
            Path(path).write_text(json.dumps(self.trace), encoding="utf-8")
        elif format == "pb":
            if self._xspace is None:
                raise ValueError("A recording that was loaded from JSON cannot be written as 'pb'.")
            Path(path).write_bytes(self._xspace)
        else:
            raise ValueError(f"format must be 'json' or 'pb', but got {format!r}.")

    def events(self) -> list[dict[str, Any]]:
        """All events with a duration."""
        return [e for e in self.trace["traceEvents"] if e.get("ph") == "X" and e.get("name")]

    def table(self, sorted_by: SortedKeys = SortedKeys.CPUTotal, time_unit: str = "ms", by_thread: bool = False) -> str:
        """The events by name, as text."""
        if time_unit not in _UNITS:
            raise ValueError(f"time_unit must be one of {', '.join(_UNITS)}, but got {time_unit!r}.")
        groups: dict[Any, list[dict[str, Any]]] = {}
        for event in self.events():
            groups.setdefault((event["pid"], event.get("tid")) if by_thread else None, []).append(event)
        column = _KEYS[sorted_by.name[3:]]
        return "\n\n".join(_table(events, column, time_unit, key) for key, events in groups.items())


def _table(events: list[dict[str, Any]], column: int, unit: str, thread: Any) -> str:
    durations: dict[str, list[float]] = {}
    for event in events:
        durations.setdefault(event["name"], []).append(event.get("dur", 0.0) / _UNITS[unit])
    rows = [(name, len(d), sum(d), sum(d) / len(d), max(d), min(d)) for name, d in durations.items()]
    rows.sort(key=lambda row: row[column + 1], reverse=True)
    cells = [("Name", *_COLUMNS), *((n[:60], str(c), *(f"{t:.3f}" for t in times)) for n, c, *times in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
             for row in cells]
    title = f"Times in {unit}" + (f", thread {thread[1]}" if thread else "")
    return "\n".join([title, lines[0], "-" * len(lines[0]), *lines[1:]])
