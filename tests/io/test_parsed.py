"""Programs that are not known are parsed by another process first, once; those that were saved here are known."""
import subprocess
import sys

import numpy as np
import pytest

import kayax as paddle
from kayax.io import parsed
from kayax.io.model_format import ModelFileError, load_set, save_set
from kayax.io.session import Session
from kayax.static import InputSpec


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A saved model, in a world that does not know its programs yet: the prefix and the list of children's inputs."""
    net = paddle.nn.Linear(3, 2)
    paddle.jit.save(net, tmp_path / "net", [InputSpec([None, 3])], trainable=False)
    monkeypatch.setenv("KAYAX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(parsed, "_known", set())
    started = []
    monkeypatch.setattr(subprocess, "run", lambda *args, real=subprocess.run, **options: (
        started.append(options["input"]), real(*args, **options))[1])
    return net, tmp_path / "net", started


def test_a_strange_model_is_parsed_apart_once(model, monkeypatch):
    net, prefix, started = model
    x = paddle.ones([2, 3])
    for _ in range(2):
        loaded = paddle.jit.load(prefix)
        assert len(loaded.parameters()) == 2 and len(started) < 2
        np.testing.assert_array_equal(loaded(x).numpy(), net(x).numpy())
    assert len(started) == 1
    monkeypatch.setattr(parsed, "_known", set())             # a later process
    Session(prefix)
    assert len(started) == 1
    monkeypatch.setattr(parsed, "_known", set())
    monkeypatch.setenv("KAYAX_CACHE", "/dev/null")           # nothing can be kept there
    Session(prefix)
    assert len(started) == 2


def test_what_is_saved_or_vouched_for_is_known(model, monkeypatch):
    _, prefix, started = model
    Session(prefix, digest=load_set(prefix)[".pdmodel"].set_id)
    paddle.jit.save(paddle.nn.Linear(4, 2), prefix, [InputSpec([None, 4])])
    monkeypatch.setattr(parsed, "_known", set())
    paddle.jit.load(prefix)(paddle.ones([1, 4]))
    assert not started


def test_a_program_that_kills_the_parser(model, monkeypatch):
    _, prefix, started = model
    monkeypatch.setattr(parsed, "_CHILD", "import os; os.abort()")
    loaded = paddle.jit.load(prefix)
    for use in (loaded.program, lambda: loaded(paddle.ones([1, 3])), lambda: Session(prefix)):
        with pytest.raises(ModelFileError, match=r"makes XLA's parser fail .*Do not use this file"):
            use()
    assert len(started) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits this memory of a process")
def test_a_program_that_would_take_all_memory(model, monkeypatch):
    _, prefix, _ = model
    greedy = parsed._CHILD.replace("for size in sizes:", "for size in [bytearray(1 << 40)]:")
    monkeypatch.setattr(parsed, "_CHILD", greedy)
    with pytest.raises(ModelFileError, match="parser fail .*MemoryError"):
        Session(prefix)


def test_a_program_that_is_none(model):
    _, prefix, _ = model
    parts = load_set(prefix)
    function = parts[".pdmodel"].functions["any"]
    # The magic number of the StableHLO inside, after which the digests are made to fit again.
    function.programs["predict"] = function.programs["predict"].replace(b"ML\xefR", b"none", 1)
    save_set(prefix, {k: dict(v) if k == ".pdiparams" else v for k, v in parts.items()})
    with pytest.raises(ModelFileError, match="cannot be parsed"):
        paddle.jit.load(prefix)(paddle.ones([1, 3]))


def test_the_file_of_digests_begins_anew(model, monkeypatch, tmp_path):
    monkeypatch.setattr(parsed, "_MOST_KEYS", 3)
    keys = [bytes([i]) * 32 for i in range(5)]
    for key in keys:
        parsed._keep(key)
    assert parsed._kept() == {*keys[3:]}
    (tmp_path / "cache" / "parsed_programs").write_bytes(b"cut")
    parsed._keep(keys[0])
    assert parsed._kept() == {keys[0]}
