"""The high-level API: against what real Paddle printed and computed, and against the same network run eagerly."""
import json
import random
import struct
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from hapi_cases import CASES, data, model, network, run, values

import kayax as paddle
from kayax import nn

RECORDED = json.loads((Path(__file__).parent / "reference" / "hapi.json").read_text(encoding="utf-8"))


def check(found, wanted, where=""):
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), where
        for key in wanted:
            check(found[key], wanted[key], f"{where}.{key}")
    elif isinstance(wanted, str) or (isinstance(wanted, list) and any(isinstance(w, str) for w in wanted)):
        assert found == wanted, where
    else:
        np.testing.assert_allclose(np.hstack([np.ravel(v) for v in found]) if isinstance(found, list) else found,
                                   np.hstack([np.ravel(v) for v in wanted]) if isinstance(wanted, list) else wanted,
                                   rtol=2e-4, atol=2e-5, err_msg=where)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_real_paddle(case):
    check(run(case, paddle), RECORDED[case.__name__])


class Halved(nn.Layer):
    """Looks at a value in the middle, which no program can do."""

    def __init__(self):
        super().__init__()
        self.net = network(paddle)

    def forward(self, x):
        y = self.net(x)
        return y * (0.5 if float(y.numpy().max()) > 1e9 else 1.0)


def test_a_network_that_cannot_be_converted_runs_eagerly_with_the_same_values():
    first, second = model(paddle), paddle.Model(Halved())
    second.prepare(paddle.optimizer.Adam(0.05, parameters=second.parameters()), nn.CrossEntropyLoss(),
                   paddle.metric.Accuracy((1, 2)))
    first.fit(data(paddle, 8), batch_size=4, verbose=0)
    with pytest.warns(UserWarning, match=r"(?s)runs eagerly.*y\.numpy\(\)"):
        second.fit(data(paddle, 8), batch_size=4, verbose=0)
    check(values(second), values(first))


def test_a_forward_that_is_not_to_be_converted_is_left_alone():
    class Marked(Halved):           # as in Paddle, the mark is the function's: every Marked has it
        def forward(self, x):
            return x * float(x.numpy().max())

    made = paddle.Model(Marked())
    made.network.forward = paddle.jit.not_to_static(made.network.forward)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.predict_batch([np.zeros([2, 4], "float32")])


