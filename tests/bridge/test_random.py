"""Random numbers: ranges, moments, types, and that the seed decides them."""
import numpy as np
import pytest

import kayax as paddle


def test_the_seed_decides_the_numbers_and_each_call_draws_new_ones():
    def draw():
        paddle.seed(7)
        return [paddle.randn([4]).numpy(), paddle.randn([4]).numpy(), paddle.randperm(9).numpy()]

    first, second = draw(), draw()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_uniform_numbers_lie_in_their_range(dtype):
    x = paddle.uniform([2000], dtype, min=-2.0, max=3.0)
    assert x.dtype == dtype
    values = x.numpy().astype(np.float64)
    assert values.min() >= -2 and values.max() <= 3
    assert abs(values.mean() - 0.5) < 0.2
    assert paddle.rand([1000]).numpy().min() >= 0


def test_normal_numbers_have_their_moments():
    x = paddle.normal(3.0, 0.5, [4000]).numpy()
    assert abs(x.mean() - 3) < 0.05 and abs(x.std() - 0.5) < 0.05
    means = paddle.normal(paddle.to_tensor([0.0, 100.0]), 1.0)
    assert means.shape == [2] and means.numpy()[1] > 50


def test_integers_cover_their_range():
    x = paddle.randint(-2, 3, [1000])
    assert x.dtype == "int64" and set(x.numpy().tolist()) == {-2, -1, 0, 1, 2}
    assert paddle.randint(5, shape=[3], dtype="int32").dtype == "int32"
    with pytest.raises(ValueError, match="low must be less than high"):
        paddle.randint(0, 0)


def test_multinomial_without_replacement_draws_each_index_once():
    x = paddle.to_tensor([[0.1, 0.2, 0.3, 0.4]] * 50)
    drawn = paddle.multinomial(x, 4).numpy()
    np.testing.assert_array_equal(np.sort(drawn, 1), np.tile(np.arange(4), (50, 1)))
    with pytest.raises(ValueError, match="number of categories"):
        paddle.multinomial(x, 5)


def test_multinomial_with_replacement_follows_the_weights():
    drawn = paddle.multinomial(paddle.to_tensor([0.0, 1.0, 3.0]), 4000, replacement=True).numpy()
    assert not (drawn == 0).any() and abs((drawn == 2).mean() - 0.75) < 0.05


def test_a_seeded_uniform_repeats_and_leaves_the_stream_alone():
    paddle.seed(1)
    expected = paddle.rand([3]).numpy()
    paddle.seed(1)
    a, b = paddle.uniform([3], seed=5), paddle.uniform([3], seed=5)
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_array_equal(paddle.rand([3]).numpy(), expected)


def test_in_place_draws_write_the_tensor():
    x = paddle.zeros([500])
    same = x.detach()
    assert x.uniform_(1.0, 2.0) is x
    assert same.numpy().min() >= 1 and same.numpy().max() <= 2
    assert x.exponential_(2.0).numpy().min() >= 0
    assert set(x.bernoulli_(0.5).numpy().tolist()) == {0.0, 1.0}
