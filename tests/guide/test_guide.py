"""The guide's code blocks, run as scripts in processes of their own; only the import's name is changed.

Blocks that go on from one another are joined into one script, as a reader pastes them; a block that loads what another
saved runs in a new process, in the same folder. ``then`` is added at a script's end to write down what a test compares.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parent / "scripts"
THREE = {"linear.pdmodel", "linear.pdiparams", "linear.pdiparams.info"}
PROBE = "x = paddle.to_tensor(np.random.RandomState(0).rand(3, 784).astype('float32'))\n"


@pytest.fixture
def run(tmp_path):
    """Join the named scripts, run them in an empty folder (one folder a test), and give back what they print."""
    def run_scripts(*names: str, then: str = "", edit: dict[str, str] | None = None, fails: bool = False) -> str:
        text = "\n".join((SCRIPTS / f"{name}.py").read_text(encoding="utf-8") for name in names)
        for old, new in (edit or {}).items():
            assert text.count(old) == 1, f"{old!r} is not in {names} exactly once"
            text = text.replace(old, new)
        script = tmp_path / f"{names[-1] if names else 'then'}.py"
        script.write_text(f"{text}\n{then}\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=900,
                              env=os.environ | {"PYTHONPATH": ""})
        if fails:
            assert done.returncode != 0, done.stdout
            return done.stderr
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr
        return done.stdout

    run_scripts.folder = tmp_path
    return run_scripts


def keep(call: str, name: str) -> str:
    """Code that runs `call` on a fixed batch and writes the result to `name`.npy."""
    return f"import numpy as np\n{PROBE}np.save({name!r}, {call}.numpy())\n"


def check_losses(text: str, epochs: int = 4, batches: int = 4, most: float = 10.0) -> None:
    """Every epoch and batch printed its line, in order, with a loss that is possible for random labels."""
    found = re.findall(r"^Epoch (\d+) batch (\d+): loss = (\S+)$", text, flags=re.M)
    assert [(int(e), int(b)) for e, b, _ in found] == [(e, b) for e in range(epochs) for b in range(batches)]
    losses = np.array([float(loss) for _, _, loss in found])
    assert np.all(np.isfinite(losses)) and np.all(losses > 0.5) and np.all(losses < most), losses


def check_same(folder: Path, first: str, second: str) -> None:
    """Two kept results are equal up to rounding."""
    one, other = np.load(folder / f"{first}.npy"), np.load(folder / f"{second}.npy")
    assert one.dtype == other.dtype
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("training", ["01_decorator", "02_function"])
def test_train_converted_save_load_fine_tune(run, training):
    check_losses(run(training, "05_save", then=keep("layer(x)", "trained")))
    assert files(run.folder / "example.model") == THREE

    check_losses(run("06_load", "07_predict", "08_fine_tune", then=keep("loaded_layer(x)", "tuned"),
                     edit={"# fine-tune the loaded model\n": keep("loaded_layer(x)", "loaded")}))
    check_same(run.folder, "trained", "loaded")
    assert not np.allclose(np.load(run.folder / "loaded.npy"), np.load(run.folder / "tuned.npy")), "nothing was trained"
    assert files(run.folder / "fine-tune.model") == THREE

    run("06_load", edit={"example.model/linear": "fine-tune.model/linear"}, then=keep("loaded_layer(x)", "again"))
    check_same(run.folder, "tuned", "again")


def test_the_parameters_alone(run):
    run("01_decorator", "05_save", then=keep("layer(x)", "trained"))
    run("09_paddle_load", then="assert list(pred.shape) == [1, 10]\n" + keep("layer(x)", "loaded"))
    check_same(run.folder, "trained", "loaded")


def test_train_eagerly_save_load(run):
    check_losses(run("10_eager_train", "11_eager_save", then=keep("layer(x)", "trained")))
    assert files(run.folder / "example.dy_model") == THREE
    run("12_eager_load", "07_predict", then="assert list(pred.shape) == [1, 10]\n" + keep("loaded_layer(x)", "loaded"))
    check_same(run.folder, "trained", "loaded")


def test_loss_inside_forward(run):
    # The guide shows it as what not to write. Without a label it predicts; with one, it stops at the user's line.
    predict = "x = paddle.rand([2, 784])\nlayer = LinearNet()\nprint(list(layer(x).shape))\n"
    assert run("03_loss_in_forward", then=predict) == "[2, 10]\n"
    message = run("03_loss_in_forward", then=predict + "layer(x, paddle.to_tensor([[1], [2]]))\n", fails=True)
    assert "if label:" in message and "03_loss_in_forward.py" in message


def test_forward_only_predicts(run):
    assert run("04_forward_only", then="print(list(LinearNet()(paddle.rand([2, 784])).shape))") == "[2, 10]\n"


def test_any_batch_size_and_a_function(run):
    run("13_any_batch", then="layer = LinearNet()\nfor size in (1, 5):\n"
        "    assert list(layer(paddle.rand([size, 784])).shape) == [size, 10]\n"
        "paddle.jit.save(layer, 'any/linear')\n" + keep("layer(x)", "built"))
    run("06_load", edit={"example.model/linear": "any/linear"}, then=keep("loaded_layer(x)", "loaded"))
    check_same(run.folder, "built", "loaded")

    run("13_any_batch", "14_save_function", then="import numpy as np\nnp.save('origin', origin.numpy())\n"
        "np.save('result', load_result.numpy())\nassert list(load_func(paddle.rand([7, 6])).shape) == [7, 6]\n")
    check_same(run.folder, "origin", "result")
    assert "model.pdmodel" in files(run.folder / "func")


def test_several_methods(run):
    run("15_two_methods", then=keep("layer(x)", "forward") + keep("layer.another_forward(x)", "another"))
    others = {"linear.another_forward.pdiparams", "linear.another_forward.pdmodel"}
    assert files(run.folder / "example.model") == THREE | others
    run("06_load", then=keep("loaded_layer(x)", "loaded") + keep("loaded_layer.another_forward(x)", "loaded_another"))
    check_same(run.folder, "forward", "loaded")
    check_same(run.folder, "another", "loaded_another")


# What paddlepaddle 3.3.1 prints; the guide's comments are of an older version.
PRINTED = {
    "16_spec": "InputSpec(shape=(-1, 784), dtype=paddle.float32, name=x, stop_gradient=False)\n"
               "InputSpec(shape=(-1, 1), dtype=paddle.int64, name=label, stop_gradient=False)\n",
    "17_spec_from_tensor": "InputSpec(shape=(2, 2), dtype=paddle.float32, name=x, stop_gradient=False)\n",
    "19_spec_from_numpy": "InputSpec(shape=(2, 2), dtype=paddle.float32, name=x, stop_gradient=False)\n",
}


@pytest.mark.parametrize("script", PRINTED)
def test_input_spec_prints(run, script):
    assert run(script) == PRINTED[script]


def test_spec_from_an_example(run):
    check_losses(run("10_eager_train", "18_spec_from_example",
                     then="np.save('image', image.numpy())\nnp.save('trained', layer(image).numpy())\n"))
    assert files(run.folder / "example.model") == THREE
    run("06_load", then="np.save('loaded', loaded_layer(paddle.to_tensor(np.load('image.npy'))).numpy())\n")
    check_same(run.folder, "trained", "loaded")


ARGUMENTS = ("r = np.random.RandomState(0)\nx = paddle.to_tensor(r.rand(4, 10).astype('float32'))\n"
             "y = paddle.to_tensor(r.rand(3).astype('float32'))\n")
SAVE = "net = SimpleNet()\npaddle.jit.save(net, './simple_net')\n"


@pytest.mark.parametrize("script, make, call", [
    ("20_spec_in_decorator", "", "net(x, y)"),
    ("21_spec_in_call", "", "net(x, y)"),
    ("22_spec_list", SAVE, "net([x, y])"),
    ("23_spec_dict", SAVE, "net(x, {'x': y})"),
])
def test_spec_of_simple_net(run, script, make, call):
    text = run(script, then=f"{make}import numpy as np\n{ARGUMENTS}np.save('built', {call}.numpy())")
    losses = [float(loss) for loss in re.findall(r"loss = (\S+)", text)]
    assert not losses or losses[-1] < losses[0]
    # A loaded program takes its inputs one after the other, whatever they were nested in: as in Paddle. Or nested.
    run(then=f"import numpy as np\nimport kayax as paddle\n{ARGUMENTS}net = paddle.jit.load('./simple_net')\n"
        f"np.save('loaded', net(x, y).numpy())\nnp.save('nested', {call}.numpy())")
    check_same(run.folder, "built", "loaded")
    check_same(run.folder, "built", "nested")


def test_an_argument_that_is_no_tensor(run):
    run("24_python_value", then="import numpy as np\nnp.save('x', x.numpy())\nnp.save('plain', plain.numpy())\n"
        "np.save('act', act.numpy())")
    run(then="import numpy as np\nimport kayax as paddle\nx = paddle.to_tensor(np.load('x.npy'))\n"
        "np.save('loaded', paddle.jit.load('./simple_net')(x).numpy())\n"
        "np.save('loaded_act', paddle.jit.load('./simple_net_act')(x).numpy())")
    check_same(run.folder, "plain", "loaded")
    check_same(run.folder, "act", "loaded_act")
    assert np.load(run.folder / "plain.npy").min() < 0 <= np.load(run.folder / "act.npy").min()


def test_build_strategy_small(run):
    small = {"IMAGE_SIZE = 224": "IMAGE_SIZE = 32", "BATCH_SIZE = 16": "BATCH_SIZE = 4",
             "BATCH_NUM = 4": "BATCH_NUM = 2", "EPOCH_NUM = 4": "EPOCH_NUM = 1",
             "import resnet50": "import resnet18 as resnet50"}
    check_losses(run("25_build_strategy", edit=small), epochs=1, batches=2, most=50)


@pytest.mark.slow
def test_build_strategy_as_in_the_guide(run):
    check_losses(run("25_build_strategy"), most=50)


def test_every_script_is_run():
    ran = set(re.findall(r'"(\d\d_\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert {script.stem for script in SCRIPTS.glob("*.py")} == ran