class Jittered(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = network(paddle)

    def forward(self, x):
        return self.net(x) * random.random() + float(np.random.rand())


def test_pythons_random_numbers_differ_from_batch_to_batch():
    made = paddle.Model(Jittered())
    random.seed(3)
    np.random.seed(3)
    with pytest.warns(UserWarning, match="draws from the generators"):
        found = [made.predict_batch([np.ones([2, 4], "float32")])[0] for _ in range(2)]
    random.seed(3)
    np.random.seed(3)
    plain = network(paddle)(paddle.ones([2, 4])).numpy()
    for each in found:
        np.testing.assert_allclose(each, plain * np.float32(random.random()) + np.float32(np.random.rand()), rtol=1e-5)


class OnTheHost(paddle.metric.Metric):
    """A metric whose `compute` is NumPy."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def compute(self, pred, label):
        return (pred.numpy().argmax(1) == label.numpy()[:, 0]).mean()

    def update(self, value):
        self.seen.append(float(value))
        return self.seen[-1]

    def accumulate(self):
        return sum(self.seen) / len(self.seen)

    def reset(self):
        self.seen.clear()

    def name(self):
        return "host"


def test_a_metric_that_cannot_be_converted_is_computed_from_the_outputs():
    made = paddle.Model(network(paddle))
    made.prepare(paddle.optimizer.SGD(0.0, parameters=made.parameters()), nn.CrossEntropyLoss(), OnTheHost())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.fit(data(paddle, 8), batch_size=4, verbose=0)
    found = made.evaluate(data(paddle, 8), batch_size=4, verbose=0)
    batch = data(paddle, 8)
    pred = network(paddle)(paddle.to_tensor(batch.x)).numpy().argmax(1)
    assert found["host"] == (pred == batch.y[:, 0]).mean()


SCALE = 1.0


def scaled_loss(pred, label):
    return nn.functional.cross_entropy(pred, label) * SCALE


def test_a_global_that_the_loss_names_is_noticed(monkeypatch):
    made = paddle.Model(network(paddle))
    made.prepare(paddle.optimizer.SGD(0.0, parameters=made.parameters()), scaled_loss)
    batch = data(paddle, 8)
    once = made.train_batch([batch.x], [batch.y])[0]
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 3.0)
    np.testing.assert_allclose(made.train_batch([batch.x], [batch.y])[0], 3 * once, rtol=1e-6)


def test_mixed_precision_and_its_files(tmp_path):
    made = paddle.Model(network(paddle))
    made.prepare(paddle.optimizer.AdamW(0.05, parameters=made.parameters()), nn.CrossEntropyLoss(),
                 amp_configs={"level": "O1", "dtype": "bfloat16", "init_loss_scaling": 8.0, "incr_every_n_steps": 1})
    batch = data(paddle, 8)
    losses = [float(made.train_batch([batch.x], [batch.y])[0]) for _ in range(3)]
    assert losses[2] < losses[0]
    made.save(str(tmp_path / "m"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.pdopt", "m.pdparams", "m.pdscaler"]
    other = paddle.Model(network(paddle))
    other.network[0].weight.set_value(np.zeros([4, 6], "float32"))
    other.prepare(paddle.optimizer.AdamW(0.05, parameters=other.parameters()), nn.CrossEntropyLoss(), amp_configs="O1")
    other.load(str(tmp_path / "m.pdparams"))
    check(values(other), values(made))
    assert other._precision.scaler.state_dict()["scale"] == 64.0


def test_loading_what_does_not_fit(tmp_path):
    model(paddle).save(str(tmp_path / "m"))
    other = paddle.Model(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)))
    with pytest.raises(ValueError, match=r"2.weight has the shape \[6, 3\] in the file, but \[6, 2\]"):
        other.load(str(tmp_path / "m"))
    with pytest.warns(UserWarning, match="It is skipped"):
        other.load(str(tmp_path / "m"), skip_mismatch=True)
    check(values(other)[0], values(model(paddle))[0])
    with pytest.raises(AssertionError, match="no file"):
        other.load(str(tmp_path / "nothing"))


def test_the_program_is_saved_for_the_inputs_given_or_seen(tmp_path):
    made = paddle.Model(network(paddle), paddle.static.InputSpec([None, 4], "float32", "x"))
    x = data(paddle, 8).x
    made.save(str(tmp_path / "program"), training=False)
    np.testing.assert_allclose(paddle.jit.load(str(tmp_path / "program"))(paddle.to_tensor(x)).numpy(),
                               made.predict_batch([x])[0], rtol=1e-5)
    unseen = paddle.Model(network(paddle))
    with pytest.raises(RuntimeError, match="InputSpecs"):
        unseen.save(str(tmp_path / "other"), training=False)


def test_what_is_missing_or_wrong_is_said():
    made = paddle.Model(network(paddle))
    with pytest.raises(AssertionError, match="prepare"):
        made.train_batch([np.zeros([2, 4], "float32")])
    with pytest.raises(TypeError, match="loss"):
        made.prepare(loss=3)
    with pytest.raises(AssertionError, match="Metric"):
        made.prepare(metrics=[len])
    with pytest.raises(ValueError, match="level"):
        made.prepare(amp_configs="O3")
    with pytest.raises(ValueError, match="names"):
        paddle.Model(network(paddle), paddle.static.InputSpec([None, 4]))
    with pytest.raises(ValueError, match="both"):
        paddle.callbacks.LRScheduler(True, True)
    with pytest.raises(ValueError, match="below 1"):
        paddle.callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="eval_data"):
        model(paddle).fit(data(paddle, 4), batch_size=4, verbose=0, callbacks=paddle.callbacks.EarlyStopping())


def records(path):
    """The events of a file, by the numbers of their fields."""
    raw, at, found = path.read_bytes(), 0, []
    while at < len(raw):
        length, = struct.unpack_from("<Q", raw, at)
        found.append(fields(raw[at + 12:at + 12 + length]))
        at += length + 16
    return found


def fields(raw):
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(raw):
        number, kind = divmod(varint(), 8)
        size = {0: 0, 1: 8, 5: 4}.get(kind)
        if kind == 0:
            found[number] = varint()
            continue
        size = varint() if size is None else size
        found[number] = raw[at:at + size]
        at += size
    return found


def test_curves_for_tensorboard_and_wandb(tmp_path, monkeypatch):
    logged = []
    runner = types.SimpleNamespace(define_metric=lambda *a, **k: None, log=logged.append, finish=lambda: None)
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(run=None, init=lambda **kwargs: runner))
    made = model(paddle)
    made.fit(data(paddle, 8), data(paddle, 8), batch_size=4, epochs=2, verbose=0,
             callbacks=[paddle.callbacks.VisualDL(str(tmp_path)), paddle.callbacks.WandbCallback(project="p")])
    file, = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    first, *rest = records(file)
    assert first[3] == b"brain.Event:2"
    curves = {}
    for event in rest:
        scalar = fields(fields(event[5])[1])
        curves.setdefault(scalar[1].decode(), []).append((event[2], struct.unpack("<f", scalar[2])[0]))
    assert [step for step, _ in curves["train/loss"]] == [1, 2, 3, 4]
    assert [step for step, _ in curves["eval/acc_top1"]] == [0, 1]
    evaluated = made.evaluate(data(paddle, 8), batch_size=4, verbose=0)
    np.testing.assert_allclose(curves["eval/loss"][-1][1], evaluated["loss"][0], rtol=1e-6)
    batch = ["train/acc_top1", "train/acc_top2", "train/loss", "train/step"]
    epoch = [batch, batch, ["epoch", "eval/acc_top1", "eval/acc_top2", "eval/loss"]]
    assert [sorted(entry) for entry in logged] == epoch * 2
    assert [entry["train/loss"] for entry in logged if "train/loss" in entry] == pytest.approx(
        [value for _, value in curves["train/loss"]])
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match="kayax"):
        paddle.callbacks.WandbCallback()


def test_checksums_of_event_files():
    from kayax.hapi.event_file import _masked_crc
    crc = 0xE3069283                                            # CRC-32C of this text, as RFC 3720 defines it
    assert _masked_crc(b"123456789") == struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_static_mode_makes_no_difference():
    batch = data(paddle, 8)
    wanted = model(paddle).train_batch([batch.x], [batch.y])
    paddle.enable_static()
    try:
        made = model(paddle)
        found = made.train_batch([batch.x], [batch.y])
        assert not paddle.in_dynamic_mode()
    finally:
        paddle.disable_static()
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)


def test_data_of_any_form():
    batch = data(paddle, 8)
    loaders = [[([batch.x], [batch.y])], [{"a": batch.x, "b": batch.y}], paddle.io.DataLoader(batch, batch_size=8)]
    made = model(paddle)
    results = [made.evaluate(loader, verbose=0) for loader in loaders]
    assert results[0] == results[1] == results[2]
