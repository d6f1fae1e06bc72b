"""Programs as bytes and files: what comes back computes and trains as what was written."""
import copy
import gc
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from static_cases import batch, build, numbers

import kayax as paddle
from kayax import static
from kayax.io import graph_file
from kayax.io.container import ModelFileError, frame, pack, read_body
from kayax.static.serialize import program_bytes

PADDLES = Path(__file__).parents[1] / "io" / "data" / "paddle"


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


def every_kind():
    """A program with open dims, statistics, a branch, a loop, slices, random numbers and an optimizer."""
    main, startup = static.Program(), static.Program()
    with static.program_guard(main, startup):
        x, y = static.data("x", [None, 4], "float32"), static.data("y", [None, 1], "int64")
        hidden = static.nn.batch_norm(paddle.nn.functional.dropout(static.nn.fc(x, 5, activation="relu"), 0.0))
        chosen = static.nn.cond(hidden.sum() > 0, lambda: hidden * 2, lambda: hidden - 1)
        total = static.nn.while_loop(lambda i, s: i < 3, lambda i, s: [i + 1, s + chosen],
                                     [paddle.full([1], 0, "int64"), chosen])[1]
        out = static.nn.fc(total[:, 0:5], 3) + paddle.zeros([x.shape[0], 1]) + paddle.to_tensor(np.float32([0.5]))
        loss = paddle.nn.functional.cross_entropy(out, y).mean()
        schedule = paddle.optimizer.lr.StepDecay(0.1, 2)
        paddle.optimizer.Adam(schedule, weight_decay=paddle.regularizer.L2Decay(0.01),
                              grad_clip=paddle.nn.ClipGradByNorm(1.0)).minimize(loss)
    exe = static.Executor()
    exe.run(startup)
    return main, startup, exe, out, loss


FEED = {"x": numbers(1, 3, 4), "y": np.int64([[0], [1], [2]])}
ANOTHER_PROCESS = """
import sys
import numpy as np
import kayax as paddle
from kayax import static
paddle.enable_static()
folder, name = sys.argv[1:]
given = np.load(folder + "/feed.npz")
startup, main = paddle.load(folder + "/startup"), paddle.load(folder + "/main.pdmodel")
exe = static.Executor()
try:
    exe.run(main, feed=dict(given), fetch_list=[name])
except RuntimeError as error:
    assert "no value yet" in str(error)
exe.run(startup)
assert np.isfinite(exe.run(main, feed=dict(given), fetch_list=[name])[0])
static.load(main, folder + "/main")
np.save(folder + "/found.npy", [exe.run(main, feed=dict(given), fetch_list=[name])[0] for _ in range(3)])
"""


def test_a_training_program_goes_on_in_another_process(tmp_path):
    main, startup, exe, _, loss = every_kind()
    exe.run(main, feed=FEED, fetch_list=[loss])                                # the optimizer has a state now
    static.save(main, str(tmp_path / "main"))
    paddle.save(startup, str(tmp_path / "startup"))
    np.savez(tmp_path / "feed.npz", **FEED)
    wanted = [exe.run(main, feed=FEED, fetch_list=[loss])[0] for _ in range(3)]
    subprocess.run([sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path), loss.name], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), wanted, rtol=1e-5)


def test_a_loaded_program_is_the_same_one(tmp_path):
    main, _, exe, out, _ = every_kind()
    paddle.save(main, str(tmp_path / "main.pdmodel"))
    into = io.BytesIO()
    paddle.save(main, into)
    into.seek(0)
    for loaded in (paddle.load(str(tmp_path / "main.pdmodel")), paddle.load(into)):
        assert isinstance(loaded, static.Program)
        assert [op.type for op in loaded.ops] == [op.type for op in main.ops]
        assert [p.name for p in loaded.all_parameters()] == [p.name for p in main.all_parameters()]
        assert list(map(repr, loaded.list_vars())) == list(map(repr, main.list_vars()))
        test = [p.clone(for_test=True) for p in (main, loaded)]     # parameters of a name have one value
        first, second = (exe.run(p, feed=FEED, fetch_list=[out.name])[0] for p in test)
        np.testing.assert_array_equal(first, second)
    with static.program_guard(loaded):                              # it can be added to
        twice = loaded.var(out.name) * 2
    np.testing.assert_allclose(exe.run(loaded.clone(for_test=True), feed=FEED, fetch_list=[twice])[0], first * 2)


