"""paddle.save and paddle.load: real Paddle's files, our own, and files that somebody made to do harm."""
import contextlib
import importlib.util
import io
import json
import os
import pickle
import pickletools
import struct
import subprocess
import tracemalloc
import warnings
from collections import OrderedDict
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from kayax.bridge.tensor import Tensor
from kayax.io import state_file
from kayax.io.state_file import StateFileError, load, save

_SPEC = importlib.util.spec_from_file_location("record_state_files", Path(__file__).parent / "record_state_files.py")
record = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(record)
EXPECTED = json.loads((record.DATA / "expected.json").read_text(encoding="utf-8"))
PADDLE = os.environ.get("KAYAX_PADDLE_PYTHON")


def tensor(array, name):
    made = Tensor(np.asarray(array))
    made.name = name
    return made


def again(obj, protocol=4, **configs):
    file = io.BytesIO()
    save(obj, file, protocol)
    file.seek(0)
    return load(file, **configs)


def structures():
    weight, low = tensor(np.arange(6, dtype=np.float32).reshape(2, 3), "l.w_0"), np.array([1, -2.5], ml_dtypes.bfloat16)
    dtypes = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64",
              "complex128"]
    return {
        "state": OrderedDict(weight=weight, bias=tensor(low, "l.b_0"), LR_Scheduler={"last_epoch": 3, "last_lr": 0.1}),
        "dtypes": {name: tensor(np.array([[0, 1], [1, 0]], name), name) for name in dtypes},
        "nested": {"a": [weight, (weight, 1.5, None, "\u00e9")], "o": OrderedDict(b=tensor(low, "b")), 3: True,
                   "n": np.arange(4.0).reshape(2, 2).T, "f": np.float32(2), "c": 1j, "i": 1 << 80, "set": {"x"}},
        "masters": {"moment": weight, "master_weights": {"w": tensor([1.0], "m")}, "LR_Scheduler": {"last_epoch": 1}},
        "alone": weight, "low": tensor(low, "low"), "scalar": tensor(3, "s"), "empty": tensor(np.empty((0, 3)), "e"),
        "arrays": [np.arange(3), np.ones((2, 2), np.float16)], "plain": {"epoch": 3},
    }


# ---- with real Paddle ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_files_of_real_paddle_load_as_there(name):
    assert record.describe(load(record.DATA / name)) == EXPECTED[name]


def test_every_recorded_file_is_expected():
    assert {path.name for path in record.DATA.glob("*.pdparams")} == set(EXPECTED)


