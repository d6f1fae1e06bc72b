"""Second names of parameters, `out=` and what new Tensors accept: on operations, methods and compositions alike."""
from __future__ import annotations

import numpy as np
import pytest

import kayax as paddle

X = np.asarray([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], "float32")


def x() -> paddle.Tensor:
    return paddle.to_tensor(X)


SAME = {
    "operation": (lambda: paddle.sum(input=x(), dim=1), lambda: paddle.sum(x(), 1)),
    "two operands": (lambda: paddle.add(input=x(), other=x()), lambda: paddle.add(x(), x())),
    "method": (lambda: x().mean(dim=0, keepdim=True), lambda: x().mean(0, True)),
    "composition": (lambda: paddle.concat(tensors=[x(), x()], dim=1), lambda: paddle.concat([x(), x()], 1)),
    "composed method": (lambda: x().topk(2, dim=1)[0], lambda: x().topk(2, 1)[0]),
    "in place": (lambda: x().add_(other=x()), lambda: x() + x()),
    "in place, all by keyword": (lambda: paddle.subtract_(input=x(), other=x()), lambda: x() - x()),
    "norm": (lambda: paddle.norm(input=x(), dim=1, p=2), lambda: paddle.norm(x(), 2, 1)),
    "flatten": (lambda: x().flatten(start_dim=0, end_dim=1), lambda: x().flatten(0, 1)),
    "shape as size": (lambda: paddle.zeros(size=[2]), lambda: paddle.zeros([2])),
    "two dims to exchange": (lambda: x().transpose(0, 1), lambda: x().transpose([1, 0])),
    "exchanged by keyword": (lambda: paddle.swapaxes(x(), dim0=0, dim1=-1), lambda: x().transpose([1, 0])),
    "axis before index": (lambda: x().index_select(1, paddle.to_tensor([2])),
                          lambda: x().index_select(paddle.to_tensor([2]), 1)),
    "keepdim in the place of dtype": (lambda: x().sum(0, True), lambda: x().sum(0, keepdim=True)),
}


@pytest.mark.parametrize("case", SAME)
def test_a_second_name_means_the_parameter(case: str) -> None:
    given, want = SAME[case]
    np.testing.assert_array_equal(given().numpy(), want().numpy())


def test_a_name_given_twice_is_an_error() -> None:
    with pytest.raises(TypeError, match="multiple values"):
        paddle.abs(x=x(), input=x())


@pytest.mark.parametrize("call", [lambda: paddle.max(x(), dim=1), lambda: x().sort(dim=0),
                                  lambda: paddle.split(x(), split_size_or_sections=1)])
def test_names_of_functions_that_mean_something_else_in_pytorch_are_refused(call) -> None:
    with pytest.raises(TypeError, match="paddle.compat"):
        call()


def test_out_becomes_the_result_with_its_history() -> None:
    a, out = x(), paddle.zeros([1])
    a.stop_gradient = False
    result = paddle.exp(a, out=out)
    assert result is out and out.shape == [2, 3]
    out.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), np.exp(X), rtol=1e-6)


def test_out_by_position_and_in_pairs() -> None:
    i, out = paddle.to_tensor([5, 6]), paddle.zeros([2], "int64")
    assert paddle.bitwise_and(i, i, out) is out and out.tolist() == [5, 6]
    assert paddle.prod(x(), 1, False, None, paddle.zeros([2])).tolist() == [-6.0, -2.0]
    values, indices = paddle.zeros([2, 1]), paddle.zeros([2, 1], "int64")
    paddle.topk(x(), 1, out=(values, indices))
    assert values.tolist() == [[3.0], [4.0]] and indices.tolist() == [[2], [1]]


def test_out_must_be_a_tensor() -> None:
    with pytest.raises(TypeError, match="out must be a Tensor"):
        paddle.sin(x(), out=np.zeros(3))


@pytest.mark.parametrize("make", [lambda **k: paddle.ones([2], **k), lambda **k: paddle.arange(0, 2, 1, "float32", **k),
                                  lambda **k: paddle.full([2], 3.0, **k), lambda **k: paddle.zeros_like(x(), **k)])
def test_new_tensors_take_device_and_requires_grad(make) -> None:
    made = make(device="cpu", requires_grad=True)
    assert not made.stop_gradient and made.is_leaf and made.place.is_cpu_place()
    with pytest.raises(ValueError, match="gpu"):
        make(device="gpu:7")


def test_range_includes_its_end() -> None:
    assert paddle.range(0, 4, 2).tolist() == [0.0, 2.0, 4.0]
    assert paddle.range(5, 0, -2, "int64").tolist() == [5, 3, 1]


def test_three_ints_are_no_permutation() -> None:
    with pytest.raises(TypeError, match="list"):
        paddle.zeros([2, 3, 4]).transpose(2, 0, 1)


def test_axes_and_sizes_may_be_tensors() -> None:
    one, three = paddle.to_tensor([1]), paddle.to_tensor([3], "int32")
    assert paddle.concat([x(), x()], axis=one).shape == [2, 6]
    assert paddle.mean(x(), axis=one).shape == [2] and paddle.argmax(x(), axis=one).tolist() == [2, 1]
    assert x().reshape([three, 2]).shape == [3, 2] and x().reshape(three.tile([1])[:1] * 2).shape == [6]
    assert paddle.slice(x(), [0, 1], [0, one], [2, three]).shape == [2, 2]


def test_a_number_is_formatted_as_one() -> None:
    assert f"{paddle.to_tensor(1.5)} {paddle.to_tensor(1.5):.2f} {paddle.to_tensor(3)}" == "1.5 1.50 3"
    with pytest.raises(TypeError, match="format"):
        f"{paddle.to_tensor([1.5]):.2f}"


def test_methods_of_sparse_tensors_say_what_to_do() -> None:
    assert x().sparse_dim() == 0 and x().dense_dim() == 2
    with pytest.raises(TypeError, match="to_sparse_coo"):
        x().nnz()
