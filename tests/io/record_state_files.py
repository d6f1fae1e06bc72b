"""Writes data/*.pdparams with PaddlePaddle 3.3.1 and, in data/expected.json, what it loads from them.

    python record_state_files.py             in an environment with paddlepaddle 3.3.1 and NumPy below 2.4
    python record_state_files.py --check F   prints as JSON what it loads from each file of the folder F
"""
import json
import sys
from pathlib import Path

DATA = Path(__file__).parent / "data"


def describe(value):
    """A loaded structure as plain text that does not depend on the library: types, names, dtypes, shapes, values."""
    if isinstance(value, dict):
        return {"type": type(value).__name__, "items": [[repr(key), describe(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"type": type(value).__name__, "items": [describe(item) for item in value]}
    if type(value).__name__ == "ndarray":
        return f"array {value.dtype} {value.shape} {value.tolist()}"
    if callable(getattr(value, "numpy", None)):
        dtype = str(value.dtype).removeprefix("paddle.")
        array = value.numpy()
        if dtype == "bfloat16":           # the upper half of a float32
            array = (array.view("uint16").astype("uint32") << 16).view("float32")
        # A name that was not in the file is made up by each library.
        name = value.name if not value.name.startswith("generated") else "-"
        return f"tensor {name} {dtype} {array.shape} {array.tolist()} {value.stop_gradient}"
    if type(value).__module__ == "numpy":
        return f"numpy.{type(value).__name__} {value}"
    return str(value) if type(value).__name__.lower() in ("dtype", "datatype") else repr(value)


def objects(paddle):
    import collections

    import numpy as np

    def tensor(*shape, dtype="float32", name=None):
        made = paddle.to_tensor(np.arange(np.prod(shape, dtype=int)).reshape(shape) / 4 + 1).astype(dtype)
        made.name = name or f"t_{dtype}"
        return made

    layer = paddle.nn.Linear(3, 2)
    layer.weight.set_value(tensor(3, 2))
    decay = paddle.optimizer.lr.StepDecay(0.1, 3)
    adam = paddle.optimizer.AdamW(decay, parameters=layer.parameters())
    layer(paddle.ones([2, 3])).sum().backward()
    adam.step()
    decay.step()
    low = {"weight": tensor(3, 2, dtype="bfloat16", name="linear_0.w_0")}
    # On a CPU no optimizer steps in bfloat16; with multi_precision this is the form of its state.
    low_adam = adam.state_dict() | {"master_weights": {"linear_0.w_0": tensor(3, 2, name="linear_0.w_0_fp32")}}
    every = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
             "complex64", "complex128"]
    shared = tensor(2, name="shared")
    dense = paddle.base.core.DenseTensor()
    dense.set(np.arange(3, dtype="float32"), paddle.CPUPlace())
    return {
        "linear": layer.state_dict(), "adam": adam.state_dict(), "low": low,
        "low_adam": low_adam, "step_decay": adam._learning_rate.state_dict(),
        "dtypes": collections.OrderedDict((dtype, tensor(2, 2, dtype=dtype)) for dtype in every),
        "tensor": tensor(2, 3, name="alone"), "bfloat16": tensor(3, dtype="bfloat16"), "scalar": paddle.to_tensor(3),
        "empty": paddle.zeros([0, 3]),
        "nested": {"list": [tensor(2), (tensor(3), 1, -2.5, "text \u00e9", None, True, 3j, 2**70)], "array": np.ones(3),
                   "numpy": np.float32(2), "shared": [shared, shared], "ordered": collections.OrderedDict(a=tensor(1)),
                   "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), 7: "int key", "words": np.array(["ab"])},
        "arrays": [np.arange(3), {"a": np.ones((2, 2), "float16")}], "plain": {"epoch": 3, "best": 0.5, "none": None},
        "dense": {"dense": dense, "n": 1}, "dtype": [tensor(1), paddle.float16, paddle.bool],
    }


def main():
    import paddle

    if sys.argv[1:2] == ["--check"]:
        files = sorted(Path(sys.argv[2]).iterdir())
        print(json.dumps({path.name: describe(paddle.load(str(path))) for path in files}))
        return
    assert paddle.__version__ == "3.3.1", paddle.__version__
    DATA.mkdir(exist_ok=True)
    for name, value in objects(paddle).items():
        for protocol in (2, 3, 4):
            if protocol != 3 or name in ("linear", "nested"):
                paddle.save(value, str(DATA / f"{name}.{protocol}.pdparams"), protocol=protocol)
    loaded = {path.name: describe(paddle.load(str(path))) for path in sorted(DATA.glob("*.pdparams"))}
    (DATA / "expected.json").write_text(json.dumps(loaded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