@pytest.mark.skipif(not PADDLE, reason="KAYAX_PADDLE_PYTHON should be a Python that has paddlepaddle 3.3.1")
def test_real_paddle_loads_our_files(tmp_path, monkeypatch):
    monkeypatch.setattr(state_file, "_BIG_BYTES", 20)
    for name, value in structures().items():
        for protocol in (2, 3, 4):
            save(value, tmp_path / f"{name}.{protocol}", protocol)
    command = [PADDLE, str(Path(record.__file__)), "--check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.splitlines()[-1])
    assert theirs == {path.name: record.describe(load(path)) for path in sorted(tmp_path.iterdir())}


# ---- round trips -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("name", structures())
def test_round_trip(tmp_path, name, protocol):
    value = structures()[name]
    save(value, tmp_path / "new" / "file", protocol)
    # As in Paddle: a state dict comes back as a dict, and if there is no Tensor at all, arrays become Tensors.
    if name == "state":
        value = dict(value)
    if name == "arrays":
        value = [tensor(array, "generated") for array in value]
    assert record.describe(load(tmp_path / "new" / "file")) == record.describe(value)


def test_names_dtypes_and_the_name_table():
    state = structures()["state"]
    loaded = again(state)
    assert [loaded["weight"].name, loaded["bias"].name] == ["l.w_0", "l.b_0"]
    assert loaded["bias"].dtype == "bfloat16" and loaded["LR_Scheduler"] == {"last_epoch": 3, "last_lr": 0.1}
    assert again(state, keep_name_table=True)[state_file.NAME_TABLE] == {"weight": "l.w_0", "bias": "l.b_0"}


def test_return_numpy_gives_arrays_that_may_be_written():
    loaded = again(structures()["state"], return_numpy=True)
    assert loaded["bias"].dtype == np.uint16
    loaded["weight"] += 1
    nested = again(structures()["nested"], return_numpy=True)
    assert type(nested["a"][0]) is np.ndarray


def test_make_tensor_is_given_array_and_name():
    seen = again([structures()["low"]], make_tensor=lambda array, name: (name, array.dtype.name, array.tolist()))
    assert seen == [("low", "bfloat16", [1.0, -2.5])]


def test_several_objects_in_one_buffer():
    file = io.BytesIO()
    save({"a": 1}, file)
    save([2], file)
    file.seek(0)
    assert [load(file), load(file)] == [{"a": 1}, [2]]


def test_large_arrays_are_split_as_paddle_does(monkeypatch):
    monkeypatch.setattr(state_file, "_BIG_BYTES", 50)
    value = {"w": tensor(np.arange(30, dtype=np.float32).reshape(5, 6), "w_0"), "small": tensor([1.0], "s")}
    file = io.BytesIO()
    save(value, file, 2)
    raw = pickle.loads(file.getvalue())
    assert [len(raw[f"w@@.{n}"]) for n in range(3)] == [12, 12, 6] and "w" not in raw
    assert raw["UnpackBigParamInfor@@"]["w"] == {"OriginShape": (5, 6), "slices": ["w@@.0", "w@@.1", "w@@.2"]}
    loaded = again(value, 2)
    assert sorted(loaded) == ["small", "w"] and loaded["w"].name == "w_0"
    assert np.array_equal(loaded["w"].numpy(), value["w"].numpy())


def test_an_array_in_big_endian_or_of_python_2():
    big = pickle.dumps([np.arange(3, dtype=">f4"), np.array(["ab", "c"], ">U2")], 4)
    floats, words = load(io.BytesIO(big), return_numpy=True)
    assert floats.dtype == np.dtype("f4") and floats.tolist() == [0, 1, 2] and words.tolist() == ["ab", "c"]
    old = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\n"
           b"dtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x02\xe9\x01tb.")
    assert load(io.BytesIO(old), return_numpy=True).tolist() == [0xE9, 1]


def test_protocol_5_of_plain_pickle_can_be_read():
    loaded = load(io.BytesIO(pickle.dumps({"a": np.arange(3), "b": b"xy"}, 5)), return_numpy=True)
    assert loaded["a"].tolist() == [0, 1, 2] and loaded["b"] == b"xy"


def test_saving_replaces_the_file_whole(tmp_path):
    save({"a": 1}, tmp_path / "f")
    with pytest.raises(NotImplementedError):
        save({"a": object()}, tmp_path / "f")
    assert load(tmp_path / "f") == {"a": 1}
    assert os.listdir(tmp_path) == ["f"]


# ---- wrong use -------------------------------------------------------------------------------------------------


class Net:
    def state_dict(self):
        return {}


CYCLE = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(("obj", "kind", "text"), [
    (Net(), ValueError, r"is a Net.*save its state_dict"),
    ({"a": [1, Net()]}, ValueError, r"\['a'\]\[1\] is a Net"),
    ({"a": {"b": [b"x"]}}, NotImplementedError, r"\['a'\]\['b'\]\[0\] is a builtins.bytes"),
    ({"a": [object()]}, NotImplementedError, "builtins.object"),
    ({"a": frozenset()}, NotImplementedError, "frozenset"),
    ([np.array([None])], NotImplementedError, "dtype object"),
    ([{(1, (2,)): 1}], NotImplementedError, "has the key"),
    (CYCLE, ValueError, "contains itself"),
], ids=["layer", "nested layer", "bytes", "object", "frozenset", "object array", "tuple key", "cycle"])
def test_what_cannot_be_saved(tmp_path, obj, kind, text):
    with pytest.raises(kind, match=text):
        save(obj, tmp_path / "f")
    assert not os.listdir(tmp_path)


