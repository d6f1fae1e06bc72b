"""Models from a folder, weights from a URL; traces, their tables and the times of steps."""
import hashlib
import json

import numpy as np
import pytest

import kayax as paddle
from kayax import profiler


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "parts.py").write_text("SIZE = 3\n")
    (tmp_path / "hubconf.py").write_text(
        "dependencies = ['numpy']\n"
        "import kayax\nfrom parts import SIZE\n\n"
        "def net(out=2):\n    '''A layer.'''\n    return kayax.nn.Linear(SIZE, out)\n")
    return str(tmp_path)


def test_models_of_a_folder(repository):
    assert "net" in paddle.hub.list(repository, source="local")
    assert paddle.hub.help(repository, "net", source="local") == "A layer."
    assert paddle.hub.load(repository, "net", source="local", out=4).weight.shape == [3, 4]
    with pytest.raises(RuntimeError, match="Cannot find callable other"):
        paddle.hub.load(repository, "other", source="local")
    with pytest.raises(NotImplementedError, match="clone"):
        paddle.hub.list("owner/name")
    with pytest.raises(ValueError, match="source"):
        paddle.hub.list(repository, source="web")
    with pytest.raises(RuntimeError, match=r"no hubconf\.py"):
        paddle.hub.list(repository + "/nowhere", source="local")


def test_weights_of_a_url(tmp_path):
    source = tmp_path / "net.pdparams"
    paddle.save({"w": paddle.ones([2])}, str(source))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    kept = str(tmp_path / "cache")
    loaded = paddle.hub.load_state_dict_from_url(source.as_uri(), kept, check_hash=digest[:8])
    np.testing.assert_array_equal(loaded["w"].numpy(), [1, 1])
    source.unlink()
    again = paddle.hub.load_state_dict_from_url(source.as_uri(), kept, map_location="numpy")
    assert isinstance(again["w"], np.ndarray)
    paddle.save({"w": paddle.zeros([2])}, str(source))
    with pytest.raises(RuntimeError, match="SHA-256"):
        paddle.hub.load_state_dict_from_url(source.as_uri(), str(tmp_path / "other"), check_hash="0000")
    assert not list((tmp_path / "other").iterdir())


def test_schedules():
    state = profiler.ProfilerState
    schedule = profiler.make_scheduler(closed=1, ready=1, record=2, repeat=1, skip_first=1)
    assert [schedule(i) for i in range(7)] == [state.CLOSED, state.CLOSED, state.READY, state.RECORD,
                                               state.RECORD_AND_RETURN, state.CLOSED, state.CLOSED]
    with pytest.raises(AssertionError, match="record above 0"):
        profiler.make_scheduler(closed=1, ready=1, record=0)


def test_a_recording(tmp_path, capsys):
    x = paddle.ones([4, 4])
    with profiler.Profiler(scheduler=(1, 3), on_trace_ready=profiler.export_chrome_tracing(str(tmp_path))) as p:
        for _ in range(4):
            with profiler.RecordEvent("the part"):
                (x + x).numpy()
            p.step(num_samples=4)
    assert " batch_cost: " in p.step_info() and p.step_info() == ""
    file, = tmp_path.iterdir()
    names = [e.get("name") for e in json.loads(file.read_text())["traceEvents"]]
    assert names.count("the part") == 2 and "ProfileStep#1" in names
    p.summary(time_unit="us", sorted_by=profiler.SortedKeys.CPUMax)
    assert "the part" in capsys.readouterr().out
    assert len(profiler.load_profiler_result(str(file)).events()) == len(p.profiler_result.events())
    p.export(str(tmp_path / "trace.pb"), "pb")
    assert (tmp_path / "trace.pb").stat().st_size


def test_times_alone():
    p = profiler.Profiler(timer_only=True)
    p.start()
    p.step(num_samples=8)
    p.stop()
    assert "images/s" in p.step_info("images")
