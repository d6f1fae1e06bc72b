"""Elementwise functions, reductions and creation: what the recorded cases do not cover."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.registry import OPS


@pytest.mark.parametrize("names", [
    ("exp", "exp"), ("log1p", "log1p"), ("tanh", "tanh"), ("asinh", "arcsinh"), ("sinc", "sinc"), ("expm1", "expm1"),
])
def test_functions_agree_with_numpy_in_float64(names):
    x = np.linspace(0.1, 2, 7)
    got = getattr(paddle, names[0])(paddle.to_tensor(x))
    np.testing.assert_allclose(got.numpy(), getattr(np, names[1])(x), rtol=1e-12, atol=1e-16)


def test_a_limit_of_clip_does_not_stop_the_gradient_of_an_element_that_equals_it():
    x = paddle.to_tensor([-1.0, 0.0, 1.0, 2.0], stop_gradient=False)
    paddle.clip(x, 0.0, 1.0).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 1, 1, 0])


def test_the_norm_of_zeros_has_the_gradient_zero():
    for p in (1, 2, 3, float("inf")):
        x = paddle.zeros([3], "float32")
        x.stop_gradient = False
        paddle.norm(x, p).backward()
        assert np.isfinite(x.grad.numpy()).all()


def test_cummax_gives_the_last_index_of_equal_elements_and_keeps_nan():
    values, indices = paddle.cummax(paddle.to_tensor([2.0, 2.0, 1.0, float("nan"), 3.0]))
    np.testing.assert_array_equal(values.numpy(), [2, 2, 2, np.nan, np.nan])
    np.testing.assert_array_equal(indices.numpy(), [0, 1, 1, 3, 3])


def test_median_of_an_even_count_and_of_nan():
    x = np.asarray([[4.0, 1.0, 3.0, 2.0], [1.0, np.nan, 3.0, 2.0]])
    np.testing.assert_array_equal(paddle.median(paddle.to_tensor(x), axis=1).numpy(), np.median(x, 1))
    np.testing.assert_array_equal(paddle.nanmedian(paddle.to_tensor(x), axis=1).numpy(), np.nanmedian(x, 1))


def test_variance_agrees_with_numpy():
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    t = paddle.to_tensor(x)
    np.testing.assert_allclose(paddle.var(t, [0, 2]).numpy(), x.var((0, 2), ddof=1))
    np.testing.assert_allclose(paddle.std(t, 1, unbiased=False).numpy(), x.std(1))


@pytest.mark.parametrize("call", [
    lambda x: paddle.sum(x, 2), lambda x: paddle.mean(x, [0, 0]), lambda x: paddle.cumsum(x, -3),
    lambda x: paddle.clip(x, 2.0, 1.0), lambda x: paddle.arange(0, 1, 0), lambda x: paddle.zeros([-1]),
    lambda x: paddle.histogram(x, 0), lambda x: paddle.quantile(x, 1.5),
    lambda x: paddle.divide(x, x, rounding_mode="up"),
])
def test_wrong_arguments_are_value_errors(call):
    with pytest.raises(ValueError, match=r"must|twice"):
        call(paddle.ones([2, 2]))


def test_a_tensor_can_give_a_shape_and_ends():
    two = paddle.to_tensor(2)
    assert paddle.zeros([two, 3]).shape == [2, 3]
    assert paddle.full(paddle.to_tensor([2, 3]), 1.0).shape == [2, 3]
    assert paddle.ones(2, 3).shape == [2, 3]
    np.testing.assert_array_equal(paddle.arange(two).numpy(), [0, 1])
    np.testing.assert_array_equal(paddle.linspace(0, two, 3).numpy(), [0, 1, 2])


def test_a_changed_number_makes_no_new_program():
    x = paddle.ones([2])
    x + 1.0
    before = len(OPS["add"].calls)
    for value in (2.0, 3.5, 1e-3):
        x + value
    assert len(OPS["add"].calls) == before


def test_in_place_operations_write_the_tensor_and_refuse_another_dtype():
    x = paddle.ones([2])
    same = x.detach()
    assert x.add_(paddle.ones([2])) is x
    np.testing.assert_array_equal(same.numpy(), [2, 2])
    with pytest.raises(ValueError, match="does not fit in place"):
        paddle.ones([2], "int64").exp_()


def test_arithmetic_in_place_takes_the_type_of_its_result():
    x = paddle.to_tensor([1.0, 2.0])
    assert x.add_(paddle.ones([2], "float64")).dtype == paddle.float64
    assert paddle.to_tensor([1, 2]).clip_(0.5, 1.5).tolist() == [1, 1]


@pytest.mark.parametrize("call, kinds, words", [
    (lambda: paddle.sum([1.0, 2.0]), (ValueError,), "`x` must be a Tensor"),
    (lambda: paddle.nn.functional.relu(paddle.ones([2], "bool")), (TypeError, RuntimeError), "must be an integer or"),
    (lambda: paddle.sum(paddle.ones([2]), 3), (ValueError, IndexError), r"axis must be in \[-1, 1\)"),
    (lambda: paddle.index_select(paddle.ones([3]), paddle.to_tensor([7])), (ValueError, IndexError), "one is 7"),
    (lambda: paddle.nn.functional.mse_loss(paddle.ones([2]), paddle.ones([3])), (ValueError,), "incompatible shapes"),
    (lambda: paddle.split(paddle.to_tensor(1.0), 2), (ValueError,), "too few dimensions"),
    (lambda: paddle.ones([2]).item(5), (ValueError,), "out of bounds"),
])
def test_errors_are_caught_by_whatever_type_paddle_raises(call, kinds, words):
    for kind in kinds:
        with pytest.raises(kind, match=words):
            call()


def test_bincount_depends_on_values_and_says_so_when_converted():
    x = paddle.to_tensor([1, 3, 1])
    np.testing.assert_array_equal(paddle.bincount(x).numpy(), [0, 2, 0, 1])
    with pytest.raises(ValueError, match="not negative"):
        paddle.bincount(paddle.to_tensor([-1]))


def test_two_outputs_of_one_operation_are_differentiated_together():
    a, b = paddle.to_tensor([1.0, 2.0]), paddle.to_tensor([3.0])
    a.stop_gradient = False
    rows, columns = paddle.meshgrid(a, b)
    paddle.autograd.backward([rows, columns])
    np.testing.assert_array_equal(a.grad.numpy(), [1, 1])
