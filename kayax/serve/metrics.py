"""What Prometheus is told."""
from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The metrics of one served model, in a registry of their own."""

    def __init__(self, model: str):
        self.registry = CollectorRegistry()

        def make(kind: type, name: str, text: str, labels: tuple = (), **more: object):
            metric = kind(f"kayax_{name}", text, ("model", *labels), registry=self.registry, **more)
            return metric if labels else metric.labels(model)

        self.requests = make(Counter, "requests", "Inference requests by status (499: the client left)", ("status",))
        self.seconds = make(Histogram, "request_seconds", "Time to answer an inference request", buckets=_SECONDS)
        self.rows = make(Histogram, "batch_rows", "Rows of a batch that ran", buckets=_ROWS)
        self.queued = make(Gauge, "queued_requests", "Requests that wait for a worker")
        self.programs = make(Gauge, "compiled_programs", "Combinations of shapes that are compiled")
        self.compiling = make(Gauge, "compile_seconds", "Time spent on compiling so far")
        self._model = model

    def answered(self, status: int, seconds: float) -> None:
        self.requests.labels(self._model, str(status)).inc()
        self.seconds.observe(seconds)

    def text(self) -> bytes:
        """In Prometheus's text format."""
        return generate_latest(self.registry)
