"""A reader written from docs/format.md alone, with msgpack and NumPy and nothing of this project."""
import hashlib
import json
from pathlib import Path

import msgpack
import numpy as np

import kayax as paddle
from kayax.io import model_format as mf

GOLDEN = Path(__file__).parent / "data" / "golden" / "v1" / "net"
MAGICS = {b"KXMODEL\0": ".pdmodel", b"KXPARAMS": ".pdiparams", b"KXINFO\0\0": ".pdiparams.info"}


def read_file(path):
    """The body of a file and, of a `.pdiparams`, its arrays."""
    data = path.read_bytes()
    assert MAGICS[data[:8]] in path.name
    assert int.from_bytes(data[8:12], "little") == 1 and not any(data[12:16]) and not any(data[56:64])
    end = 64 + int.from_bytes(data[16:24], "little")
    packed = data[64:end]
    assert hashlib.sha256(packed).digest() == data[24:56]
    body, arrays = msgpack.unpackb(packed), {}
    if data[:8] != b"KXPARAMS":
        assert len(data) == end
        return body, arrays
    start = -(-end // 64) * 64
    for line in body["arrays"]:
        first = -(-end // 64) * 64
        assert first == start + line["offset"] and not any(data[end:first])
        end = first + line["nbytes"]
        assert hashlib.sha256(data[first:end]).digest() == line["sha256"]
        if line["dtype"] == "bfloat16":
            values = (np.frombuffer(data[first:end], "<u2").astype("<u4") << 16).view("<f4")
        else:
            values = np.frombuffer(data[first:end], np.dtype(line["dtype"]).newbyteorder("<"))
        arrays[line["name"]] = values.reshape(line["shape"])
    assert end == len(data)
    return body, arrays


def read_set(prefix):
    """All bodies and arrays of a model, and its tensors by structured name."""
    journal = prefix.with_name(prefix.name + ".pdcommit")
    entry = json.loads(journal.read_text()) if journal.exists() else {"suffix": "", "names": []}

    def path(suffix):
        plain = prefix.with_name(prefix.name + suffix)
        waiting = plain.with_name(plain.name + entry["suffix"])
        return waiting if plain.name in entry["names"] and waiting.exists() else plain

    bodies, arrays = {}, {}
    for suffix in read_file(path(".pdmodel"))[0]["files"]:
        bodies[suffix], found = read_file(path(suffix))
        arrays |= found
    contents = [hashlib.sha256(msgpack.packb({k: v for k, v in body.items() if k != "set"})).digest()
                for _, body in sorted(bodies.items())]
    assert {body["set"] for body in bodies.values()} == {hashlib.sha256(b"".join(contents)).hexdigest()[:32]}
    tensors, by_unique = {}, {}
    for facts in bodies[".pdiparams.info"]["tensors"]:
        if facts["name"] in arrays:
            by_unique.setdefault(facts["unique_name"], arrays[facts["name"]])
    for facts in bodies[".pdiparams.info"]["tensors"]:
        tensors[facts["name"]] = arrays.get(facts["name"], by_unique[facts["unique_name"]])
    return bodies, tensors


def test_a_saved_layer():
    bodies, tensors = read_set(GOLDEN)
    net = paddle.jit.load(str(GOLDEN))
    expected = net.to_static_state_dict()
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(tensors[name], tensor.numpy(), err_msg=name)
    assert set(bodies) == {".pdmodel", ".pdiparams", ".pdiparams.info", ".features.pdmodel", ".features.pdiparams"}
    assert set(bodies[".pdmodel"]["functions"]) == {"train", "eval"}
    function = bodies[".pdmodel"]["functions"]["eval"]
    assert set(function["programs"]) == {"predict", "forward", "backward"}
    assert function["inputs"][0] == {"shape": ["batch", "width"], "dtype": "float32", "name": "x",
                                     "stop_gradient": False}
    assert function["metadata"]["constraints"] == ["width % 4 == 0"]
    assert len(function["metadata"]["cells"]) >= len(function["parameters"]) > 4


def test_every_dtype_and_a_journal(tmp_path):
    import ml_dtypes
    arrays = {name: np.array([[0, 1, 2.5]], ml_dtypes.bfloat16 if name == "bfloat16" else name)
              for name in mf.dtypes.ALL} | {"": np.empty((3, 0)), "scalar": np.array(7)}
    parts = {".pdmodel": mf.ModelFile({}), ".pdiparams": arrays,
             ".pdiparams.info": mf.InfoFile({name: mf.TensorInfo(name) for name in arrays})}
    mf.save_set(tmp_path / "net", parts)
    waiting = "." + "0" * 16 + ".tmp"
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name + waiting))
    (tmp_path / "net.pdmodel").write_bytes(b"old")
    names = [f"net{suffix}" for suffix in parts]
    (tmp_path / "net.pdcommit").write_text(json.dumps({"suffix": waiting, "names": names}))
    _, found = read_set(tmp_path / "net")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array.astype("float32") if name == "bfloat16" else array)