def test_wrong_arguments(tmp_path):
    for arguments, kind, text in [
            ({"protocol": 5}, ValueError, "2, 3 or 4"), ({"protocol": "4"}, ValueError, "2, 3 or 4"),
            ({"foo": 1}, ValueError, "no config 'foo'"), ({"safetensors": True}, NotImplementedError, "safetensors")]:
        with pytest.raises(kind, match=text):
            save({"a": 1}, tmp_path / "f", **arguments)
    with pytest.raises(ValueError, match="end with a file's name"):
        save({"a": 1}, f"{tmp_path}/")
    with pytest.raises(ValueError, match="a path or a BytesIO"):
        save({"a": 1}, 5)
    with pytest.raises(ValueError, match="no config 'bar'"):
        load(tmp_path / "f", bar=1)
    with pytest.warns(UserWarning, match="empty"):
        save({}, tmp_path / "f")
    with pytest.warns(DeprecationWarning, match="protocol"):
        save([], tmp_path / "f", pickle_protocol=2)


def test_missing_files_and_other_files(tmp_path):
    save({"a": 1}, tmp_path / "net.pdparams")
    with pytest.raises(ValueError, match=r"Give the whole name: .*net\.pdparams"):
        load(tmp_path / "net")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    for content, text in [(b"", "empty"), (b"garbage", "does not start as a pickle"), (b"KXPARAMS", "paddle.jit.load")]:
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(StateFileError, match=text):
            load(tmp_path / "f")


# ---- harm ------------------------------------------------------------------------------------------------------


class Call:
    """Pickles as the call of `function` with `args`."""

    def __init__(self, function, *args, state=None):
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.reduced


def stack_global(module, name):
    return b"\x80\x04" + b"".join(b"\x8c" + bytes([len(part)]) + part for part in (module, name)) + b"\x93"


def array_state(shape, raw, dtype="f4"):
    reconstruct = np.arange(1).__reduce__()[0]
    return pickle.dumps(Call(reconstruct, np.ndarray, (0,), b"b", state=(1, shape, np.dtype(dtype), False, raw)), 4)


