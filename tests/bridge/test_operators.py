"""Operators of Tensor: which types meet, which do not, and what foreign operands give."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.to_static.static_function import StaticFunction


def test_a_python_number_takes_the_type_of_the_tensor():
    assert (paddle.ones([2], "int32") + 1).dtype == "int32"
    assert (paddle.ones([2], "bfloat16") * 2.5).dtype == "bfloat16"
    assert (paddle.ones([2], "int64") + 1.5).dtype == "float32"
    assert (paddle.ones([2], "float64") + 1j).dtype == "complex128"


def test_the_default_dtype_is_that_of_new_tensors_but_integers_become_float32():
    for dtype in ("float64", "float32", "float64"):
        paddle.set_default_dtype(dtype)
        made = (paddle.zeros([2]), paddle.eye(2), paddle.arange(2.0), paddle.rand([2]), paddle.full([2], 1),
                paddle.linspace(0, 1, 3), paddle.normal(shape=[2]))
        assert {t.dtype.name for t in made} == {dtype}
        assert (paddle.ones([2], "int64") + 1.5).dtype == "float32"


def test_integers_and_floats_do_not_combine():
    with pytest.raises(TypeError, match=r"int64 and float32 do not combine.*astype"):
        paddle.ones([2], "int64") + paddle.ones([2])


def test_a_0d_tensor_yields_as_a_number_does():
    x = paddle.ones([2])
    assert (x * paddle.to_tensor(2, dtype="int64")).dtype == "float32"
    assert (x * paddle.to_tensor(2.0, dtype="float64")).dtype == "float32"


def test_shapes_that_do_not_broadcast_are_an_error_in_the_users_terms():
    with pytest.raises(ValueError, match=r"\[2\] and \[3\] do not broadcast"):
        paddle.ones([2]) + paddle.ones([3])


@pytest.mark.parametrize("other", [None, [1, 2], (1, 2), {}, object()])
def test_foreign_operands_are_left_to_python(other):
    x = paddle.ones([2])
    assert x.__add__(other) is NotImplemented
    assert (x == other) is False
    with pytest.raises(TypeError):
        x * other


def test_numpy_on_either_side_gives_a_tensor():
    x, a = paddle.ones([2]), np.full(2, 3, np.float32)
    for result in (x + a, a + x, np.float64(3) + x, x + np.int64(3)):
        assert isinstance(result, paddle.Tensor)
        np.testing.assert_array_equal(result.numpy(), [4, 4])


def test_augmented_assignment_makes_a_new_tensor():
    x = paddle.ones([2])
    y = x
    x += 1
    np.testing.assert_array_equal(y.numpy(), [1, 1])
    assert x is not y


def test_the_gradient_of_a_power_at_zero_is_finite():
    x = paddle.to_tensor([0.0, -2.0], stop_gradient=False)
    (x ** 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, -4])


def test_operators_in_a_converted_function_are_as_eager():
    x, n = paddle.to_tensor([1.5, -2.5]), paddle.to_tensor([3, 4])

    def compute(x, n):
        return 2 - x, x // 2, n / 2, n + 1.5, 2 ** n, (x > 0) & (n == 3), -x % 2, x @ x

    for eager, converted in zip(compute(x, n), StaticFunction(compute)(x, n), strict=True):
        assert eager.dtype is converted.dtype
        np.testing.assert_allclose(eager.numpy(), converted.numpy())


def test_where_of_two_numbers_is_a_tensor_of_the_default_dtype():
    def fn(c):
        return paddle.where(c, 1.0, 2.0), paddle.where(c, 1, 2), paddle.where(c, 1, 2.5)

    condition = paddle.to_tensor([True, False])
    for run in (fn, paddle.jit.to_static(fn)):
        assert [t.dtype for t in run(condition)] == [paddle.float32, paddle.int64, paddle.float32]
        assert run(condition)[2].tolist() == [1.0, 2.5]
