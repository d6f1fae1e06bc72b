"""The Tensor itself: identity, storage, conversion to Python, what may be changed in place."""
import copy
import pickle

import numpy as np
import pytest

import kayax as paddle


def test_facts():
    x = paddle.ones([2, 3], dtype="float64")
    assert x.shape == [2, 3] and x.ndim == 2 and x.size == 6 and x.dtype == paddle.float64 and len(x) == 2
    assert x.stop_gradient and x.is_leaf and str(x.place) == "Place(cpu)" and x.name != paddle.ones([1]).name


def test_its_name():
    assert str(type(paddle.to_tensor(1))) == "<class 'kayax.Tensor'>"


def test_python_values():
    assert float(paddle.to_tensor([2.5])) == 2.5 and int(paddle.to_tensor(3)) == 3 and bool(paddle.to_tensor([True]))
    assert [10, 20, 30][paddle.to_tensor(1)] == 20 and f"{paddle.to_tensor(2.5):.2f}" == "2.50"
    assert [row.tolist() for row in paddle.to_tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert paddle.to_tensor([[1, 2], [3, 4]]).item(3) == 4 and complex(paddle.to_tensor(1j)) == 1j


@pytest.mark.parametrize("use", [bool, int, float, lambda x: [1, 2, 3][x]])
def test_several_elements_are_not_one_number(use):
    with pytest.raises(TypeError, match=r"shape \[2\]"):
        use(paddle.to_tensor([1, 2]))


def test_the_array_is_a_copy():
    x = paddle.zeros([2])
    x.numpy()[0] = 1
    assert x.tolist() == [0, 0]
    source = np.zeros(2, dtype="float32")
    y = paddle.to_tensor(source)
    source[0] = 1
    assert y.tolist() == [0, 0]


def test_numpy_leaves_the_operators_to_tensors():
    assert isinstance(np.ones(2, dtype="float32") + paddle.ones([2]), paddle.Tensor)
    assert np.asarray(paddle.ones([2]), dtype="int64").dtype == np.int64


def test_copies():
    x = paddle.to_tensor([1.0], stop_gradient=False)
    x.tag = "mine"
    y = copy.deepcopy(x)
    z = pickle.loads(pickle.dumps(x))
    assert y.tag == z.tag == "mine" and not y.stop_gradient and not z.stop_gradient
    with paddle.no_grad():
        y.add_(paddle.ones([1]))
    assert x.tolist() == z.tolist() == [1.0]
    doubled = copy.deepcopy(x * 2)              # the value, without its history
    assert doubled.is_leaf and not doubled.stop_gradient and doubled.tolist() == [2.0]


def test_dlpack_both_ways():
    x = paddle.arange(4, dtype="float32")
    assert np.from_dlpack(x).tolist() == x.tolist()
    assert paddle.from_dlpack(np.arange(4)).tolist() == [0, 1, 2, 3]


def test_writes_under_no_grad_keep_what_a_tensor_wants():
    leaf = paddle.ones([2])
    leaf.stop_gradient = False
    data = paddle.zeros([2])
    with paddle.no_grad():
        data.add_(leaf * 2)
        leaf.subtract_(paddle.ones([2]))
        leaf[0] = 5.0
    assert data.stop_gradient and not leaf.stop_gradient and leaf.is_leaf and leaf.tolist() == [5.0, 0.0]


def test_a_recorded_write_makes_the_tensor_part_of_the_graph():
    leaf = paddle.to_tensor([2.0], stop_gradient=False)
    total = paddle.zeros([1])
    for _ in range(3):
        total.add_(leaf * leaf)
    total[paddle.to_tensor([False])] = 0.0
    total.backward()
    assert not total.stop_gradient and leaf.grad.tolist() == [12.0]


@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, 2, True, 1j])
def test_numbers_as_operands(number):
    x = np.asarray([1.0, -2.0], dtype="float32")
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal((paddle.to_tensor(x) / number).numpy(), x / np.asarray(number).astype(
            "complex64" if number == 1j else "float32"))


def test_a_gradient_has_the_shape_of_its_tensor():
    x = paddle.ones([2])
    with pytest.raises(ValueError, match="shape"):
        x.grad = paddle.ones([3])
    with pytest.raises(TypeError):
        x.grad = 1.0


def _aligned(n):
    """Memory as JAX takes it over without a copy."""
    raw = np.empty(n + 16, np.float32)
    start = (-raw.ctypes.data % 64) // 4
    return raw[start:start + n]


class _Foreign:
    """An array of another library, which NumPy reads in place."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize("made", [
    paddle.to_tensor, lambda a: paddle.to_tensor(a, dtype="float32"), lambda a: paddle.to_tensor(_Foreign(a)),
    paddle.assign,
    lambda a: paddle.create_parameter([4096], "float32", default_initializer=paddle.nn.initializer.Assign(a)),
    lambda a: paddle.zeros([4096]) + a, lambda a: paddle.zeros([4096]).set_value(a),
    lambda a: paddle.jit.to_static(lambda x: x * 1)(a)])
def test_a_numpy_array_may_change_afterwards(made):
    for _ in range(3):
        array = _aligned(4096)
        array[:] = 2.0
        tensor = made(array)
        array[:] = 3.0
        assert tensor is None or (tensor.numpy() == 2.0).all()


def test_a_text_among_numbers_is_named():
    with pytest.raises(TypeError, match="dtype <U1"):
        paddle.clip(paddle.ones([2]), "a", 1)
