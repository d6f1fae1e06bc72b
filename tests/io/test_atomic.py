"""Five files that change at one moment: whatever fails at whatever step, the old model is there or the new one."""
import json
import os
import shutil

import numpy as np
import pytest

from kayax.io import atomic
from kayax.io import model_format as mf
from kayax.io.export import to_paddle
from kayax.io.export.paddle_target import PaddleBuilder
from kayax.io.paddle import find, layer, tensors

SUFFIXES = [".pdmodel", ".pdiparams", ".pdiparams.info", ".more.pdmodel", ".more.pdiparams"]


def save(prefix, seed=0):
    function = mf.FunctionRecord({"predict": bytes([seed]) * 100}, parameters=["seed", "w"])
    arrays = {"seed": np.array(seed), "w": np.full((40,), seed)}
    info = mf.InfoFile({name: mf.TensorInfo(name) for name in arrays}, metadata={"seed": seed})
    mf.save_set(prefix, {".pdmodel": mf.ModelFile({"any": function}), ".pdiparams": arrays, ".pdiparams.info": info,
                         ".more.pdmodel": mf.ModelFile({"any": function}), ".more.pdiparams": {"extra": arrays["w"]}})


def seed_of(prefix):
    """The seed of a whole and intact model, read as any user would."""
    parts = mf.load_set(prefix)
    assert sorted(parts) == sorted(SUFFIXES)
    seeds = {parts[".pdiparams.info"].metadata["seed"], parts[".pdmodel"].functions["any"].programs["predict"][5]}
    for suffix in (".pdiparams", ".more.pdiparams"):
        parts[suffix].verify()
        seeds |= {int(value) for array in parts[suffix].values() for value in array.reshape(-1)}
    assert len(seeds) == 1, seeds
    return seeds.pop()


class Killed(BaseException):
    """The process is gone: nothing that would clean up after it runs."""


class Faults:
    """Counts every step that a save takes on the disk, and fails at one of them.

    mode: "error", the system refuses that step alone; "death", that step and all later ones do not happen, except that
    half of a write gets through.
    """

    def __init__(self, monkeypatch, mode, at):
        self.mode, self.at, self.steps, self.dead = mode, at, 0, False
        monkeypatch.setattr(atomic, "open", self.opened, raising=False)
        for name in ("replace", "fsync", "unlink"):
            real = (lambda descriptor: None) if name == "fsync" else getattr(os, name)
            monkeypatch.setattr(os, name, lambda *args, real=real: self.step(real, *args))

    def step(self, real, *args, half=None):
        number, self.steps = self.steps, self.steps + 1
        if self.dead or number == self.at:
            if self.mode == "error":
                raise OSError(28, "No space left on device")
            if half is not None and not self.dead:
                half()
            self.dead = True
            raise Killed
        return real(*args)

    def opened(self, path, mode):
        if mode != "xb":
            return open(path, mode)
        return FaultyFile(self, self.step(open, path, mode))


