"""paddle.inference over saved models: handles, clones, threads, shapes, and programs that are kept."""
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.inference import Config, DataType, PredictorPool, create_predictor
from kayax.io.session import Session
from kayax.jit import save
from kayax.static import InputSpec


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body, self.norm, self.drop = nn.Linear(4, 8), nn.BatchNorm1D(8), nn.Dropout(0.5)

    def forward(self, x, scale):
        hidden = self.drop(self.norm(self.body(x)))
        return {"hidden": hidden, "total": hidden.sum() * scale}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    paddle.seed(3)
    net = Net()
    net(paddle.randn([16, 4]), paddle.ones([]))
    prefix = str(tmp_path_factory.mktemp("inference") / "net")
    save(net, prefix, input_spec=[InputSpec(["batch", 4], "float32", "x"), InputSpec([], "float32", "scale")],
         constraints=["batch <= 64"])
    net.eval()
    return net, prefix


@pytest.fixture(scope="module")
def predictor(saved):
    return create_predictor(Config(saved[1] + ".pdmodel", saved[1] + ".pdiparams"))


def expected(net, x, scale):
    out = net(paddle.to_tensor(x), paddle.to_tensor(scale))
    return out["hidden"].numpy(), out["total"].numpy()


def data(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)).astype("float32"), np.array(2.0, "float32")


def run(predictor, *arrays):
    for name, array in zip(predictor.get_input_names(), arrays, strict=True):
        predictor.get_input_handle(name).copy_from_cpu(array)
    predictor.run()
    return [predictor.get_output_handle(name).copy_to_cpu() for name in predictor.get_output_names()]


