"""Manipulation and arithmetic where the comparison of values ends: indices out of range, wrong arguments, limits."""
import numpy as np
import pytest

import kayax as paddle

X = np.arange(6, dtype="float32").reshape(3, 2)
WITH_INDEX = {
    "gather": lambda x, i: paddle.gather(x, i),
    "index_select": lambda x, i: paddle.index_select(x, i),
    "gather_nd": lambda x, i: paddle.gather_nd(x, i.unsqueeze(-1)),
    "take_along_axis": lambda x, i: paddle.take_along_axis(x, i.reshape([1, 1]), 0),
    "index_sample": lambda x, i: paddle.index_sample(x.t(), i.reshape([1, 1]).tile([2, 1])),
    "take": lambda x, i: paddle.take(x, i * 2),
    "put_along_axis": lambda x, i: paddle.put_along_axis(x, i.reshape([1, 1]), 1.0, 0),
    "scatter": lambda x, i: paddle.scatter(x, i, paddle.ones([1, 2])),
    "scatter_nd_add": lambda x, i: paddle.scatter_nd_add(x, i.unsqueeze(-1), paddle.ones([1, 2])),
    "index_add": lambda x, i: paddle.index_add(x, i, 0, paddle.ones([1, 2])),
    "index_fill": lambda x, i: paddle.index_fill(x, i, 0, 1.0),
    "index_put": lambda x, i: paddle.index_put(x, (i,), paddle.to_tensor(1.0)),
}


@pytest.mark.parametrize("name", WITH_INDEX)
def test_an_index_out_of_range_is_an_error(name):
    run, x = WITH_INDEX[name], paddle.to_tensor(X)
    for wrong in (3, -4):
        with pytest.raises(IndexError, match=r"must be in \[-"):
            run(x, paddle.to_tensor([wrong]))


@pytest.mark.parametrize("name", WITH_INDEX)
def test_a_negative_index_counts_from_the_end(name):
    run, x = WITH_INDEX[name], paddle.to_tensor(X)
    np.testing.assert_array_equal(run(x, paddle.to_tensor([-1])).numpy(), run(x, paddle.to_tensor([2])).numpy())


@pytest.mark.parametrize("name", ["gather", "index_select", "gather_nd", "take_along_axis", "index_sample"])
def test_a_converted_read_out_of_range_gives_nan(name):
    read = paddle.jit.to_static(WITH_INDEX[name])
    assert np.isnan(read(paddle.to_tensor(X), paddle.to_tensor([3])).numpy()).all()


def test_joined_tensors_have_one_dtype():
    a, b = paddle.ones([2]), paddle.ones([2], dtype="float64")
    for join in (paddle.concat, paddle.stack):
        with pytest.raises(ValueError, match="float32, float64"):
            join([a, b])
    with paddle.amp.auto_cast(dtype="bfloat16"):
        assert paddle.concat([a, a.astype("bfloat16")]).dtype == "float32"


WRONG = {
    "reshape to another size": lambda x: x.reshape([4, 2]),
    "two unknown sizes": lambda x: x.reshape([-1, -1]),
    "an axis too many": lambda x: x.transpose([0, 1, 2]),
    "axis out of range": lambda x: paddle.concat([x, x], axis=2),
    "shapes that do not meet": lambda x: paddle.concat([x, x.t()]),
    "an uneven split": lambda x: paddle.split(x, 2),
    "sections that do not add up": lambda x: paddle.split(x, [1, 1]),
    "a size that does not expand": lambda x: x.expand([3, 5]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_told(name):
    with pytest.raises((ValueError, IndexError)):
        WRONG[name](paddle.to_tensor(X))


def test_the_absolute_value_has_gradient_zero_at_zero():
    x = paddle.to_tensor([0.0, 2.0, -2.0], stop_gradient=False)
    x.abs().sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, -1.0]
    x.clear_grad()
    paddle.nn.functional.l1_loss(x, paddle.to_tensor([0.0, 1.0, 1.0]), reduction="sum").backward()
    assert x.grad.tolist() == [0.0, 1.0, -1.0]


@pytest.mark.parametrize("divide", [lambda a, b: a // b, lambda a, b: a % b, paddle.floor_divide, paddle.remainder])
@pytest.mark.parametrize("divisor", [0, paddle.to_tensor([1, 0])])
def test_integer_division_by_zero(divide, divisor):
    with pytest.raises(ZeroDivisionError):
        divide(paddle.to_tensor([3, 4]), divisor)
    assert np.isnan(divide(paddle.zeros([1]), 0.0).numpy()).all()


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_a_matrix_without_a_result_is_an_error(name):
    x = paddle.to_tensor([[1.0, 2.0], [2.0, 4.0]]) - (name == "cholesky") * paddle.eye(2) * 9
    with pytest.raises(ValueError, match="singular|positive definite"):
        getattr(paddle.linalg, name)(x, *([paddle.ones([2, 1])] if name == "solve" else []))


def test_limits_of_types():
    assert paddle.iinfo("int8").max == 127 and paddle.iinfo(paddle.uint8).min == 0
    for name in ("float16", "float32", "float64"):
        found, wanted = paddle.finfo(name), np.finfo(name)
        assert (found.max, found.eps, found.bits, found.dtype) == (wanted.max, wanted.eps, wanted.bits, name)
    with pytest.raises(ValueError, match="int32"):
        paddle.finfo("int32")


def test_the_gradient_of_a_product_of_scattered_factors_is_right_beside_zeros() -> None:
    x = paddle.to_tensor([[1.0, 2.0, 0.0]], stop_gradient=False)
    v = paddle.to_tensor([[3.0, 0.0, 5.0]], stop_gradient=False)
    paddle.put_along_axis(x, paddle.to_tensor([[0, 1, 1]]), v, 1, reduce="mul").sum().backward()
    a, b = x.detach(), v.detach()
    a.stop_gradient = b.stop_gradient = False
    (a[0, 0] * b[0, 0] + a[0, 1] * b[0, 1] * b[0, 2] + a[0, 2]).backward()
    np.testing.assert_allclose(x.grad.numpy(), a.grad.numpy())
    np.testing.assert_allclose(v.grad.numpy(), b.grad.numpy())
