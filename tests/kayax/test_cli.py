"""The command line: what it prints, its exit status, and what it does with bad files."""
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import kayax as paddle
from kayax.cli.main import main
from kayax.io import model_format as mf

GOLDEN = Path(__file__).parents[1] / "io" / "data" / "golden" / "v1" / "net"


@pytest.fixture
def copied(tmp_path):
    for path in GOLDEN.parent.glob("net.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / "net"


def test_inspect(capsys):
    assert main(["inspect", str(GOLDEN), "--no-ops"]) == 0
    text = capsys.readouterr().out
    for line in ("forward in train mode: tuple(*, *) -> Pair(", "input   x: float32[batch, width]",
                 "where   width % 4 == 0", "output  1: float32[?, 4]", "writes  norm._mean, norm._variance, count",
                 "draws random numbers", "can be trained; for cpu, cuda, rocm, tpu",
                 "second.weight   float32[4, 4]  tied", "9 tensors, 41 values, 32 of them trainable"):
        assert line in text


def test_inspect_as_json(capsys):
    assert main(["inspect", str(GOLDEN), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["digest"] == mf.load_set(GOLDEN)[".pdmodel"].set_id
    forward = next(f for f in found["functions"] if f["name"] == "forward" and f["mode"] == "eval")
    assert forward["programs"]["predict"]["operations"]["dot_general"] > 0
    assert forward["programs"].keys() == {"predict", "forward", "backward"}


def test_verify(copied, capsys):
    digest = mf.load_set(copied)[".pdmodel"].set_id
    assert main(["verify", str(copied), "--digest", digest]) == 0
    assert "5 files, 9 programs, 9 tensors" in capsys.readouterr().out
    assert main(["verify", str(copied), "--digest", "0" * 32]) == 2
    path = copied.with_name("net.pdiparams")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["verify", str(copied)]) == 2
    assert "net.pdiparams: offset" in capsys.readouterr().err


def test_verify_finds_a_program_that_is_none(copied, capsys):
    """Digests that fit, flatbuffers that can be read, and damage in the middle of XLA's own bytes."""
    parts = mf.load_set(copied)
    programs = parts[".features.pdmodel"].functions["any"].programs
    data = bytearray(programs["predict"])
    middle = data.index(b"ML\xefR") + 200
    data[middle:middle + 100] = bytes(100)
    programs["predict"] = bytes(data)
    mf.save_set(copied, {suffix: dict(part) if isinstance(part, mf.ParamsFile) else part
                         for suffix, part in parts.items()})
    assert main(["verify", str(copied)]) == 2
    assert "net.features.pdmodel: offset 64" in capsys.readouterr().err


@pytest.mark.slow
def test_no_damage_to_a_program_ends_the_command(copied, capsys):
    """XLA's parser may die of bytes under a digest that fits: the command lives, and refuses the file or reads it."""
    rng, statuses = np.random.default_rng(5), []
    good = mf.load_set(copied)[".features.pdmodel"].functions["any"].programs["predict"]
    for _ in range(12):
        parts = mf.load_set(GOLDEN)
        data = bytearray(good)
        for place in rng.integers(data.index(b"ML\xefR"), len(data), 3):
            data[place] ^= 1 << rng.integers(8)
        parts[".features.pdmodel"].functions["any"].programs["predict"] = bytes(data)
        mf.save_set(copied, {suffix: dict(part) if isinstance(part, mf.ParamsFile) else part
                             for suffix, part in parts.items()})
        statuses.append(main(["verify", str(copied)]))
    assert set(statuses) <= {0, 2} and 2 in statuses


def test_diff(copied, capsys):
    assert main(["diff", str(GOLDEN), str(copied)]) == 0
    assert "the same model" in capsys.readouterr().out
    parts = mf.load_set(copied)
    arrays = {name: np.array(array) for name, array in parts[".pdiparams"].items()}
    arrays["first.bias"] += 0.5
    arrays["extra"] = np.zeros(3)
    parts[".pdiparams.info"].tensors["extra"] = mf.TensorInfo("extra")
    mf.save_set(copied, parts | {".pdiparams": arrays, ".features.pdiparams": {}})
    assert main(["diff", str(GOLDEN), str(copied)]) == 1
    text = capsys.readouterr().out
    assert "+ tensor extra: float64[3]" in text and "first.bias: values differ by at most 0.5" in text
    assert "8 tensors are the same" in text


def test_wrong_paths(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "none")]) == 2
    assert "There is no model" in capsys.readouterr().err
    assert main(["verify", f"{GOLDEN}.pdmodel"]) == 2
    assert f"Give the prefix: {GOLDEN}" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "none.py")]) == 2
    assert main(["inspect", str(GOLDEN.parent)]) == 2
    assert f"It is a folder with {GOLDEN}" in capsys.readouterr().err
    (tmp_path / "text.txt").write_text("hello")
    assert main(["inspect", str(tmp_path / "text.txt")]) == 2
    assert "does not start as a pickle" in capsys.readouterr().err
    assert main(["export", str(GOLDEN), "--to", "safetensors", "--output", str(tmp_path / "text.txt" / "net")]) == 2
    assert main(["export", str(GOLDEN), "--to", "paddle", "--weights", "float16"]) == 2
    assert "for --to onnx alone" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fly"])


