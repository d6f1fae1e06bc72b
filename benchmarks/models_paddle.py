"""The six models of the benchmark in Paddle's API: run on Kayax and on Paddle itself."""
from __future__ import annotations

from typing import Any

import numpy as np

# name -> (input maker, number of classes); all arrays from one seed
SIZES = {"LinearNet": (16, 784), "MLP": (64, 256), "LeNet": (64, 1, 28, 28), "ResNet18": (16, 3, 64, 64),
         "Transformer": (16, 64), "LSTM": (32, 50, 64)}
CLASSES = {"LinearNet": 10, "MLP": 256, "LeNet": 10, "ResNet18": 100, "Transformer": 1000, "LSTM": 10}
WIDTH, HEADS, DEPTH, FEEDFORWARD, HIDDEN, DROPOUT = 256, 4, 4, 1024, 128, 0.1


def batch(name: str) -> tuple[np.ndarray, np.ndarray]:
    """One batch of inputs and labels."""
    rng = np.random.default_rng(0)
    size = SIZES[name]
    if name == "Transformer":
        return rng.integers(0, CLASSES[name], size), rng.integers(0, CLASSES[name], (*size, 1))
    return rng.standard_normal(size, np.float32), rng.integers(0, CLASSES[name], (size[0], 1))


def make(name: str, paddle: Any) -> Any:
    """The model as a Layer of the given package."""
    nn = paddle.nn

    class LeNet(nn.Layer):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2D(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2),
                                          nn.Conv2D(6, 16, 5), nn.ReLU(), nn.MaxPool2D(2, 2))
            self.fc = nn.Sequential(nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10))

        def forward(self, x):
            return self.fc(self.features(x).flatten(1))

    class Language(nn.Layer):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(CLASSES[name], WIDTH)
            self.positions = self.create_parameter([SIZES[name][1], WIDTH])
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, FEEDFORWARD, dropout=DROPOUT, activation="gelu",
                                               normalize_before=True)
            self.encoder = nn.TransformerEncoder(layer, DEPTH, nn.LayerNorm(WIDTH))
            self.head = nn.Linear(WIDTH, CLASSES[name])

        def forward(self, x):
            return self.head(self.encoder(self.tokens(x) + self.positions))

    class Sequence(nn.Layer):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(SIZES[name][2], HIDDEN)
            self.fc = nn.Linear(HIDDEN, 10)

        def forward(self, x):
            _, (hidden, _) = self.lstm(x)
            return self.fc(hidden[-1])

    if name == "LinearNet":
        return nn.Linear(784, 10)
    if name == "MLP":
        layers = []
        for _ in range(8):
            layers += [nn.Linear(256, 256), nn.ReLU()]
        return nn.Sequential(*layers)
    if name == "ResNet18":
        return paddle.vision.models.resnet18(num_classes=CLASSES[name])
    return {"LeNet": LeNet, "Transformer": Language, "LSTM": Sequence}[name]()


def make_step(name: str, way: str, paddle: Any) -> Any:
    """A function that takes one training step and gives the loss, run in this way ("eager", "forward" or "step"), and
    one that waits for the loss and for the weights, which other programs than the loss's may write."""
    paddle.seed(0)
    model = make(name, paddle)
    optimizer = paddle.optimizer.Adam(learning_rate=1e-3, parameters=model.parameters())
    loss_fn = paddle.nn.CrossEntropyLoss()
    if way == "forward":
        model = paddle.jit.to_static(model)

    def step(x, y):
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    run = paddle.jit.to_static(step) if way == "step" else step
    x, y = (paddle.to_tensor(a) for a in batch(name))
    smallest = min(model.parameters(), key=lambda p: p.size)
    return lambda: run(x, y), lambda loss: (loss.numpy(), smallest.numpy())
