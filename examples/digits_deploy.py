"""Load the digits model that another program saved; predict, fine-tune and save again. The model's source is not here.

    python digits_deploy.py PREFIX [--accuracy EXPECTED]

digits.py runs a copy of this file in an empty folder: all that is known of the model are its three files.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kayax as paddle

SEED = 2024     # the same split as in training, so that the test images are new to the model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prefix", type=Path, help="the path given to jit.save")
    parser.add_argument("--accuracy", type=float, help="the test accuracy before saving, to be met")
    options = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32").reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels.astype("int64"), test_size=0.25, random_state=SEED, stratify=labels)

    net = paddle.jit.load(str(options.prefix))

    def accuracy() -> float:
        net.eval()
        return float(np.mean(net(paddle.to_tensor(test_x)).numpy().argmax(1) == test_y))

    loaded = accuracy()
    count = sum(p.size for p in net.parameters())
    print(f"  loaded a {type(net).__name__} with {int(count)} parameters; test accuracy {loaded:.2%}")
    if options.accuracy is not None and abs(loaded - options.accuracy) > 1e-9:
        sys.exit(f"The loaded model's accuracy is {loaded:.4%}; before it was saved it was {options.accuracy:.4%}.")

    paddle.seed(SEED)
    net.train()
    data = paddle.io.TensorDataset([paddle.to_tensor(train_x), paddle.to_tensor(train_y)])
    loader = paddle.io.DataLoader(data, batch_size=64, shuffle=True, drop_last=True)
    adam = paddle.optimizer.Adam(learning_rate=2e-4, parameters=net.parameters())
    losses = []
    for _ in range(3):
        for x, y in loader:
            loss = paddle.nn.functional.cross_entropy(net(x), y)
            loss.backward()
            adam.step()
            adam.clear_grad()
            losses.append(float(loss))
    tuned = accuracy()
    print(f"  fine-tuned for 3 epochs: loss {np.mean(losses[-len(loader):]):.4f}; test accuracy {tuned:.2%}")

    net.train()
    target = options.prefix.with_name(options.prefix.name + "_tuned")
    paddle.jit.save(net, str(target), input_spec=[paddle.to_tensor(test_x[:1])])
    again = paddle.jit.load(str(target))
    again.eval()
    net.eval()
    probe = paddle.to_tensor(test_x[:1])
    np.testing.assert_allclose(again(probe).numpy(), net(probe).numpy(), rtol=1e-5, atol=1e-5)
    print("  saved again, loaded again: the same prediction")
    if tuned < loaded - 0.01:
        sys.exit(f"Fine-tuning lowered the test accuracy from {loaded:.2%} to {tuned:.2%}.")


if __name__ == "__main__":
    main()
