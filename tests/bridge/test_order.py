"""The order of elements: as NumPy's stable sort has it, also of equal ones, zeros, infinities and nan."""
import numpy as np
import pytest

import kayax as paddle

SPECIAL = np.array([np.nan, 0.0, -0.0, np.inf, -np.inf, 1.0, 1.0, -1.0, 3e4, -3e4, 2.0 ** -20])
FLOATS, WHOLES = ("float16", "bfloat16", "float32", "float64"), ("bool", "uint8", "int8", "int16", "int32", "int64")


def values(dtype: str, shape: tuple) -> np.ndarray:
    random = np.random.default_rng(5)
    if dtype in FLOATS:
        return random.choice(SPECIAL, shape)
    info = np.iinfo(dtype if dtype != "bool" else "uint8")
    return random.choice(np.array([0, 1] if dtype == "bool" else [info.min, info.min + 1, 0, 1, info.max]), shape)


def expected(x: np.ndarray, descending: bool) -> np.ndarray:
    """nan is the largest number; equal elements keep their order in both directions."""
    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    return np.argsort(-ranks if descending else ranks, -1, kind="stable")


@pytest.mark.parametrize("dtype", FLOATS + WHOLES)
def test_equal_elements_keep_their_order(dtype):
    x = values(dtype, (3, 40))
    tensor = paddle.to_tensor(x).astype(dtype)
    x = tensor.astype("float64").numpy() if dtype in FLOATS else x
    for descending in (False, True):
        order = expected(x, descending)
        assert (paddle.argsort(tensor, -1, descending).numpy() == order).all()
        assert (paddle.argsort(tensor.T, 0, descending).numpy() == order.T).all()
        ordered = paddle.sort(tensor, -1, descending).astype("float64").numpy()
        np.testing.assert_array_equal(ordered, np.take_along_axis(x, order, -1).astype("float64"))
        if dtype != "bool":
            for k in (2, 30):
                found, places = paddle.topk(tensor, k, largest=descending)
                np.testing.assert_array_equal(found.astype("float64").numpy(), ordered[:, :k])
                if dtype != "float64":              # whose zeros XLA's top_k tells apart
                    assert (places.numpy() == order[:, :k]).all()


def test_gradients_go_back_to_where_the_elements_were():
    x = paddle.to_tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]], stop_gradient=False)
    weights = paddle.to_tensor([1.0, 10.0, 100.0])
    (paddle.sort(x) * weights).sum().backward()
    assert x.grad.tolist() == [[100.0, 1.0, 10.0], [1.0, 100.0, 10.0]]
    x.clear_grad()
    (paddle.topk(x, 2, largest=False)[0] * weights[:2]).sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 10.0], [1.0, 0.0, 10.0]]


def test_a_permutation_has_each_number_once():
    paddle.seed(3)
    for n in (0, 1, 2, 5, 1000):
        assert sorted(paddle.randperm(n).tolist()) == list(range(n))
    places = np.array([paddle.randperm(3).tolist() for _ in range(600)])
    shares = [(places[:, i] == j).mean() for i in range(3) for j in range(3)]
    assert min(shares) > 0.25 and max(shares) < 0.42


def test_the_mode_is_the_least_of_the_most_frequent_and_where_it_is_last():
    x = np.array([[3, 1, 3, 1, 2], [5, 5, 0, 5, 0], [4, 3, 2, 1, 0]])
    found, places = paddle.mode(paddle.to_tensor(x))
    assert found.tolist() == [1, 5, 0] and places.tolist() == [3, 3, 4]
