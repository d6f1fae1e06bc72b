"""The models of paddle.vision: state, printing and outputs as recorded from real Paddle."""
import gzip
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from vision_cases import CASES, image, layout, make, weights

import kayax as paddle
from kayax.vision import models

RECORDED = json.loads(gzip.decompress((Path(__file__).parent / "reference" / "vision.json.gz").read_bytes()))


# Large ones that differ from others in numbers alone: set KAYAX_ALL_MODELS=1 to compare them too.
LARGE = set("""vgg13 vgg16 vgg19 resnet34 resnet101 resnet152 resnext50_64x4d resnext101_32x4d resnext101_64x4d
               resnext152_32x4d resnext152_64x4d wide_resnet101_2 densenet161 densenet169 densenet201 densenet264
               shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0""".split())
SLOW = set("alexnet densenet121 inception_v3 googlenet mobilenet_v3_large squeezenet1_1 shufflenet_v2_x0_33".split())


def chosen(names, left_out):
    every = os.environ.get("KAYAX_ALL_MODELS") == "1"
    return [name for name in names if every or name not in left_out]


@pytest.fixture(autouse=True)
def cheap_parameters(monkeypatch):
    """Values are set by the tests: drawing millions of random numbers first would only take time."""
    from kayax.layers import initializer
    monkeypatch.setattr(initializer.Normal, "__call__", lambda self, parameter, block=None: parameter)
    for kind in (initializer.XavierUniform, initializer.Uniform):
        monkeypatch.setattr(kind, "__call__", lambda self, parameter, block=None: parameter)


@pytest.mark.parametrize("name", chosen(CASES, LARGE))
def test_a_model_has_paddles_names_shapes_and_printing(name):
    model = make(models, name)
    assert layout(model) == RECORDED[name]["layout"]
    assert hashlib.sha256(repr(model).encode()).hexdigest() == RECORDED[name]["printed"]


@pytest.mark.parametrize("name", chosen([name for name, size in CASES.items() if size is not None], SLOW))
def test_a_model_computes_what_paddles_does(name):
    model = make(models, name)
    missing, unexpected = model.set_state_dict(weights(model))
    assert (missing, unexpected) == ([], [])
    x = paddle.to_tensor(image(CASES[name]))
    converted = paddle.jit.to_static(model)         # one program: quicker than operation by operation
    with paddle.no_grad():
        outputs = converted(x)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    assert len(outputs) == len(RECORDED[name]["outputs"])
    for got, expected in zip(outputs, RECORDED[name]["outputs"], strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got.numpy().reshape(-1), expected, rtol=2e-4, atol=2e-4 * scale)


def test_pretrained_weights_are_not_downloaded():
    with pytest.raises(NotImplementedError, match=r"resnet18\(pretrained=True\).*set_state_dict\(paddle.load"):
        models.resnet18(pretrained=True)


def test_without_classes_and_pooling_a_model_gives_features():
    model = models.resnet18(num_classes=0, with_pool=False)
    model.eval()
    assert model(paddle.zeros([1, 3, 32, 32])).shape == [1, 512, 1, 1]
    assert "fc.weight" not in model.state_dict()


@pytest.mark.parametrize("wrong", [
    lambda: models.ResNet(models.resnet.BasicBlock, depth=33), lambda: models.DenseNet(layers=100),
    lambda: models.SqueezeNet("2.0"), lambda: models.ShuffleNetV2(scale=3.0), lambda: models.ShuffleNetV2(act="elu"),
    lambda: models.resnet.BasicBlock(3, 4, dilation=2)])
def test_variants_that_do_not_exist_are_named(wrong):
    with pytest.raises(Exception, match=r"must be|has no dilation"):
        wrong()