class FaultyFile:
    """A file whose every write and flush is a step. Unbuffered, so that what was written is there after a death."""

    def __init__(self, faults, file):
        self.faults, self.file = faults, file

    def writelines(self, pieces):
        for piece in pieces:
            data = bytes(piece)
            self.faults.step(self.raw, data, half=lambda data=data: self.raw(data[:len(data) // 2]))

    def write(self, data):
        self.writelines([data])

    def raw(self, data):
        self.file.write(data)
        self.file.flush()

    def flush(self):
        self.faults.step(self.file.flush)

    def fileno(self):
        return self.file.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()


@pytest.mark.parametrize("mode", ["error", "death"])
def test_a_fault_at_any_step_leaves_the_old_model_or_the_new_one(tmp_path, mode):
    save(tmp_path / "old" / "net", 1)
    seeds, step, finished = [], 0, False
    while not finished:
        folder = shutil.copytree(tmp_path / "old", tmp_path / f"{mode}{step}")
        with pytest.MonkeyPatch.context() as monkeypatch:
            faults = Faults(monkeypatch, mode, step)
            done = False
            try:
                save(folder / "net", 2)
                done, finished = True, faults.steps <= step
            except (OSError, Killed):
                pass
        seeds.append(seed_of(folder / "net"))
        assert seeds[-1] == 2 or not done
        left = {name for name in os.listdir(folder) if name not in {f"net{suffix}" for suffix in SUFFIXES}}
        assert mode != "error" or not left or "net.pdcommit" in left, "an error left files that no journal names"
        save(folder / "net", 3)             # the next save works from there, and leaves no journal
        assert seed_of(folder / "net") == 3 and not (folder / "net.pdcommit").exists()
        shutil.rmtree(folder)
        step += 1
    assert set(seeds) == {1, 2}
    assert mode == "error" or seeds == sorted(seeds), "the set changes at one step"
    assert step > 40


def save_pair(prefix, seed):
    """PaddlePaddle's two files; of an odd seed with a parameter."""
    builder = PaddleBuilder()
    if seed % 2:
        builder.parameter("w", "int64", (2,), trainable=False)
    program = {"base_code": {"magic": "pir", "version": 4, "seed": seed}, "program": {"regions": [{"blocks": [
        {"ops": builder.declared}]}]}}
    to_paddle.write(str(prefix), program, {"w": np.full(2, seed)} if seed % 2 else {})


def seed_of_pair(program, params, read):
    """The seed of the two files, of which an even one has no parameters."""
    seed = json.loads(read(program))["base_code"]["seed"]
    assert read(params)[-8:] == (seed.to_bytes(8, "little") if seed % 2 else b"")
    return seed


def by_journal(path):
    return find.read_file(path, 10**6) if find.has_part(path) else b""


def as_it_lies(path):
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("mode", ["error", "death"])
@pytest.mark.parametrize("before, after", [(1, 3), (1, 2), (2, 1), (None, 1)])
def test_a_pair_for_paddle_changes_at_one_moment(tmp_path, mode, before, after):
    """Here by the journal; PaddlePaddle, which reads none, finds the old pair, no program, or the new pair."""
    seeds, step, finished = [], 0, False
    while not finished:
        folder = tmp_path / f"{mode}{step}"
        if before is not None:
            save_pair(folder / "net", before)
        with pytest.MonkeyPatch.context() as monkeypatch:
            faults = Faults(monkeypatch, mode, step)
            done = False
            try:
                save_pair(folder / "net", after)
                done, finished = True, faults.steps <= step
            except (OSError, Killed):
                pass
        program, params = folder / "net.json", folder / "net.pdiparams"
        if find.has_part(program):
            seeds.append(seed_of_pair(program, params, by_journal))
            _, arrays = layer.read_files(folder / "net", None)
            assert {name: array.tolist() for name, array in arrays.items()} == (
                {"w": [seeds[-1]] * 2} if seeds[-1] % 2 else {})
        else:
            assert before is None
            seeds.append(None)
        if program.exists():
            assert seed_of_pair(program, params, as_it_lies) in (before, after)
        assert seeds[-1] == after or not done
        save_pair(folder / "net", 5)
        assert not (folder / "net.pdcommit").exists() and seed_of_pair(program, params, as_it_lies) == 5
        assert layer.read_files(folder / "net", None)[1]["w"].tolist() == [5, 5]
        shutil.rmtree(folder)
        step += 1
    assert set(seeds) == {before, after}
    assert mode == "error" or seeds.index(after) == seeds.count(before), "the pair changes at one step"
    assert step > 8


def test_a_pair_that_is_saved_while_it_is_read(tmp_path, monkeypatch):
    save_pair(tmp_path / "net", 1)
    read = tensors.read

    def late(*args):
        save_pair(tmp_path / "net", 3)          # the program was read before, the parameters will be after
        monkeypatch.setattr(tensors, "read", read)
        return read(*args)

    monkeypatch.setattr(tensors, "read", late)
    seen = []
    monkeypatch.setattr(layer.pir, "read", lambda path, real=layer.pir.read: seen.append(1) or real(path))
    assert layer.read_files(tmp_path / "net", None)[1]["w"].tolist() == [3, 3]
    assert len(seen) == 2


def test_loaded_arrays_outlive_a_save_over_their_file(tmp_path):
    save(tmp_path / "net", 1)
    params = mf.load_set(tmp_path / "net")[".pdiparams"]
    save(tmp_path / "net", 2)
    assert params["seed"] == 1
    assert seed_of(tmp_path / "net") == 2


@pytest.mark.parametrize("journal", [b"", b"{}", b"[]", b"{", json.dumps({"suffix": "x", "names": []}).encode(),
                                     json.dumps({"suffix": "." + "a" * 16 + ".tmp", "names": ["../x"]}).encode(),
                                     json.dumps({"suffix": "." + "a" * 16 + ".tmp", "names": [],
                                                 "gone": ["/x"]}).encode(),
                                     b"[" * 100000])
def test_a_journal_that_nobody_wrote(tmp_path, journal):
    save(tmp_path / "net")
    (tmp_path / "net.pdcommit").write_bytes(journal)
    with pytest.raises(mf.ModelFileError, match=r"net\.pdcommit"):
        mf.load_set(tmp_path / "net")
    with pytest.raises(ValueError, match=r"net\.pdcommit"):
        save(tmp_path / "net")


def test_a_set_lies_in_one_folder(tmp_path):
    with pytest.raises(ValueError, match="in one folder"):
        atomic.write_files({tmp_path / "a" / "x": b"", tmp_path / "b" / "y": b""}, tmp_path / "a" / "j")


def test_what_old_crashes_left_is_cleared_away(tmp_path):
    old, new = tmp_path / ("x" + "." + "0" * 16 + ".tmp"), tmp_path / ("x" + "." + "1" * 16 + ".tmp")
    old.write_bytes(b"")
    new.write_bytes(b"")
    os.utime(old, (0, 0))
    atomic.write_file(tmp_path / "x", b"abc")
    assert sorted(os.listdir(tmp_path)) == ["x", new.name]
    assert (tmp_path / "x").read_bytes() == b"abc"
