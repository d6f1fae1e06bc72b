"""Models that people have deployed, in code that runs on PaddlePaddle and here.

    python tests/interop/deployed.py FOLDER

with PaddlePaddle 3 saves each of them with jit.save, and what can be made in static mode with
static.save_inference_model (NAME_static), beside what it computes (NAME.npz).
"""
import os
import sys

import numpy as np


def kinds(paddle):
    """name -> (class of the Layer, [(shape, dtype) of each input], calls: lists of arrays)."""
    nn, F = paddle.nn, paddle.nn.functional
    rng = np.random.default_rng(5)

    def normal(*shape):
        return rng.normal(size=shape).astype("float32")

    class Folded(nn.Layer):
        """Convolutions into which batch normalization was folded (RepVGG): three branches become one kernel."""

        def __init__(self):
            super().__init__()
            self.three, self.one = nn.Conv2D(4, 4, 3, padding=1, bias_attr=False), nn.Conv2D(4, 4, 1, bias_attr=False)
            self.norms = nn.LayerList([nn.BatchNorm2D(4) for _ in range(3)])
            self.folded = nn.Conv2D(4, 4, 3, padding=1)
            self.squeeze, self.excite = nn.Conv2D(4, 2, 1), nn.Conv2D(2, 4, 1)

        def fold(self):
            kernel, bias = 0, 0
            identity = np.zeros((4, 4, 3, 3), "float32")
            identity[range(4), range(4), 1, 1] = 1
            kernels = [self.three.weight.numpy(), np.pad(self.one.weight.numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)]),
                       identity]
            for norm, weight in zip(self.norms, kernels, strict=True):
                scale = norm.weight.numpy() / np.sqrt(norm._variance.numpy() + norm._epsilon)
                kernel = kernel + weight * scale[:, None, None, None]
                bias = bias + norm.bias.numpy() - norm._mean.numpy() * scale
            self.folded.weight.set_value(kernel)
            self.folded.bias.set_value(bias)
            return self

        def forward(self, x):
            y = F.relu(self.folded(x))
            gate = F.adaptive_avg_pool2d(y, 1)
            return (y * F.hardsigmoid(self.excite(F.relu(self.squeeze(gate))))).mean([2, 3])

    class Window(nn.Layer):
        """Shifted windows with a relative bias, as in Swin: roll, partition, attention with a mask, and back."""

        def __init__(self, size=4, window=2, heads=2, width=8):
            super().__init__()
            self.size, self.window, self.heads, self.shift = size, window, heads, 1
            self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.table = self.create_parameter([(2 * window - 1) ** 2, heads])
            places = np.stack(np.meshgrid(range(window), range(window), indexing="ij")).reshape(2, -1)
            apart = (places[:, :, None] - places[:, None]).transpose(1, 2, 0) + window - 1
            self.register_buffer("places", paddle.to_tensor(apart[..., 0] * (2 * window - 1) + apart[..., 1]))
            zones = np.zeros((1, size, size, 1))
            for i, rows in enumerate((slice(0, -2), slice(-2, -1), slice(-1, None))):
                for j, columns in enumerate((slice(0, -2), slice(-2, -1), slice(-1, None))):
                    zones[:, rows, columns] = 3 * i + j
            zones = zones.reshape(size // 2, 2, size // 2, 2).transpose(0, 2, 1, 3).reshape(-1, 1, 4)
            self.register_buffer("mask", paddle.to_tensor(
                np.where(zones == zones.transpose(0, 2, 1), 0, -100).astype("float32")))

        def forward(self, x):
            _, h, w, c = x.shape
            m = self.window
            y = paddle.roll(self.norm(x), [-self.shift, -self.shift], axis=[1, 2])
            y = y.reshape([-1, h // m, m, w // m, m, c]).transpose([0, 1, 3, 2, 4, 5]).reshape([-1, m * m, c])
            q, k, v = self.qkv(y).reshape([-1, m * m, 3, self.heads, c // self.heads]).transpose([2, 0, 3, 1, 4])
            scores = paddle.matmul(q * (c // self.heads) ** -0.5, k, transpose_y=True)
            bias = self.table[self.places.reshape([-1])].reshape([m * m, m * m, -1]).transpose([2, 0, 1])
            scores = scores + bias.unsqueeze(0)
            n = (h // m) * (w // m)
            scores = scores.reshape([-1, n, self.heads, m * m, m * m]) + self.mask.unsqueeze(1).unsqueeze(0)
            weights = F.softmax(scores.reshape([-1, self.heads, m * m, m * m]))
            y = paddle.matmul(weights, v).transpose([0, 2, 1, 3]).reshape([-1, m, m, c])
            y = y.reshape([-1, h // m, w // m, m, m, c]).transpose([0, 1, 3, 2, 4, 5]).reshape([-1, h, w, c])
            return x + self.out(paddle.roll(y, [self.shift, self.shift], axis=[1, 2]))

    class Lengths(nn.Layer):
        """Recurrent layers that stop at each sequence's own length."""

        def __init__(self):
            super().__init__()
            self.word = nn.Embedding(20, 4, padding_idx=0)
            self.lstm, self.gru = nn.LSTM(4, 3, 2, direction="bidirect"), nn.GRU(6, 3)

        def forward(self, ids, lengths):
            y, (h, c) = self.lstm(self.word(ids), sequence_length=lengths)
            y, last = self.gru(y, sequence_length=lengths)
            return paddle.concat([last[0], h[-1], c[0], y.sum(1)], -1)

    class Masked(nn.Layer):
        """An encoder that makes its attention mask of the ids, with a causal half and tied output embedding."""

        def __init__(self):
            super().__init__()
            self.word, self.place, self.kind = nn.Embedding(32, 8), nn.Embedding(16, 8), nn.Embedding(2, 8)
            self.norm, self.drop = nn.LayerNorm(8, epsilon=1e-12), nn.Dropout(0.1)
            self.body = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.1, "gelu", normalize_before=True),
                                              2, nn.LayerNorm(8))

        def forward(self, ids):
            count = paddle.cumsum(paddle.ones_like(ids), 1) - 1
            x = self.drop(self.norm(self.word(ids) + self.place(count) + self.kind(paddle.zeros_like(ids))))
            length = paddle.shape(ids)[1]
            causal = paddle.tril(paddle.ones([length, length]))
            seen = (ids != 0).astype("float32").unsqueeze([1, 2]) * causal
            mask = paddle.where(seen > 0, paddle.zeros_like(seen), paddle.full_like(seen, -1e4))
            return paddle.matmul(self.body(x, mask)[:, -1], self.word.weight, transpose_y=True)

    class Yolo(nn.Layer):
        """A head whose boxes are decoded in the program, best scores first, without suppression."""

        def __init__(self):
            super().__init__()
            self.stem, self.norm = nn.Conv2D(3, 8, 3, 2, 1, bias_attr=False), nn.BatchNorm2D(8)
            self.heads = nn.LayerList([nn.Conv2D(8, 2 * 7, 1) for _ in range(2)])
            self.register_buffer("anchors", paddle.to_tensor([[[10., 13.], [16., 30.]], [[33., 23.], [30., 61.]]]))

        def forward(self, image):
            x, boxes, scores = F.silu(self.norm(self.stem(image))), [], []
            for level, head in enumerate(self.heads):
                stride = 2 * 2 ** level
                y = head(F.avg_pool2d(x, 3, 1, 1))
                h, w = paddle.shape(y)[2], paddle.shape(y)[3]
                y = y.reshape([0, 2, 7, -1]).transpose([0, 1, 3, 2])
                rows, columns = paddle.meshgrid(paddle.arange(h, dtype="float32"), paddle.arange(w, dtype="float32"))
                grid = paddle.stack([columns, rows], -1).reshape([1, 1, -1, 2])
                xy, wh, rest = paddle.split(F.sigmoid(y * 0.2), [2, 2, 3], -1)
                xy = (xy * 2 - 0.5 + grid) * stride
                wh = (wh * 2) ** 2 * self.anchors[level].reshape([1, 2, 1, 2])
                boxes.append(paddle.concat([xy - wh / 2, xy + wh / 2], -1).flatten(1, 2))
                scores.append((rest[..., :1] * rest[..., 1:]).flatten(1, 2))
                x = F.max_pool2d(x, 2, 2)
            boxes, scores = paddle.concat(boxes, 1), paddle.concat(scores, 1)
            best, place = paddle.topk(scores.max(-1), 5)
            picked = paddle.take_along_axis(boxes, place.unsqueeze(-1).expand([-1, -1, 4]), 1)
            return paddle.concat([picked, best.unsqueeze(-1)], -1).clip(0, 64)

    class UNet(nn.Layer):
        """Down, up by three ways, and joined by padding to one size."""

        def __init__(self):
            super().__init__()
            def block(i, o):
                return nn.Sequential(nn.Conv2D(i, o, 3, padding=1), nn.InstanceNorm2D(o), nn.LeakyReLU(0.1))
            self.a, self.b, self.c = block(2, 4), block(4, 8), block(8, 8)
            self.up = nn.Conv2DTranspose(8, 4, 2, stride=2)
            self.last, self.near = nn.Conv2D(16, 1, 1), nn.Upsample(scale_factor=2, mode="nearest")
            self.shuffle, self.norm = nn.PixelShuffle(2), nn.GroupNorm(2, 8)

        def forward(self, x):
            a = self.a(x)
            b = self.b(F.max_pool2d(a, 2))
            c = self.norm(self.c(F.avg_pool2d(b, 2, ceil_mode=True)))
            c = F.interpolate(c, size=paddle.shape(b)[2:], mode="bilinear", align_corners=True)
            up = self.up(b + c)
            near = self.near(c)[:, :4]
            smooth = F.interpolate(b, scale_factor=2, mode="bicubic")[:, :2]
            y = paddle.concat([a, up, near, smooth, self.shuffle(c)], 1)
            return F.sigmoid(self.last(F.pad(y, [1, 1, 1, 1], mode="reflect")))

    class Greedy(nn.Layer):
        """Decodes one token after another until all ended: a loop, with a choice inside."""

        def __init__(self):
            super().__init__()
            self.word, self.cell, self.out = nn.Embedding(7, 4), nn.GRUCell(4, 4), nn.Linear(4, 7)

        def forward(self, ids):
            state = paddle.tanh(self.word(ids).mean(1))
            token, score = ids[:, -1], paddle.zeros([], "float32")
            count, out = paddle.zeros([], "int64"), paddle.zeros([8, 3], "int64")

            def going(count, token, state, score, out):
                return paddle.logical_and(count < 8, paddle.any(token != 0))

            def body(count, token, state, score, out):
                state, _ = self.cell(self.word(token), state)
                chances = F.log_softmax(self.out(state))
                best = chances.argmax(-1)
                score = paddle.static.nn.cond(chances.max() > -1.2, lambda: score + chances.max(-1).sum(),
                                              lambda: score - 1.0)
                out = paddle.scatter(out, count.reshape([1]), best.unsqueeze(0))
                return count + 1, best, state, score, out

            count, token, state, score, out = paddle.static.nn.while_loop(
                going, body, [count, token, state, score, out])
            return out.astype("float32").sum(0) + score + count.astype("float32")

    class Small(nn.Layer):
        """Parameters of 16 and 8 bits, widened where they are used."""

        def __init__(self):
            super().__init__()
            self.narrow = self.create_parameter([4, 6], dtype="float16")
            self.wide = self.create_parameter([6, 3], dtype="bfloat16")
            self.register_buffer("whole", paddle.to_tensor(rng.integers(-127, 128, (3, 5)).astype("int8")))
            self.scale = self.create_parameter([5], default_initializer=nn.initializer.Constant(0.01))

        def forward(self, x):
            y = F.relu(paddle.matmul(x, self.narrow.astype("float32")))
            y = F.gelu(paddle.matmul(y, self.wide.astype("float32")), approximate=True)
            return paddle.matmul(y, self.whole.astype("float32") * self.scale)

    class Reader(nn.Layer):
        """Text in images (CRNN) of any height and width: convolutions, columns as steps, a bidirectional LSTM."""

        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2D(1, 4, 3, stride=[2, 1], padding=1), nn.BatchNorm2D(4)
            self.act, self.lstm = nn.PReLU(4), nn.LSTM(4, 3, direction="bidirect")
            self.out = nn.Linear(6, 5)

        def forward(self, image):
            x = self.act(self.norm(self.conv(image))).mean(2)
            x = self.lstm(x.transpose([0, 2, 1]))[0]
            return F.log_softmax(self.out(x), -1).transpose([1, 0, 2])

    class Patches(nn.Layer):
        """A vision transformer: a class token for any batch, learned places, attention in one call."""

        def __init__(self):
            super().__init__()
            self.patch, self.token = nn.Conv2D(3, 8, 4, 4), self.create_parameter([1, 1, 8])
            self.place, self.norm = self.create_parameter([1, 5, 8]), nn.LayerNorm(8)
            self.qkv, self.one, self.two = nn.Linear(8, 24), nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, image):
            x = self.patch(image).flatten(2).transpose([0, 2, 1])
            x = paddle.concat([self.token.expand([paddle.shape(x)[0], -1, -1]), x], 1) + self.place
            q, k, v = self.qkv(self.norm(x)).reshape([0, 0, 3, 2, 4]).unbind(2)
            x = x + F.scaled_dot_product_attention(q, k, v).flatten(2)
            return self.two(F.swish(self.one(x[:, 0]))).chunk(3, -1)[1] + x.std([1, 2]).unsqueeze(-1)

    class Rotary(nn.Layer):
        """A decoder layer of the present kind: RMS norm, rotary places, grouped keys, a gated unit."""

        def __init__(self):
            super().__init__()
            self.word, self.gain = nn.Embedding(16, 8), self.create_parameter(
                [8], default_initializer=nn.initializer.Constant(1.5))
            self.q, self.kv = nn.Linear(8, 8, bias_attr=False), nn.Linear(8, 8, bias_attr=False)
            self.gate, self.rise, self.fall = (nn.Linear(8, 8, bias_attr=False) for _ in range(3))
            self.register_buffer("speeds", 1.0 / 10.0 ** (paddle.arange(0, 4, 2, dtype="float32") / 4))

        def turn(self, x, angle):
            one, two = x[..., :2], x[..., 2:]
            return x * paddle.cos(angle) + paddle.concat([-two, one], -1) * paddle.sin(angle)

        def forward(self, ids):
            x = self.word(ids)
            y = x * paddle.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain
            b, s = paddle.shape(ids)[0], paddle.shape(ids)[1]
            angle = paddle.outer(paddle.arange(s, dtype="float32"), self.speeds)
            angle = paddle.concat([angle, angle], -1).unsqueeze([0, 1])
            q = self.turn(self.q(y).reshape([b, s, 2, 4]).transpose([0, 2, 1, 3]), angle)
            k, v = self.kv(y).reshape([b, s, 2, 1, 4]).transpose([2, 0, 3, 1, 4])
            k = paddle.tile(self.turn(k, angle), [1, 2, 1, 1])
            v = v.expand([-1, 2, -1, -1])
            scores = paddle.matmul(q, k, transpose_y=True) / 2 + paddle.triu(paddle.full([s, s], -1e9), 1)
            y = x + paddle.matmul(F.softmax(scores), v).transpose([0, 2, 1, 3]).reshape([b, s, 8])
            return (y + self.fall(F.silu(self.gate(y)) * self.rise(y))).argsort(-1).astype("float32") + y

    def ids(most, *shape):
        return rng.integers(1, most, shape)

    padded = np.array([[3, 5, 9, 0, 0], [4, 2, 8, 7, 1]])
    return {
        "folded": (Folded, [([None, 4, 6, 6], "float32")], [[normal(2, 4, 6, 6)], [normal(1, 4, 6, 6)]]),
        "window": (Window, [([None, 4, 4, 8], "float32")], [[normal(2, 4, 4, 8)], [normal(1, 4, 4, 8)]]),
        "lengths": (Lengths, [([None, None], "int64"), ([None], "int64")],
                    [[padded, np.array([3, 5])], [ids(20, 1, 3), np.array([2])]]),
        "masked": (Masked, [([None, None], "int64")], [[padded], [ids(32, 1, 7)]]),
        "yolo": (Yolo, [([None, 3, None, None], "float32")], [[normal(2, 3, 16, 24)], [normal(1, 3, 16, 16)]]),
        "unet": (UNet, [([None, 2, None, None], "float32")], [[normal(1, 2, 8, 12)], [normal(2, 2, 4, 8)]]),
        "greedy": (Greedy, [([3, None], "int64")], [[ids(7, 3, 4)], [ids(7, 3, 2)]]),
        "small": (Small, [([None, 4], "float32")], [[normal(3, 4)], [normal(1, 4)]]),
        "reader": (Reader, [([None, 1, None, None], "float32")], [[normal(2, 1, 8, 5)], [normal(1, 1, 6, 9)]]),
        "patches": (Patches, [([None, 3, 8, 8], "float32")], [[normal(2, 3, 8, 8)], [normal(1, 3, 8, 8)]]),
        "rotary": (Rotary, [([None, None], "int64")], [[ids(16, 2, 5)], [ids(16, 1, 3)]]),
    }

def model(paddle, name):
    """The Layer of this name in evaluation mode, with the same parameters everywhere; specs and calls as in `kinds`."""
    kind, specs, calls = kinds(paddle)[name]
    layer = kind()
    layer.eval()
    for key, tensor in sorted(layer.state_dict().items()):
        tensor.set_value(paddle.to_tensor(drawn(key, tensor, layer)).astype(tensor.dtype))
    return layer.fold() if name == "folded" else layer, specs, calls


def drawn(name, tensor, layer):
    """Values that do not depend on who makes them, for parameters; buffers stay, but for statistics."""
    rng, value = np.random.default_rng(sum(map(ord, name))), tensor.numpy()
    if name.endswith("_variance"):
        return rng.uniform(0.5, 1.5, value.shape).astype("float32")
    buffers = [n for n, _ in layer.named_buffers()]
    if name in buffers and not name.endswith("_mean"):
        return value
    return rng.normal(0.2, 0.5, value.shape).astype("float32")


def main(folder):
    import paddle
    os.makedirs(folder, exist_ok=True)
    for name in kinds(paddle):
        layer, specs, calls = model(paddle, name)
        record(folder, name, calls, lambda arrays, layer=layer: layer(*map(paddle.to_tensor, arrays)).numpy())
        paddle.jit.save(layer, os.path.join(folder, name), [
            paddle.static.InputSpec(s, d, f"in_{i}") for i, (s, d) in enumerate(specs)])
    paddle.enable_static()
    for name, (kind, specs, calls) in kinds(paddle).items():
        if name not in ("window", "small", "yolo", "rotary"):         # these have buffers that they make of arrays
            static(paddle, folder, f"{name}_static", kind, specs, calls)


def static(paddle, folder, name, kind, specs, calls):
    """A program of static mode, with the parameters that its startup program draws."""
    program, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(program, startup):
        layer = kind()
        layer.eval()
        inputs = [paddle.static.data(f"in_{i}", s, d) for i, (s, d) in enumerate(specs)]
        out = layer(*inputs)
    executor = paddle.static.Executor(paddle.CPUPlace())
    executor.run(startup)
    record(folder, name, calls, lambda arrays: executor.run(
        program, feed={f"in_{i}": a for i, a in enumerate(arrays)}, fetch_list=[out])[0])
    paddle.static.save_inference_model(os.path.join(folder, name), inputs, [out], executor, program=program)


def record(folder, name, calls, run):
    results = {}
    for c, arrays in enumerate(calls):
        results |= {f"input_{c}_{i}": a for i, a in enumerate(arrays)} | {f"output_{c}": run(arrays)}
    np.savez_compressed(os.path.join(folder, f"{name}.npz"), **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
