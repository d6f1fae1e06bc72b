"""``paddle.profiler`` on `jax.profiler`: traces for TensorBoard and chrome://tracing, summaries, times of steps."""
from kayax.profiler.kinds import ProfilerState, ProfilerTarget, SortedKeys, SummaryView
from kayax.profiler.profiler import (
    Profiler,
    RecordEvent,
    export_chrome_tracing,
    export_protobuf,
    load_profiler_result,
    make_scheduler,
)

__all__ = ["Profiler", "ProfilerState", "ProfilerTarget", "RecordEvent", "SortedKeys", "SummaryView",
           "export_chrome_tracing", "export_protobuf", "load_profiler_result", "make_scheduler"]
