"""What loading a model reads and checks, and when: values are mapped, checked before use, and never written to."""
import threading
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import export

import kayax as paddle
from kayax import nn
from kayax.io import model_format as mf
from kayax.io.load import TranslatedLayer
from kayax.io.model_format import ModelFileError, load_set
from kayax.jit import load, save
from kayax.static import InputSpec


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    prefix = tmp_path_factory.mktemp("saved") / "m"
    save(net, str(prefix), input_spec=[InputSpec([None, 4], "float32", "x")])
    return net, prefix


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the saved files, to be damaged."""
    for path in saved[1].parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / "m"


def damage(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_values_are_not_copied(saved):
    parts = load_set(saved[1])
    loaded = TranslatedLayer(parts)
    for name, parameter in loaded.named_parameters():
        assert np.shares_memory(np.asarray(parameter.array), parts[".pdiparams"].unverified(name)), name


def test_training_leaves_the_file_alone(copied):
    before = {path: path.read_bytes() for path in copied.parent.iterdir()}
    loaded = load(str(copied))
    opt = paddle.optimizer.Momentum(0.1, parameters=loaded.parameters())
    first = loaded.parameters()[0].numpy().copy()

    @paddle.jit.to_static
    def step(x):
        loaded(x).square().sum().backward()
        opt.step()
        opt.clear_grad()

    for _ in range(2):
        step(paddle.ones([3, 4]))
    with paddle.no_grad():
        loaded.parameters()[1].fill_(3.0)
    assert not np.array_equal(loaded.parameters()[0].numpy(), first)
    assert {path: path.read_bytes() for path in copied.parent.iterdir()} == before


def test_a_damaged_value_is_never_used(copied):
    damage(copied.with_name("m.pdiparams"), -1)             # the last array's last byte
    loaded = load(str(copied))
    good, *_, bad = loaded.parameters()
    assert np.isfinite(good.numpy()).all()
    for use in (lambda: loaded(paddle.ones([1, 4])), bad.numpy, lambda: bad + 1, lambda: loaded(paddle.ones([1, 4])),
                lambda: paddle.load(str(copied))[bad.name].numpy()):
        with pytest.raises(ModelFileError, match=r"m\.pdiparams: offset \d+: '1\.\w+': the SHA-256 digest") as caught:
            use()
        assert caught.value.offset > 64
    with paddle.no_grad():                                  # a new value needs no old one
        loaded.set_state_dict({"0.weight": paddle.ones([4, 8])})
    assert loaded.parameters()[0].numpy().min() == 1


def test_the_expected_digest(saved):
    net, prefix = saved
    digest = load_set(prefix)[".pdmodel"].set_id
    np.testing.assert_allclose(load(str(prefix), digest=digest)(paddle.ones([1, 4])).numpy(),
                               net(paddle.ones([1, 4])).numpy(), rtol=1e-5)
    with pytest.raises(ModelFileError, match=f"digest of this model is {digest}, but 0000 is asked for"):
        load(str(prefix), digest="0000")
    with pytest.raises(ValueError, match="no option 'digset'"):
        load(str(prefix), digset=digest)


def test_many_threads_meet_a_fresh_model(saved):
    net, prefix = saved
    loaded, x, results = load(str(prefix)), paddle.ones([2, 4]), []
    start = threading.Barrier(4)

    def run():
        start.wait()
        results.append(loaded(x).numpy())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_allclose(result, net(x).numpy(), rtol=1e-5)


def test_a_program_that_would_run_python_is_refused(copied):
    target = "xla_ffi_python_cpu_callback"
    enter = jax.ffi.ffi_call(target, jax.ShapeDtypeStruct((1, 4), "float32"))
    hostile = jax.jit(lambda x, *weights: (enter(x, index=np.uint64(0)),))
    parts = load_set(copied)
    record = next(iter(parts[".pdmodel"].functions.values()))
    arrays = [jax.ShapeDtypeStruct((1, 4), "float32")]
    arrays += [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in map(parts[".pdiparams"].__getitem__, record.parameters)]
    checks = [export.DisabledSafetyCheck.custom_call(target)]
    record.programs = {"predict": bytes(export.export(hostile, disabled_checks=checks)(*arrays).serialize())}
    record.inputs = [InputSpec([1, 4], "float32", "x")]
    record.metadata = {k: v for k, v in record.metadata.items() if k not in ("sources", "given")}
    mf.save_set(copied, {suffix: dict(part) if isinstance(part, mf.ParamsFile) else part
                         for suffix, part in parts.items()})
    with pytest.raises(ModelFileError, match=r"m\.pdmodel.*python_cpu_callback.*runs Python code"):
        load(str(copied))(paddle.ones([1, 4]))
