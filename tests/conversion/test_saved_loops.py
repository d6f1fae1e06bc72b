"""Saved programs: long loops are one loop if they can be, caches are computed; with the eager results and gradients."""
import functools

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec


class Recurrent(nn.Layer):
    """A step with a branch that a tensor decides, a loop left early, a buffer that counts its rounds."""

    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(3, 3)
        self.register_buffer("rounds", paddle.zeros([]))

    def forward(self, x):
        h, total = x[:, 0], paddle.zeros([])
        for t in range(x.shape[1]):
            z = paddle.tanh(self.cell(h) + x[:, t])
            h = h + z if z.mean() > 0 else h * 0.5 - z
            if h.abs().max() > 9:
                break
            total = total + h.sum()
            self.rounds.add_(paddle.ones([]))
        return h, total


class Collecting(nn.Layer):
    """What is collected in each round is stacked: the rounds are run one after another."""

    def __init__(self):
        super().__init__()
        self.scale = self.create_parameter([3])

    def forward(self, x):
        rows = []
        for i in range(34):
            if x.sum() > i:
                x = x * self.scale * 0.5
            rows.append(x)
        return paddle.stack(rows), x


@pytest.mark.parametrize("kind, shapes, most", [(Recurrent, [(2, 40, 3), (5, 40, 3)], 100_000),
                                                (Collecting, [(2, 3), (4, 3)], None)])
def test_saved_loop_is_the_eager_one(tmp_path, kind, shapes, most):
    paddle.seed(3)
    model = kind()
    paddle.jit.save(model, str(tmp_path / "m"), input_spec=[InputSpec([None, *shapes[0][1:]], "float32")])
    if most is not None:                        # 34 rounds, each with its branch, would take ten times as much
        assert (tmp_path / "m.pdmodel").stat().st_size < most
    for shape in shapes:
        values = np.random.default_rng(1).normal(size=shape).astype("float32")
        results = []
        for run in (model, paddle.jit.load(str(tmp_path / "m"))):
            x = paddle.to_tensor(values, stop_gradient=False)
            outs = run(x)
            sum(out.sum() for out in outs).backward()
            results.append([*outs, x.grad, *(p.grad for p in run.parameters()), *run.buffers()])
        for eager, saved in zip(*results, strict=True):
            np.testing.assert_allclose(saved.numpy(), eager.numpy(), rtol=1e-4, atol=1e-5)
        model.clear_gradients()
        for buffer in model.buffers():
            buffer.set_value(paddle.zeros([]))


@functools.lru_cache(maxsize=8)
def numbers(n):
    return paddle.arange(n).astype("float32")


class Keeping(nn.Layer):
    @functools.cached_property
    def twos(self):
        return paddle.full([3], 2.0)

    def forward(self, x):
        y = x * self.twos + numbers(x.shape[0]).unsqueeze(1) + sum(x * i for i in range(2))
        y[x.sum().astype("int64").clip(0, 1):, 0] = 5.0
        return y


def test_what_functools_keeps_is_computed_by_a_saved_program(tmp_path):
    model = Keeping()
    paddle.jit.save(model, str(tmp_path / "m"), input_spec=[InputSpec([None, 3], "float32")])
    saved = paddle.jit.load(str(tmp_path / "m"))
    for n in (2, 4):
        x = paddle.ones([n, 3])
        np.testing.assert_array_equal(saved(x).numpy(), model(x).numpy())
