"""Train a small convolutional network on handwritten digits in three ways, save it, and run it without its source.

    make demo                              (or: python examples/digits.py)

The model and its training are written once. First every operation runs eagerly; then one line, ``to_static``,
compiles the network; then one line compiles the whole training step. ``jit.save`` writes three files, and a second
script (digits_deploy.py) loads them in a new process, in an empty folder, predicts, fine-tunes and saves again.
"""
from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec

SEED = 2024
BATCH_SIZE = 32
GOAL = 0.97


class Digits(paddle.io.Dataset):
    """Scikit-learn's handwritten digits: 1797 grey images of 8 x 8, a quarter of them kept for the test."""

    def __init__(self, part: str):
        super().__init__()
        images, labels = load_digits(return_X_y=True)
        images = (images / 16.0).astype("float32").reshape(-1, 1, 8, 8)
        split = train_test_split(images, labels.astype("int64"), test_size=0.25, random_state=SEED, stratify=labels)
        self.images, self.labels = split[0::2] if part == "train" else split[1::2]

    def __getitem__(self, index):
        return self.images[index], self.labels[index]

    def __len__(self):
        return len(self.labels)


class ConvNet(nn.Layer):
    """Two convolutions with batch normalization, one pooling, dropout, two linear layers."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2D(1, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(),
            nn.Conv2D(16, 32, 3, padding=1), nn.BatchNorm2D(32), nn.ReLU(), nn.MaxPool2D(2))
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, images):
        return self.head(self.features(images))


def accuracy(net, loader) -> float:
    """The share of right answers in eval mode; the mode is set back to train."""
    net.eval()
    with paddle.no_grad():
        right = [np.mean(net(images).numpy().argmax(1) == labels.numpy()) * len(labels) for images, labels in loader]
    net.train()
    return float(sum(right)) / len(loader.dataset)


def train(name: str, step, loader, epochs: int) -> dict:
    """Run `step` over the data; returns the last epoch's mean loss, the first and the median step time, the speed."""
    times, losses, seen, start = [], [], 0, 0.0
    for epoch in range(1, epochs + 1):
        losses.clear()
        with tqdm(loader, desc=f"{name}, epoch {epoch}/{epochs}", unit="step", leave=False, disable=None) as bar:
            for images, labels in bar:
                begin = time.perf_counter()
                losses.append(float(step(images, labels)))
                times.append(time.perf_counter() - begin)
                # The first step compiles (or warms the eager operations up): it is shown on its own.
                start = start or time.perf_counter()
                seen += len(labels) if len(times) > 1 else 0
                bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    rate = seen / (time.perf_counter() - start)
    return {"loss": statistics.fmean(losses), "first": times[0], "step": statistics.median(times[1:]), "rate": rate}


def report(name: str, epochs: int, run: dict, test: float) -> None:
    """One line of the table."""
    print(f"{name:<24}{epochs:>6}{run['first'] * 1e3:>11.0f}{run['step'] * 1e3:>10.2f}{run['rate']:>12.0f}"
          f"{run['loss']:>9.4f}{test * 100:>10.2f} %", flush=True)


def deploy(prefix: Path, test: float) -> None:
    """Run the second script where the model's source cannot be found: a copy of it, alone in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        script = shutil.copy(Path(__file__).with_name("digits_deploy.py"), folder)
        subprocess.run([sys.executable, script, str(prefix), "--accuracy", repr(test)], cwd=folder, check=True)


def show_files(prefix: Path) -> None:
    """Name and size of what was saved under `prefix`."""
    for file in sorted(prefix.parent.glob(prefix.name + ".*")):
        print(f"  {file.name:<28}{file.stat().st_size / 1024:>9.1f} KiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("digits.out"), help="folder for the saved models")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of the last way, the whole converted step")
    options = parser.parse_args()

    began = time.perf_counter()
    paddle.seed(SEED)
    np.random.seed(SEED)
    train_set, test_set = Digits("train"), Digits("test")
    loader = paddle.io.DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True, drop_last=True, num_workers=2,
                                  persistent_workers=True)
    test_loader = paddle.io.DataLoader(test_set, batch_size=150)
    print(f"Handwritten digits: {len(train_set)} images to train, {len(test_set)} to test; batches of {BATCH_SIZE}, "
          f"2 loader processes, {paddle.get_device()}, {os.cpu_count()} cores\n")
    print(f"{'':<24}{'epochs':>6}{'first step':>11}{'a step':>10}{'samples':>12}{'':>9}{'test':>12}")
    print(f"{'the same code, run':<24}{'':>6}{'ms':>11}{'ms':>10}{'per second':>12}{'loss':>9}{'accuracy':>12}")

    net = ConvNet()
    loss_fn = nn.CrossEntropyLoss()
    adam = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())

    def step(images, labels):
        loss = loss_fn(net(images), labels)
        loss.backward()
        adam.step()
        adam.clear_grad()
        return loss

    run = train("eagerly", step, loader, 1)
    report("eagerly", 1, run, accuracy(net, test_loader))

    paddle.jit.to_static(net)                       # the network is one program now; the rest stays as it was
    run = train("network converted", step, loader, 1)
    report("network converted", 1, run, accuracy(net, test_loader))

    whole = paddle.jit.to_static(step)              # forward, backward and update are one program
    run = train("whole step converted", whole, loader, options.epochs)
    test = accuracy(net, test_loader)
    report("whole step converted", options.epochs, run, test)

    prefix = options.out.resolve() / "digits"
    paddle.jit.save(net, str(prefix), input_spec=[InputSpec([None, 1, 8, 8], "float32", "images")])
    print(f"\nSaved in train mode, to predict and to be trained on, in {options.out}/:")
    show_files(prefix)

    print("\nIn a new process, in an empty folder, without the model's source:", flush=True)
    deploy(prefix, test)
    show_files(prefix.with_name("digits_tuned"))
    print(f"\nDone in {time.perf_counter() - began:.0f} s.")
    if test <= GOAL:
        sys.exit(f"The test accuracy, {test:.2%}, is not over {GOAL:.0%}.")


if __name__ == "__main__":
    main()
