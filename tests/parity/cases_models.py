"""Metrics, and the names and shapes of the model zoo's parameters."""

from __future__ import annotations

import zlib

import numpy as np
from harness import name_pattern, program, words
from specs import f32, ints, simplex, unit


def facts(net):
    """Every entry of the state dict; its text is kept for small models, its checksum for deep ones."""
    lines = [f"{key} {list(value.shape)} {name_pattern(value.name)}" for key, value in net.state_dict().items()]
    text = "\n".join(lines)
    return [len(lines), sum(p.size for p in net.parameters()), zlib.crc32(text.encode())], lines if len(
        lines
    ) < 150 else lines[:9]


for name in words("LeNet resnet18 resnet34 resnet50"):

    def model(P, name=name):
        return facts(getattr(P.vision.models, name)())

    model.__module__ = __name__
    program(f"vision.models.{name}/names")(model)


@program("vision.models.resnet18/options", [f32(1, 3, 32, 32)])
def resnet_options(P, x):
    net = P.vision.models.resnet18(num_classes=0, with_pool=True)
    net.eval()
    return list(net(P.to_tensor(x)).shape), facts(net)[0]


@program("metric.accuracy", [simplex(6, 4), ints(0, 4, 6, 1)])
def accuracy(P, x, y):
    a, b = P.to_tensor(x), P.to_tensor(y)
    return [P.metric.accuracy(a, b), P.metric.accuracy(a, b, k=2)]


@program("metric/classes", [simplex(6, 4), ints(0, 4, 6, 1), unit(8, 1), ints(0, 2, 8, 1)])
def metrics(P, x, y, probability, truth):
    out = {}
    top = P.metric.Accuracy(topk=(1, 2))
    for half in (slice(0, 3), slice(3, 6)):
        correct = top.compute(P.to_tensor(x[half]), P.to_tensor(y[half]))
        out[f"update-{half.start}"] = [float(v) for v in np.ravel(top.update(correct))]
    out["accuracy"] = [[float(v) for v in top.accumulate()], top.name()]
    top.reset()
    for name in words("Precision Recall"):
        metric = getattr(P.metric, name)()
        metric.update(probability, truth)
        out[name] = [float(metric.accumulate()), metric.name()]
    area = P.metric.Auc()
    area.update(np.concatenate([1 - probability, probability], 1), truth)
    out["Auc"] = [float(area.accumulate()), area.name()]
    return out
