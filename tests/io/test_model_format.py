"""The three files of a saved model: round trips, an independent reader, damage, crashes at every moment."""
import json
import os
import shutil
import time

import ml_dtypes
import msgpack
import numpy as np
import pytest

from kayax.io import container
from kayax.io import model_format as mf
from kayax.spec.input_spec import InputSpec

RNG = np.random.default_rng(0)
ARRAYS = {
    "linear.weight": RNG.standard_normal((7, 5)).astype(np.float32), "scalar": np.array(3.5), "empty": np.empty((0, 4)),
    "flag": np.array([True, False, True]), "i8": np.arange(-3, 3, dtype=np.int8), "u8": np.arange(5, dtype=np.uint8),
    "i64": np.array([2**62, -1]), "half": np.array([1.5, np.inf], np.float16), "c": np.array([1 + 2j], np.complex64),
    "c16": np.array([[1 - 2j]]), "brain": np.array([1, 2.5, np.nan], ml_dtypes.bfloat16),
    "last": np.empty((0,), np.int16),
}
KEY = [0, 42]


def make_model():
    forward = mf.FunctionRecord({"cpu": b"\0program", "vjp": b"other"},
                                [InputSpec(["batch", None, 8], "bfloat16", "x"), InputSpec([], "int64")],
                                ["linear.weight", "scalar"], output_tree={"kind": "tuple", "of": [0, 1]},
                                metadata={"line": 3, "none": None, "f": 1.5})
    return mf.ModelFile({"forward": forward, "infer": mf.FunctionRecord({})}, {"jax": "1"}, {"net": "Linear"})


def make_info():
    return mf.InfoFile({"linear.weight": mf.TensorInfo("linear_0.w_0"), "flag": mf.TensorInfo("b", False, True)},
                       training=True, random_state={"key": KEY}, metadata={"a": [1, b"x"]})


def save(prefix, seed=0):
    parts = {".pdmodel": make_model(), ".pdiparams": ARRAYS | {"seed": np.array(seed)}, ".pdiparams.info": make_info(),
             ".more.pdmodel": mf.ModelFile({"more": mf.FunctionRecord({})}), ".more.pdiparams": {}}
    return mf.save_set(prefix, parts)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_round_trip(tmp_path):
    set_id = save(tmp_path / "new" / "folder" / "net")
    parts = mf.load_set(tmp_path / "new" / "folder" / "net")
    model, info = parts[".pdmodel"], parts[".pdiparams.info"]
    assert model.set_id == info.set_id == parts[".pdiparams"].set_id == set_id
    assert model.functions == make_model().functions
    assert model.producer == {"jax": "1"} and model.metadata == {"net": "Linear"}
    assert (info.tensors, info.training, info.random_state, info.metadata) == (
        make_info().tensors, True, {"key": KEY}, {"a": [1, b"x"]})
    assert sorted(os.listdir(tmp_path / "new" / "folder")) == [
        "net.more.pdiparams", "net.more.pdmodel", "net.pdiparams", "net.pdiparams.info", "net.pdmodel"]


def test_every_dtype_and_shape_comes_back(tmp_path):
    mf.write_params(tmp_path / "p", ARRAYS)
    params = mf.read_params(tmp_path / "p")
    params.verify()
    assert list(params) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert same(params[name], array)
        assert not params[name].flags.writeable
        assert params.shape_dtype(name) == (array.shape, mf.dtypes.convert(array.dtype))
    assert params.nbytes == sum(array.nbytes for array in ARRAYS.values())


