"""Sizes as Tensors, in saved programs: each holds for every size."""
import numpy as np

import kayax as paddle


class Heads(paddle.nn.Layer):
    def forward(self, x, y):
        batch, length = paddle.shape(x)[0], paddle.shape(x)[1]
        heads = x.reshape([batch, length, 2, -1]).transpose([0, 2, 1, 3])
        start = paddle.expand(paddle.ones([1, 1, 4]), [batch, -1, -1])
        places = paddle.arange(length, dtype="float32")
        return heads.reshape([batch * 2, length, -1]), paddle.concat([start, x], 1), places + y[:, :length]


def test_a_saved_program_computes_with_open_sizes(tmp_path):
    layer = Heads()
    spec = paddle.static.InputSpec
    paddle.jit.save(layer, str(tmp_path / "heads"), input_spec=[spec(["b", "n", 4]), spec(["b", "m"])],
                    constraints=["m >= n"])
    loaded = paddle.jit.load(str(tmp_path / "heads"))
    for batch, length in ((1, 2), (3, 5)):
        x, y = paddle.randn([batch, length, 4]), paddle.randn([batch, length + 1])
        for got, want in zip(loaded(x, y), layer(x, y), strict=True):
            np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_a_written_size_is_not_known_any_more():
    def written(x):
        sizes = paddle.shape(x)
        first = sizes[0]
        sizes[0] = 9
        return paddle.zeros([first])

    report = paddle.jit.check(written, paddle.ones([3, 4]))
    assert report.fell_back