def test_bytes_of_what_predicts(tmp_path):
    main, exe, (x, _), out, _ = build(paddle)
    with static.program_guard(main):
        program, values = (f([x], [out]) for f in (
            static.serialize_program, lambda *a: static.serialize_persistables(*a, exe)))
    static.save_to_file(str(tmp_path / "program"), program)
    wanted = exe.run(main, feed=batch(0), fetch_list=[out])[0]
    for parameter in main.all_parameters():
        parameter.set_value(np.zeros(parameter.shape, "float32"))
    loaded = static.deserialize_program(static.load_from_file(str(tmp_path / "program")))
    static.deserialize_persistables(loaded, values, exe)
    feed = {"x": batch(0)["x"]}
    np.testing.assert_array_equal(exe.run(loaded, feed=feed)[0], wanted)
    np.testing.assert_array_equal(exe.run(loaded, feed=feed, fetch_list=["fetch_name_0"])[0], wanted)
    assert set(loaded.global_block().vars) >= {"x", out.name}
    nothing = io.BytesIO()
    paddle.save({"other": np.zeros(1)}, nothing)
    with pytest.raises(ValueError, match="bytes"):
        static.save_to_file(str(tmp_path / "text"), "text")
    with pytest.raises(ValueError, match="no value for"):
        static.deserialize_persistables(loaded, nothing.getvalue(), exe)


@pytest.mark.filterwarnings("ignore:The program has no parameters")
def test_what_cannot_be_bytes_is_said():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2], "float32")
        y = static.py_func(lambda a: a.numpy() * 2, x, main.create_var("out", [2], "float32"))
        assert static.serialize_persistables([x], [x * 2], static.Executor()) is None
    with pytest.raises(TypeError, match="file cannot hold"):
        paddle.save(main, io.BytesIO())
    for wrong in ((3, [y]), ([x], "y")):
        with pytest.raises(TypeError, match="variable"):
            static.normalize_program(main, *wrong)
    with pytest.raises(TypeError, match="Program"):
        static.normalize_program(None, [x], [y])
    with pytest.raises(ValueError, match="empty"):
        static.normalize_program(static.Program(), [x], [y])


@pytest.mark.parametrize("name", ["net.json", "flow2.pdmodel"])
def test_bytes_that_paddle_wrote(name):
    exe, prefix = static.Executor(), str(PADDLES / name.partition(".")[0])
    loaded = static.deserialize_program((PADDLES / name).read_bytes())
    static.deserialize_persistables(loaded, Path(prefix + ".pdiparams").read_bytes(), exe)
    other, names, targets = static.load_inference_model(prefix, exe)
    gc.collect()                                                    # the program alone holds what it runs
    feed = {n: np.ones([d if isinstance(d, int) else 2 for d in other.var(n).shape], other.var(n).dtype.numpy)
            for n in names}
    for found, wanted in zip(exe.run(loaded, feed=feed), exe.run(other, feed=feed, fetch_list=targets), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_damaged_bytes_are_refused():
    main, *_ = build(paddle)
    with static.program_guard(main):
        good = static.serialize_program([main.var("x")], [main.ops[-3].results()[0]])
    for at in range(0, len(good), 97):
        bad = bytearray(good)
        bad[at] ^= 255
        with pytest.raises(ValueError):
            static.deserialize_program(bytes(bad))
        with pytest.raises(ValueError):
            static.deserialize_program(good[:at])
    from kayax.io.container import frame, pack, unpack
    for fn in (["staged", "os", "system"], ["staged", "kayax.static.extras", "_on_host"], ["op", "os", "relu"],
               ["own", "", "Block"], ["op", "kayax.__main__", "relu"]):
        body = unpack(good[64:], "bytes")
        body["instructions"][0]["fn"] = fn
        body = pack(body)
        with pytest.raises(ModelFileError, match="no program"):
            static.deserialize_program(frame(b"KXGRAPH\0", body) + body)


WRONG = [None, -1, 2**40, "", "..", b"", [], {}, ["tensor", 999], ["dim", "a*b+("], ["block", [], [], [], {}],
         ["slice", [1]], ["object", "kayax.layers.optimizer.algorithms", "Adam", []], ["staged", "os", "system"]]


def places(value, path=()):
    """The path of every part of nested lists and dicts."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


def test_bytes_that_lie_under_a_fitting_digest_are_refused_or_read():
    """Whatever a part is exchanged for: one kind of error, or a program."""
    content, random = program_bytes(every_kind()[0]), np.random.RandomState(4)
    body = read_body(io.BytesIO(content), "", graph_file.MAGIC, 1 << 30, exact=True)
    paths, refused = list(places(body)), 0
    nested = 1
    for _ in range(200):
        nested = ["list", [nested]]
    for i in range(300):
        lying = copy.deepcopy(body)
        *where, last = paths[random.randint(len(paths))] if i else ("facts",)
        part = lying
        for key in where:
            part = part[key]
        part[last] = WRONG[random.randint(len(WRONG))] if i else nested
        packed = pack(lying)
        try:
            assert isinstance(paddle.load(io.BytesIO(frame(graph_file.MAGIC, packed) + packed)), static.Program)
        except ModelFileError:
            refused += 1
    assert 100 < refused < 300