def test_layouts_are_normalized(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    mf.write_params(tmp_path / "p", {"t": array.T, "big": array.astype(">f4"), "step": array[::2, ::3]})
    params = mf.read_params(tmp_path / "p")
    assert all(same(params[name], np.array(value, "<f4", order="C")) for name, value in
               [("t", array.T), ("big", array), ("step", array[::2, ::3])])


def test_equal_contents_give_equal_files(tmp_path):
    assert save(tmp_path / "a") == save(tmp_path / "b") != save(tmp_path / "c", seed=1)
    for suffix in (".pdmodel", ".pdiparams", ".pdiparams.info"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def body_of(data):
    return msgpack.unpackb(data[64:64 + int.from_bytes(data[16:24], "little")])


def test_opening_does_not_read_the_values(tmp_path):
    path = tmp_path / "big"
    mf.write_params(path, {"a": np.zeros((1 << 24,), np.float32)})
    best = min(_seconds(lambda: mf.read_params(path)) for _ in range(5))
    assert best < 0.05
    assert mf.read_params(path).unverified("a").shape == (1 << 24,)


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# ---- damage ----------------------------------------------------------------------------------------------------


def read_all(prefix):
    for part in mf.load_set(prefix).values():
        if isinstance(part, mf.ParamsFile):
            part.verify()


@pytest.mark.parametrize("suffix", [".pdmodel", ".pdiparams", ".pdiparams.info"])
def test_every_flipped_bit_and_every_cut_is_found(tmp_path, suffix):
    save(tmp_path / "net")
    path = tmp_path / f"net{suffix}"
    good = path.read_bytes()
    rng = np.random.default_rng(1)
    places = np.unique(np.r_[np.arange(64), rng.integers(0, len(good), 300)])
    for place in places:
        damaged = bytearray(good)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(mf.ModelFileError, match=path.name):
            read_all(tmp_path / "net")
    for length in np.unique(np.r_[0, 1, 63, 64, 65, len(good) - 1, rng.integers(0, len(good), 100)]):
        path.write_bytes(good[:length])
        with pytest.raises(mf.ModelFileError, match=path.name):
            mf.load_set(tmp_path / "net")          # without a look at the values
    path.write_bytes(good + b"\0")
    with pytest.raises(mf.ModelFileError, match=path.name):
        mf.load_set(tmp_path / "net")
    path.write_bytes(good)
    read_all(tmp_path / "net")


def test_a_damaged_value_is_found_on_first_use(tmp_path):
    path = tmp_path / "p"
    mf.write_params(path, {"a": np.arange(64.0), "b": np.arange(64.0)})
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    params = mf.read_params(path)
    assert params["a"][3] == 3
    with pytest.raises(mf.ModelFileError, match=r"offset \d+: 'b': the SHA-256"):
        params["b"]


def lie(path, change):
    """Rewrite a `.pdiparams` with a changed index and a digest that fits it."""
    data = path.read_bytes()
    length = int.from_bytes(data[16:24], "little")
    body = msgpack.unpackb(data[64:64 + length])
    rest = data[(64 + length + 63) // 64 * 64:]
    change(body)
    packed = body if isinstance(body, bytes) else msgpack.packb(body)
    head = container.frame(data[:8], packed) + packed
    path.write_bytes(head + bytes(-len(head) % 64) + rest)


def update(number, **fields):
    return lambda body: body["arrays"][number].update(fields)


LIES = {
    "overlap": update(1, offset=0),
    "hole": update(1, offset=192),
    "negative offset": update(0, offset=-64),
    "far offset": update(0, offset=1 << 62),
    "too large": update(0, shape=[1 << 40], nbytes=1 << 43),
    "overflow": update(0, shape=[1 << 62, 4, 0], nbytes=0),
    "wrong nbytes": update(0, nbytes=8),
    "negative dims": update(0, shape=[-2, -2]),
    "many dims": update(0, shape=[1] * 33 + [4]),
    "bool dim": update(0, shape=[True]),
    "unknown dtype": update(0, dtype="object"),
    "other dtype": update(0, dtype="int8"),
    "twice": update(1, name="a"),
    "no name": lambda body: body["arrays"][0].pop("name"),
    "unknown field": lambda body: body.update(extra=1),
    "fewer": lambda body: body["arrays"].pop(),
    "no list": lambda body: body.update(arrays={}),
    "deep": lambda body: body.update(arrays=json.loads("[" * 90 + "]" * 90)),
    "digest kind": update(0, sha256="text"),
}


@pytest.mark.parametrize("name", LIES)
def test_an_index_that_lies(tmp_path, name):
    mf.write_params(tmp_path / "p", {"a": np.arange(4.0), "b": np.arange(3.0)})
    lie(tmp_path / "p", LIES[name])
    with pytest.raises(mf.ModelFileError, match=r"index|offset"):
        mf.read_params(tmp_path / "p")


@pytest.mark.parametrize("body", [
    b"\x82\xa1a\x01\xa1a\x02", b"\x81\x01\x02", b"\x93\x01\x02\x03", b"\xdd\xff\xff\xff\xff", b"\xdf\x00\x0f\xff\xff",
    b"\x81\xa1a\xd4\x01\x00", b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", b"\x81\xa1a\xdb\xff\xff\xff\xff", b"\x91" * 5000,
    b"\x81\xa1\xff\x01", b"\x80\x80", b"", b"\xc1", b"\x81\xa1a" * 200 + b"\xc0"],
    ids=["duplicate key", "int key", "no map", "huge array", "huge map", "extension", "timestamp", "huge string",
         "deep", "bad utf-8", "rest", "empty", "reserved", "deep maps"])
def test_msgpack_is_read_strictly(tmp_path, body):
    for read, magic in ((mf.read_model, b"KXMODEL\0"), (mf.read_info, b"KXINFO\0\0"), (mf.read_params, b"KXPARAMS")):
        (tmp_path / "f").write_bytes(container.frame(magic, body) + body)
        with pytest.raises(mf.ModelFileError):
            read(tmp_path / "f")


def test_a_model_cannot_name_files_elsewhere(tmp_path):
    save(tmp_path / "net")
    path = tmp_path / "net.pdmodel"
    body = body_of(path.read_bytes())
    for suffix in ("/../../etc/passwd", ".pdiparams/../x.pdmodel", ".a.b.pdmodel", "x.pdmodel", ".pdmodel\n"):
        packed = msgpack.packb(body | {"files": [".pdmodel", suffix]})
        path.write_bytes(container.frame(b"KXMODEL\0", packed) + packed)
        with pytest.raises(mf.ModelFileError, match="files"):
            mf.load_set(tmp_path / "net")


def test_files_of_different_saves_and_missing_files(tmp_path):
    save(tmp_path / "a", 1)
    save(tmp_path / "b", 2)
    shutil.copy(tmp_path / "b.pdiparams", tmp_path / "a.pdiparams")
    with pytest.raises(mf.ModelFileError, match=r"a\.pdiparams: offset 64: set: it was not saved together with"):
        mf.load_set(tmp_path / "a")
    (tmp_path / "b.pdiparams.info").unlink()
    with pytest.raises(mf.ModelFileError, match=r"b\.pdiparams\.info: offset 0: the file is missing"):
        mf.load_set(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        mf.load_set(tmp_path / "none")


def test_other_kinds_and_newer_versions_are_told_apart(tmp_path):
    save(tmp_path / "net")
    with pytest.raises(mf.ModelFileError, match="another kind of file"):
        mf.read_params(tmp_path / "net.pdmodel")
    data = bytearray((tmp_path / "net.pdmodel").read_bytes())
    data[8] = 2
    (tmp_path / "net.pdmodel").write_bytes(data)
    with pytest.raises(mf.ModelFileError, match=r"version is 2.*update the library"):
        mf.load_set(tmp_path / "net")


@pytest.mark.parametrize(("parts", "kind", "text"), [
    ({".pdiparams": {}}, ValueError, "needs the file .pdmodel"),
    ({".pdmodel": mf.ModelFile({}), "../x.pdmodel": mf.ModelFile({})}, ValueError, "suffix"),
    ({".pdmodel": mf.ModelFile({}), ".pdiparams": mf.ModelFile({})}, TypeError, "should be a Mapping"),
    ({".pdmodel": mf.ModelFile({}, metadata={"a": {1: 2}})}, TypeError, r"\['metadata'\]\['a'\] has the key 1"),
    ({".pdmodel": mf.ModelFile({}, metadata={"a": np.float32(1)})}, TypeError, "numpy.float32"),
    ({".pdmodel": mf.ModelFile({}, metadata={"a": 1 << 70})}, ValueError, "64 bits"),
    ({".pdmodel": mf.ModelFile({"f": mf.FunctionRecord({}, [InputSpec([1], None, "x")])})}, ValueError, "'x' of 'f'"),
    ({".pdmodel": mf.ModelFile({}), ".pdiparams": {"a": np.array(["s"])}}, TypeError, "'a' is a ndarray of dtype <U1"),
    ({".pdmodel": mf.ModelFile({}), ".pdiparams": {"a": np.array([None])}}, TypeError, "dtype object"),
])
def test_what_cannot_be_saved_is_named_and_nothing_is_written(tmp_path, parts, kind, text):
    with pytest.raises(kind, match=text):
        mf.save_set(tmp_path / "net", parts)
    assert not os.listdir(tmp_path)