def test_run_a_paddle_script(tmp_path):
    (tmp_path / "helper.py").write_text(textwrap.dedent("""
        import paddle
        import paddle.nn.functional as F
        relu = F.relu
        class Numbers(paddle.io.Dataset):
            def __len__(self):
                return 2
            def __getitem__(self, i):
                return i
    """))
    (tmp_path / "script.py").write_text(textwrap.dedent("""
        import subprocess, sys
        import paddle
        from paddle import nn
        from paddle.static import InputSpec
        from helper import Numbers, relu
        import kayax
        assert paddle is kayax and sys.modules["paddle.nn"] is kayax.nn and kayax.nn.__spec__.name == "kayax.nn"
        assert __name__ == "__main__" and sys.argv[1:] == ["--lr", "0.1"]
        print(relu(paddle.to_tensor([-1.0, 2.0])).numpy().tolist(), nn.Linear(2, 2).weight.shape)
        try:
            import paddle.nonsense
        except ModuleNotFoundError as error:
            print(error, error.name)
        code = "import paddle.nn; print('child', paddle.__name__)"
        print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
        for batch in paddle.io.DataLoader(Numbers(), batch_size=2, num_workers=1):
            print(batch.numpy().tolist())
        sys.exit(7)
    """))
    done = subprocess.run([sys.executable, "-m", "kayax", "run", "script.py", "--lr", "0.1"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == [
        "[0.0, 2.0] paddle.Size([2, 2])", "Kayax has no module for 'paddle.nonsense'. paddle.nonsense", "child kayax",
        "[0, 1]"]


PADDLE = GOLDEN.parents[2] / "paddle"


def test_the_error_of_a_script_is_shown_as_python_does(tmp_path):
    (tmp_path / "broken.py").write_text("import paddle\nopen('/no/such/file')\n")
    done = subprocess.run([sys.executable, "-m", "kayax", "run", str(tmp_path / "broken.py")], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"""Traceback (most recent call last):
  File "{tmp_path}/broken.py", line 2, in <module>
""") and done.stderr.rstrip().endswith("FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'")


def test_paddles_own_files(tmp_path, capsys):
    paddle.save({"w": paddle.ones([2, 3])}, str(tmp_path / "w.pdparams"))
    for path, lines in ((PADDLE / "net", ["written by paddlepaddle 3", "input   in_0: float32[?, 2, 8, 8]", "1 conv2d",
                                          "9 tensors, 179 values", "batch_norm2d_0.w_1  float32[4]  buffer"]),
                        (PADDLE / "net2", ["written by paddlepaddle 2", "body.1._mean"]),
                        (tmp_path / "w.pdparams", ["1 tensors, 6 values", "w  float32[2, 3]"])):
        assert main(["inspect", str(path)]) == 0
        text = capsys.readouterr().out
        assert all(line in text for line in lines), text
        assert main(["verify", str(path)]) == 0 and "no digests of the values" in capsys.readouterr().out
    assert main(["diff", str(PADDLE / "net"), str(PADDLE / "net")]) == 0
    assert main(["diff", str(PADDLE / "net"), str(PADDLE / "net2")]) == 1
    assert "batch_norm 0 -> 1" in capsys.readouterr().out
    other = (PADDLE / "net.json").read_text().replace("1.relu", "1.no_such")
    (tmp_path / "m.json").write_text(other)
    (tmp_path / "m.pdiparams").write_bytes((PADDLE / "net.pdiparams").read_bytes())
    assert main(["inspect", "--json", str(tmp_path / "m")]) == 0 and "no_such" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "m")]) == 2 and "no_such" in capsys.readouterr().err
    assert main(["inspect", str(PADDLE / "net.json")]) == 2
    assert f"Give the prefix: {PADDLE / 'net'}" in capsys.readouterr().err