RECONSTRUCT = np.arange(1).__reduce__()[0]
HARM = {
    "system": pickle.dumps(Call(os.system, "touch harmed")),
    "eval": pickle.dumps(Call(eval, "open('harmed', 'w')")),
    "eval of data": pickle.dumps(Call(eval, "data", {"data": 1})),
    "eval of other text": pickle.dumps(Call(eval, "open('harmed', 'w')", {"data": np.arange(2)})),
    "exec": pickle.dumps(Call(exec, "open('harmed', 'w')")),
    "getattr": pickle.dumps(Call(getattr, "", "join")),
    "dotted name": stack_global(b"numpy", b"ndarray.tofile") + b".",
    "dotted module": stack_global(b"collections.abc", b"OrderedDict") + b".",
    "import": pickle.dumps(Call(__import__, "os")),
    "open": pickle.dumps(Call(open, "harmed", "w")),
    "numpy.load": pickle.dumps(Call(np.load, "x")),
    "numpy.zeros": pickle.dumps(Call(np.zeros, 1 << 50)),
    "memmap": pickle.dumps(Call(np.memmap, "harmed", "u1", "w+", 0, 5)),
    "class": pickle.dumps(Net()),
    "object array": pickle.dumps(np.array([None], object)),
    "object dtype": array_state((1,), [Call(os.system, "touch harmed")], "O"),
    "record dtype": pickle.dumps(np.zeros(2, [("a", "i4")])),
    "datetime": pickle.dumps(np.array(["2020-01-01"], "M8[D]")),
    "huge reconstruct": pickle.dumps(Call(RECONSTRUCT, np.ndarray, (1 << 45,), b"b")),
    "huge shape": array_state((1 << 45,), b"abcd"),
    "overflowing shape": array_state((1 << 62, 1 << 62, 0), b""),
    "negative shape": array_state((-1, -1), b"abcd"),
    "short bytes": array_state((2,), b"abcd"),
    "list bytes": array_state((1,), [1.0]),
    "reconstruct int": pickle.dumps(Call(RECONSTRUCT, int, (0,), b"b")),
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50),
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 63),
    "huge int": b"\x80\x04\x8b" + struct.pack("<I", 0xFFFFFFFF),
    "bytearray": pickle.dumps(Call(bytearray, 1 << 40)),
    "bytes": pickle.dumps(Call(bytes, 1 << 40)),
    "range in list": pickle.dumps(Call(tuple, range(1 << 40))),
    "patch a function": stack_global(b"collections", b"OrderedDict") + b"}X\x03\x00\x00\x00abcNsb.",
    "patch slots": stack_global(b"_codecs", b"encode") + b"N}X\x0c\x00\x00\x00__defaults__)s\x86b.",
    "patch a dict": b"\x80\x04}}X\x01\x00\x00\x00aNsb.",
    "a name alone": stack_global(b"numpy", b"ndarray") + b".",
    "instance": b"\x80\x02(ios\nsystem\n.", "object": b"\x80\x02(cos\nsystem\no.",
    "extension": b"\x80\x02\x82\x01.", "persistent": b"\x80\x02NQ.", "protocol 0": b"cos\nsystem\n(S'x'\ntR.",
    "stack below mark": b"\x80\x02N(0.", "nothing": b"\x80\x02.", "no memo": b"\x80\x02h\x05.", "cut": b"\x80\x04]",
    "unhashable": b"\x80\x02}]Ns.", "nested key": b"\x80\x02}N\x85\x85Ns.", "odd items": b"\x80\x02}(NNNu.",
    "cycle": b"\x80\x02]q\x00h\x00a.", "deep": b"\x80\x02" + b"(" * 5000 + b"t" * 5000 + b".",
    "deep lists": b"\x80\x02" + b"]" * 100000 + b"a" * 99999 + b".",
    "endless name": b"\x80\x02c" + b"a" * 100000,
}
# The same 100 kB again and again, by reference: a copy for each would be 200 MB.
HARM["copies"] = (b"\x80\x02]cnumpy._core.multiarray\nscalar\nq\x00cnumpy\ndtype\n"
                  b"X\x07\x00\x00\x00S100000q\x09\x89\x88\x87Rq\x01"
                  b"B\xa0\x86\x01\x00" + bytes(100000) + b"q\x0200" + b"h\x00h\x01h\x02\x86Ra" * 2000 + b".")


@pytest.mark.parametrize("name", HARM)
def test_files_made_to_do_harm(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_bytes(HARM[name])
    tracemalloc.start()
    try:
        with pytest.raises(StateFileError, match="cannot be loaded: at byte"):
            load(tmp_path / "f")
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()
    assert os.listdir(tmp_path) == ["f"]


def test_shared_lists_do_not_explode():
    laughs = b"\x80\x02]q\x00" + b"".join(b"](h%ch%ceq%c" % (n, n, n + 1) for n in range(200)) + b"."
    loaded = load(io.BytesIO(laughs))
    for _ in range(200):
        assert loaded[0] is loaded[1]
        loaded = loaded[0]


@pytest.mark.parametrize("name", ["nested.2.pdparams", "nested.4.pdparams", "adam.4.pdparams"])
def test_random_damage_never_does_anything_but_a_clear_error(name):
    good = (record.DATA / name).read_bytes()
    rng = np.random.default_rng(0)
    instructions = np.frombuffer(bytes(ord(op.code) for op in pickletools.opcodes), np.uint8)
    for round_ in range(1500):
        damaged = bytearray(good)
        for place in rng.integers(2, len(good), 1 + round_ % 3):
            damaged[place] = rng.choice(instructions) if round_ % 2 else damaged[place] ^ 1 << rng.integers(8)
        if round_ % 5 == 0:
            del damaged[rng.integers(len(good)):]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with contextlib.suppress(StateFileError):
                load(io.BytesIO(bytes(damaged)), return_numpy=True)
