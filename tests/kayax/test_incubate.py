"""paddle.incubate and the rarer functions of nn: what is random, what is refused, states that are restored."""
import numpy as np
import pytest

import kayax as paddle

F = paddle.nn.functional


def test_sampled_classes_hold_all_labels():
    label = paddle.to_tensor([7, 2, 7, 9])
    remapped, chosen = F.class_center_sample(label, 12, 6)
    assert chosen.shape == [6] and np.all(np.diff(chosen.numpy()) > 0)
    np.testing.assert_array_equal(chosen.numpy()[remapped.numpy()], label.numpy())
    assert F.class_center_sample(label, 12, 2)[1].tolist() == [2, 7, 9]
    with pytest.raises(ValueError, match="label must be in"):
        F.class_center_sample(label, 9, 2)


def test_integers_are_counted_between_the_bounds():
    counts = paddle.incubate.nn.functional.int_bincount(paddle.to_tensor([1, 2, 2, 9]), 1, 4)
    assert counts.tolist() == [1, 2, 0]


def test_attention_is_the_same_under_any_backend():
    x = paddle.rand([1, 3, 2, 4])
    with paddle.nn.attention.sdpa_kernel(paddle.nn.attention.SDPBackend.MATH):
        inside = F.scaled_dot_product_attention(x, x, x)
    assert (inside == F.scaled_dot_product_attention(x, x, x)).all()


def test_lookahead_goes_on_from_a_saved_state():
    def build():
        net = paddle.nn.Linear(2, 1)
        net.weight.set_value(np.array([[1.0], [2.0]], "float32"))
        return net, paddle.incubate.LookAhead(paddle.optimizer.Adam(0.1, parameters=net.parameters()), k=2)

    def step(net, optimizer):
        net(paddle.ones([1, 2])).square().sum().backward()
        optimizer.step()
        optimizer.clear_grad()

    with paddle.utils.unique_name.guard():
        net, first = build()
        for _ in range(3):
            step(net, first)
    with paddle.utils.unique_name.guard():
        other, second = build()
        other.set_state_dict(net.state_dict())
        second.set_state_dict(first.state_dict())
    step(net, first)
    step(other, second)
    np.testing.assert_allclose(other.weight.numpy(), net.weight.numpy(), rtol=1e-6)


def test_lbfgs_goes_on_from_a_saved_state():
    def build():
        x = paddle.create_parameter([2], "float32")
        x.set_value(np.array([-1.2, 1.0], "float32"))
        return x, paddle.optimizer.LBFGS(parameters=[x], max_iter=3, line_search_fn="strong_wolfe")

    def closure(x, optimizer):
        def loss():
            optimizer.clear_grad()
            value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
            value.backward()
            return value
        return loss

    x, first = build()
    first.step(closure(x, first))
    y, second = build()
    y.set_value(x.numpy())
    second.set_state_dict(first.state_dict())
    first.step(closure(x, first))
    second.step(closure(y, second))
    np.testing.assert_allclose(y.numpy(), x.numpy(), rtol=1e-6)
    with pytest.raises(NotImplementedError, match=r"call step\(closure\)"):
        first.minimize(None)
    with pytest.raises(TypeError, match="takes a function"):
        first.step(None)
    with pytest.raises(Exception, match="convert the model that the closure calls"):
        paddle.jit.to_static(lambda: first.step(closure(x, first)), full_graph=True)()


def test_lbfgs_says_that_it_ignores_weight_decay():
    with pytest.warns(UserWarning, match="ignores weight_decay"):
        paddle.optimizer.LBFGS(parameters=paddle.nn.Linear(1, 1).parameters(), weight_decay=0.1)


def test_assign_of_another_shape_warns_and_gives_that_shape():
    with pytest.warns(UserWarning, match=r"value of shape \[2\] for a parameter of shape \[2, 3\]"):
        net = paddle.nn.Linear(2, 3, weight_attr=paddle.nn.initializer.Assign([1.0, 2.0]))
    assert net.weight.tolist() == [1.0, 2.0]


def test_decoding_without_anything_to_decode_is_an_error():
    class Finished(paddle.nn.BeamSearchDecoder.__mro__[1]):
        def initialize(self, inits):
            return inits, inits, paddle.ones([2], "bool")

    with pytest.raises(ValueError, match="finished before the first step"):
        paddle.nn.dynamic_decode(Finished(), paddle.zeros([2]))


@pytest.mark.parametrize(("name", "args", "low", "high"), [
    ("kaiming_uniform_", (), -0.71, 0.71), ("xavier_uniform_", (0.5,), -0.31, 0.31), ("uniform_", (2.0, 3.0), 2, 3),
    ("trunc_normal_", (0.0, 1.0, -0.5, 0.5), -0.5, 0.5), ("constant_", (4.0,), 4, 4), ("zeros_", (), 0, 0),
])
def test_functions_that_fill_a_tensor(name, args, low, high):
    x = paddle.full([12, 4], 9.0)
    assert getattr(paddle.nn.init, name)(x, *args) is x
    assert low <= float(x.min()) and float(x.max()) <= high


def test_eye_fills_a_matrix():
    assert paddle.nn.init.eye_(paddle.full([2, 3], 9.0)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    with pytest.raises(AssertionError, match="fills a matrix"):
        paddle.nn.init.eye_(paddle.zeros([2]))


def test_the_inner_path_of_flash_attention():
    from kayax.nn.functional.flash_attention import flash_attention
    x = paddle.rand([1, 3, 2, 4])
    out, weights = flash_attention(x, x, x, causal=True)
    assert weights is None
    np.testing.assert_allclose(out, F.scaled_dot_product_attention(x, x, x, is_causal=True), rtol=1e-6)


def sparse_network():
    paddle.seed(0)
    net = paddle.nn.Linear(8, 4)
    return net, paddle.incubate.asp.decorate(paddle.optimizer.Adam(0.1, parameters=net.parameters()))


def test_pruned_weights_stay_zero_in_a_converted_step():
    net, optimizer = sparse_network()
    mask = paddle.incubate.asp.prune_model(net)[net.weight.name]
    assert (mask.reshape(2, 4, 4).sum(1) == 2).all()

    @paddle.jit.to_static(full_graph=True)
    def step(x):
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    before = net.weight.numpy()
    for _ in range(2):
        step(paddle.ones([2, 8]))
    assert ((net.weight.numpy() != 0) == (mask != 0)).all() and (before != net.weight.numpy()).any()
    state = {k: paddle.to_tensor(v.numpy()) if isinstance(v, paddle.Tensor) else v
             for k, v in optimizer.state_dict().items()}
    optimizer.set_state_dict(state)
    with pytest.raises(AssertionError, match="asp_mask"):
        optimizer.set_state_dict({})


def test_asp_says_what_is_missing_or_left_out():
    asp, net = paddle.incubate.asp, paddle.nn.Linear(8, 4)
    with pytest.raises(AssertionError, match="call asp.decorate"):
        asp.prune_model(net)
    with pytest.raises(AssertionError, match="mask_1d, mask_2d_greedy, mask_2d_best"):
        asp.prune_model(net, mask_algo="mask_3d")
    asp.set_excluded_layers([net.full_name()])
    try:
        assert asp.prune_model(net, with_mask=False) == {}
    finally:
        asp.reset_excluded_layers()
    with pytest.warns(UserWarning, match="is not pruned: dimension 0 is smaller than 4"):
        asp.prune_model(paddle.nn.Linear(3, 4), with_mask=False)