def test_handles(saved, predictor):
    assert (predictor.get_input_names(), predictor.get_output_names()) == (["x", "scale"], ["hidden", "total"])
    x = predictor.get_input_handle("x")
    assert (x.shape(), x.type(), x.name(), x.lod()) == ([-1, 4], DataType.FLOAT32, "x", [])
    for n in (1, 5):
        for got, want in zip(run(predictor, *data(n)), expected(saved[0], *data(n)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    out = predictor.get_output_handle("hidden")
    assert out.shape() == [5, 8] and out.copy_to_cpu().flags.writeable
    held = data(5)[0]
    x.copy_from_cpu(held)
    held[:] = 0                                     # the handle has a copy
    predictor.run()
    np.testing.assert_allclose(out.copy_to_cpu(), expected(saved[0], *data(5))[0], rtol=1e-5, atol=1e-5)


def test_tensors_in_and_out(saved, predictor):
    hidden, total = predictor.run([paddle.to_tensor(a) for a in data(3)])
    np.testing.assert_allclose(hidden.numpy(), expected(saved[0], *data(3))[0], rtol=1e-5, atol=1e-5)
    assert isinstance(total, paddle.Tensor) and total.stop_gradient


def test_wrong_inputs(predictor):
    fresh, (x, scale) = predictor.clone(), data(2)
    with pytest.raises(ValueError, match="'x' has no value"):
        fresh.run()
    with pytest.raises(TypeError, match="list for 'x'"):
        fresh.get_input_handle("x").copy_from_cpu([1.0])
    with pytest.raises(RuntimeError, match="no input 'y'. Its inputs are: x, scale"):
        fresh.get_input_handle("y")
    with pytest.raises(RuntimeError, match="no value yet"):
        fresh.get_output_handle("hidden").copy_to_cpu()
    for wrong, text in ((x.astype("float64"), "'x' should be float32, but it is float64"), (x[:, :3], "should be 4"),
                        (x[0], "2 dimensions"), (np.zeros((65, 4), "float32"), "batch <= 64, but batch is 65")):
        with pytest.raises(ValueError, match=text):
            run(fresh, wrong, scale)
    with pytest.raises(ValueError, match="takes 2 inputs"):
        fresh.run([paddle.ones([2, 4])])
    with pytest.raises(TypeError, match="list of Tensors, one for each of x, scale, but got dict"):
        fresh.run({"x": x})
    with pytest.raises(NotImplementedError, match="one compiled program"):
        fresh.register_output_hook(print)


def test_configs(saved, tmp_path):
    for config in (Config(saved[1]), Config(str(tmp_path.parent / "none"), "x")):
        config.enable_memory_optim()
        config.switch_ir_optim(False)
        config.disable_glog_info()
        assert not config.ir_optim() and not config.use_gpu() and not config.tensorrt_engine_enabled()
        assert "device" in config.summary()
    assert Config(saved[1].rpartition("/")[0]).prefix() == saved[1]
    with pytest.raises(NotImplementedError, match="TensorRT is not available"):
        config.enable_tensorrt_engine(workspace_size=1)
    with pytest.raises(NotImplementedError, match="enable_tensorrt_memory_optim: TensorRT"):
        config.enable_tensorrt_memory_optim()
    assert config.memory_pool_init_size_mb() == 100 and config.pass_builder().all_passes() == []
    assert not config.use_xpu() and config.specify_input_name() and int(Config.Half) == 2
    with pytest.raises(NotImplementedError, match="Int8 is not available"):
        config.enable_use_gpu(100, 0, Config.Int8)
    with pytest.raises(AttributeError, match="no attribute 'enable_wings'"):
        config.enable_wings()
    with pytest.raises(ValueError, match="names no model"):
        create_predictor(Config())
    with pytest.raises(ValueError, match="with one prefix"):
        create_predictor(Config("a.pdmodel", "b.pdiparams"))
    for names in (["none"], ["none.json", "none.pdiparams"]):
        with pytest.raises(FileNotFoundError):
            create_predictor(Config(*(str(tmp_path / name) for name in names)))
    with pytest.raises(TypeError, match="takes a Config, but got str"):
        create_predictor(saved[1])
    config = Config(saved[1])
    config.enable_use_gpu(100, 7)
    with pytest.raises(RuntimeError, match="JAX sees no gpu number 7.*disable_gpu"):
        create_predictor(config)


def test_threads_under_load(saved, predictor):
    """Clones in many threads, shapes in every order, and new shapes while others run: every answer is its own."""
    sizes = [1, 2, 3, 5]
    want = {n: expected(saved[0], *data(n, n)) for n in sizes}
    pool, wrong = PredictorPool(Config(saved[1]), 6), []
    start = threading.Barrier(6)

    def work(index):
        mine, rng = pool.retrieve(index), np.random.default_rng(index)
        start.wait()
        for _ in range(50):
            n = int(rng.choice(sizes))
            got = run(mine, *data(n, n))
            if not all(np.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(got, want[n], strict=True)):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    compiled = pool.retrieve(0)._session.compile_seconds
    assert len(compiled) == len(sizes)              # each shape once, whoever met it


def test_warm_up_and_state(saved):
    fresh = create_predictor(Config(saved[1]))
    assert fresh.warm_up({"x": [2, 4], "scale": []}, {"x": [3, 4], "scale": []}) > 0
    assert len(fresh._session.compile_seconds) == 2
    first = run(fresh, *data(2))
    assert len(fresh._session.compile_seconds) == 2
    np.testing.assert_array_equal(first[0], run(fresh, *data(2))[0])
    assert fresh.try_shrink_memory() == 0
    with pytest.raises(ValueError, match="no value"):
        fresh.run()


def test_programs_are_kept_for_the_next_process(saved, tmp_path):
    script = textwrap.dedent("""
        import sys, numpy as np, jax, kayax as paddle
        from kayax.inference import Config, create_predictor
        paddle.ones([3]) + 1                        # something is compiled before
        events = []
        jax.monitoring.register_event_listener(lambda name, **_: events.append(name))
        config = Config(sys.argv[1])
        config.set_optim_cache_dir(sys.argv[2])
        create_predictor(config).warm_up({"x": [2, 4], "scale": []})
        print(sum(name.endswith("/cache_hits") for name in events))
    """)
    hits = [int(subprocess.run([sys.executable, "-c", script, saved[1], str(tmp_path / "cache")], check=True,
                               capture_output=True, text=True, timeout=120).stdout) for _ in range(2)]
    assert hits[0] == 0 and hits[1] > 0


def test_convolutions_have_their_weights_inside(tmp_path, monkeypatch):
    net = nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm2D(2), nn.ReLU())
    net.eval()
    save(net, str(tmp_path / "m"), input_spec=[InputSpec([None, 1, 8, 8], "float32", "x")], trainable=False)
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype("float32")
    for on in (True, False):
        config = Config(str(tmp_path / "m"))
        config.switch_ir_optim(on)
        config.set_compiler_options({"xla_cpu_enable_fast_math": False})
        made = create_predictor(config)
        assert made._session._constants is on
        np.testing.assert_allclose(run(made, x)[0], net(paddle.to_tensor(x)).numpy(), rtol=1e-5, atol=1e-5)
    monkeypatch.setattr("kayax.io.session._CONVOLVING", {"xla_no_such_option": "1"})
    made = create_predictor(Config(str(tmp_path / "m")))
    np.testing.assert_allclose(run(made, x)[0], net(paddle.to_tensor(x)).numpy(), rtol=1e-5, atol=1e-5)
    config.set_compiler_options({"xla_my_own": "1"})
    config.switch_ir_optim(True)
    with pytest.raises(RuntimeError, match="xla_my_own"):
        run(create_predictor(config), x)


PADDLE = Path(__file__).parents[1] / "io" / "data" / "paddle"


@pytest.mark.parametrize("name, program, out", [("net", "net.json", "fetch_name_0"), ("flow2", "flow2.pdmodel", None)])
def test_models_of_paddle(name, program, out, tmp_path):
    """Its own files, both generations: recorded inputs, and what PaddlePaddle computed."""
    recorded = np.load(PADDLE / f"{name}.npz")
    shutil.copy(PADDLE / program, tmp_path)
    shutil.copy(PADDLE / f"{name}.pdiparams", tmp_path / "weights")
    made = create_predictor(Config(str(tmp_path / program), str(tmp_path / "weights")))
    assert made.get_input_names() == ["in_0"] and made.get_output_names() == [out or made.get_output_names()[0]]
    handle = made.get_output_handle(made.get_output_names()[0])
    assert handle.shape()[0] == -1 and handle.type() is DataType.FLOAT32
    for call in range(sum(key.startswith("output_") for key in recorded)):
        np.testing.assert_allclose(run(made, recorded[f"input_{call}_0"])[0], recorded[f"output_{call}"], rtol=2e-5,
                                   atol=1e-6)
    with pytest.raises(ValueError, match="dimensions|should be"):
        run(made, recorded["input_0_0"][0])


def test_how_a_model_of_paddle_is_named(saved, tmp_path):
    for suffix in (".json", ".pdiparams"):
        shutil.copy(PADDLE / f"net{suffix}", tmp_path)
    prog = str(tmp_path / "net.json")
    for config in (Config(prog), Config(prog[:-5]), Config(str(tmp_path), "net")):
        assert (config.prog_file(), config.params_file()) == (prog, str(tmp_path / "net.pdiparams"))
        assert config.prefix() == prog
    assert Config(str(tmp_path)).prefix() == prog[:-5]
    folder, _, name = saved[1].rpartition("/")
    assert Config(folder, name).prefix() == saved[1]
    with pytest.raises(ValueError, match="PaddlePaddle's: it has no method 'other'"):
        Session(prog[:-5], "other")
    (tmp_path / "net.pdiparams").unlink()
    with pytest.raises(FileNotFoundError, match="parameters, but there is no file"):
        create_predictor(Config(prog))
