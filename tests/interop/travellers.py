"""Small models of the kinds that people deploy."""
import numpy as np

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec


class Net(nn.Layer):
    """Convolutions, batch normalization, pooling, dropout, a classifier."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2D(2, 4, 3, padding=1), nn.BatchNorm2D(4), nn.ReLU(), nn.MaxPool2D(3, 2, 1),
            nn.Conv2D(4, 4, 3, groups=4, padding="SAME", bias_attr=False), nn.Hardswish(),
            nn.AdaptiveAvgPool2D(2), nn.Flatten(), nn.Dropout(0.5))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return nn.functional.softmax(self.head(self.body(x)))


class Encoder(nn.Layer):
    """Embeddings, attention with a mask, exact GELU, layer normalization."""

    def __init__(self):
        super().__init__()
        self.word, self.place = nn.Embedding(32, 8), nn.Embedding(16, 8)
        self.norm = nn.LayerNorm(8)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu"), 1)
        self.out = nn.Linear(8, 3)

    def forward(self, ids, mask):
        place = paddle.arange(ids.shape[1]).unsqueeze(0)
        x = self.norm(self.word(ids) + self.place(place))
        bias = (1.0 - mask.astype("float32")).unsqueeze([1, 2]) * -1e4
        return self.out(self.encoder(x, bias)[:, 0])


class Recurrent(nn.Layer):
    """A bidirectional LSTM and a GRU over sequences of any length."""

    def __init__(self):
        super().__init__()
        self.word, self.lstm, self.gru = nn.Embedding(20, 4), nn.LSTM(4, 5, direction="bidirect"), nn.GRU(10, 3)

    def forward(self, ids):
        return self.gru(self.lstm(self.word(ids))[0])[0][:, -1]


class Flow(nn.Layer):
    """A choice and a loop that depend on values."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        y = paddle.static.nn.cond(y.sum() > 0, lambda: y * 2, lambda: y - 1)
        count = paddle.zeros([], "int64")

        def body(i, y):
            return i + 1, y + paddle.tanh(y)

        return paddle.static.nn.while_loop(lambda i, y: (i < 5) & (y.abs().max() < 50), body, [count, y])[1]


def _normal(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def _ids(*shape):
    return np.random.default_rng(2).integers(0, 16, shape)


def _mask(batch, size):
    return (np.arange(size) < np.arange(size, size - batch, -1)[:, None]).astype("int64")


TRAVELLERS = {
    "net": (Net, [InputSpec(["n", 2, 8, 8], "float32", "x")], [[_normal(3, 2, 8, 8)], [_normal(1, 2, 8, 8)]]),
    "encoder": (Encoder, [InputSpec(["b", "s"], "int64", "ids"), InputSpec(["b", "s"], "int64", "mask")],
                [[_ids(2, 7), _mask(2, 7)], [_ids(1, 3), _mask(1, 3)]]),
    "recurrent": (Recurrent, [InputSpec(["b", "s"], "int64", "ids")], [[_ids(2, 6)], [_ids(1, 3)]]),
    "flow": (Flow, [InputSpec(["b", 4], "float32", "x")], [[_normal(3, 4)], [_normal(1, 4) + 6]]),
}
