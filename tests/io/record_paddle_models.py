"""Records models that PaddlePaddle saves, and what they compute. Run it in an environment that has PaddlePaddle:

    python tests/io/record_paddle_models.py tests/io/data/paddle

With version 3 it writes the `.json` models, with version 2.6 the `.pdmodel` ones (names ending in `2`). Small ones are
kept whole. Of the model zoo only the programs are kept: parameters are drawn from their names (`paddle_zoo.drawn`), and
the recorded result is that of those.
"""
import gzip
import os
import sys

import numpy as np
import paddle
from paddle import nn
from paddle.static import InputSpec
from paddle_zoo import ZOO, drawn, pixels


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2D(2, 4, 3, padding=1), nn.BatchNorm2D(4), nn.ReLU(), nn.MaxPool2D(2),
            nn.Conv2D(4, 4, 3, groups=4, padding="SAME", bias_attr=False), nn.Hardswish(),
            nn.AdaptiveAvgPool2D(2), nn.Flatten(), nn.Dropout(0.5))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return nn.functional.softmax(self.head(self.body(x)))


class Encoder(nn.Layer):
    def __init__(self):
        super().__init__()
        self.word, self.place = nn.Embedding(32, 8), nn.Embedding(16, 8)
        self.norm, self.drop = nn.LayerNorm(8), nn.Dropout(0.1)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu"), 2)
        self.pool, self.out = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, ids, mask):
        place = paddle.arange(ids.shape[1]).unsqueeze(0)
        x = self.drop(self.norm(self.word(ids) + self.place(place)))
        bias = (1.0 - mask.astype("float32")).unsqueeze([1, 2]) * -1e4
        return self.out(paddle.tanh(self.pool(self.encoder(x, bias)[:, 0])))


class Recurrent(nn.Layer):
    def __init__(self):
        super().__init__()
        self.word, self.gru = nn.Embedding(20, 4), nn.GRU(10, 3)
        self.lstm = nn.LSTM(4, 5, num_layers=2, direction="bidirect")
        self.out = nn.Linear(3, 2)

    def forward(self, ids):
        return self.out(self.gru(self.lstm(self.word(ids))[0])[0][:, -1])


class Flow(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        if y.sum() > 0:
            y = y * 2
        else:
            y = y - 1
        i = paddle.zeros([], "int64")
        while i < 5:
            y = y + paddle.tanh(y)
            i = i + 1
        return y


def main(folder):
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 20, [2, 7])
    mask = (np.arange(7) < np.array([[7], [5]])).astype("int64")
    small = {
        "net": (Net, [([None, 2, 8, 8], "float32")], [[rng.normal(size=[3, 2, 8, 8]).astype("float32")]]),
        "encoder": (Encoder, [([None, None], "int64")] * 2, [[ids, mask]]),
        "recurrent": (Recurrent, [([None, None], "int64")], [[ids]]),
        "flow": (Flow, [([None, 4], "float32")], [[rng.normal(size=[3, 4]).astype("float32") + s] for s in (0, 4)]),
    }
    new = paddle.__version__.startswith("3")
    for name, (kind, specs, calls) in small.items():
        paddle.seed(1)
        model = kind()
        model.eval()
        prefix = os.path.join(folder, name if new else f"{name}2")
        results = {}
        for c, arrays in enumerate(calls):
            results |= {f"input_{c}_{i}": a for i, a in enumerate(arrays)}
            results[f"output_{c}"] = model(*map(paddle.to_tensor, arrays)).numpy()
        if name == "net":
            results |= tuned(model, calls[0][0])
        paddle.jit.save(model, prefix, [InputSpec(s, d, f"in_{i}") for i, (s, d) in enumerate(specs)])
        if not new:
            without_callstacks(prefix + ".pdmodel")
        np.savez_compressed(prefix + ".npz", **results)
    if new:
        for name, size in ZOO.items():
            zoo(folder, name, size)


def without_callstacks(path):
    """Version 2 writes into each operation where it was called, with the folders of the machine."""
    from paddle.base.proto import framework_pb2
    program = framework_pb2.ProgramDesc()
    with open(path, "rb") as file:
        program.ParseFromString(file.read())
    for block in program.blocks:
        for operation in block.ops:
            kept = [a for a in operation.attrs if a.name not in ("op_callstack", "op_namescope", "op_role_var")]
            del operation.attrs[:]
            operation.attrs.extend(kept)
    with open(path, "wb") as file:
        file.write(program.SerializeToString())


def tuned(model, x):
    """Gradients of the small network at the saved state: what fine-tuning starts from."""
    loss = -paddle.log(model(paddle.to_tensor(x))[:, 0]).mean()
    loss.backward()
    return {"loss": loss.numpy()} | {f"grad_{p.name}": p.grad.numpy() for p in model.parameters()
                                      if p.grad is not None}


def zoo(folder, name, size):
    with paddle.utils.unique_name.guard():
        options = {"num_classes": 0} if name.startswith("vgg") else {"num_classes": 10}
        if name.startswith("mobilenet"):
            options["scale"] = 0.5
        model = getattr(paddle.vision.models, name)(**options)
    model.eval()
    for tensor in model.state_dict().values():
        tensor.set_value(drawn(tensor.name, tensor.shape))
    out = model(paddle.to_tensor(pixels(size)))
    out = out[0] if isinstance(out, (list, tuple)) else out
    prefix = os.path.join(folder, f"zoo_{name}")
    paddle.jit.save(model, prefix, [InputSpec([None, 3, size, size], "float32", "x")])
    with open(prefix + ".json", "rb") as file, gzip.GzipFile(prefix + ".json.gz", "wb", 9, mtime=0) as packed:
        packed.write(file.read())
    for suffix in (".json", ".pdiparams"):
        os.remove(prefix + suffix)
    np.savez_compressed(prefix + ".npz", output=out.numpy())


if __name__ == "__main__":
    main(sys.argv[1])
