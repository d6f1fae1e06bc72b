"""Mixed precision: what auto_cast casts, what decorate leaves alone, and loss scaling, the same in all three ways."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.jit import to_static
from kayax.nn import functional as F

X = np.random.default_rng(0).normal(size=(2, 2)).astype("float32")
LOW = pytest.mark.parametrize("low", ["float16", "bfloat16"])


def dtypes(level, low, **options):
    x = paddle.to_tensor(X)
    with paddle.amp.auto_cast(level=level, dtype=low, **options):
        y = paddle.matmul(x, x)
        outs = [y, paddle.exp(y), y + x, F.relu(y), F.softmax(y), y.mean()]
    return [o.dtype.name for o in outs]


@LOW
def test_levels(low):
    # matmul is white, exp, softmax and mean are black under O1; a sum of both kinds is computed in float32
    assert dtypes("O1", low) == [low, "float32", "float32", low, "float32", "float32"]
    assert dtypes("O2", low) == [low, low, "float32", low, low, low]
    assert dtypes("O0", low) == ["float32"] * 6


@LOW
def test_custom_lists(low):
    assert dtypes("O1", low, custom_white_list=["exp"], custom_black_list={"matmul"})[:2] == ["float32", low]


def test_switched_off_and_nested():
    x = paddle.to_tensor(X)
    with paddle.amp.auto_cast(dtype="bfloat16"):
        assert paddle.amp.is_autocast_enabled() and paddle.amp.get_autocast_dtype() == "bfloat16"
        with paddle.amp.auto_cast(enable=False):
            assert paddle.matmul(x, x).dtype == paddle.float32
        assert paddle.matmul(x, x).dtype == paddle.bfloat16
    assert paddle.matmul(x, x).dtype == paddle.float32
    double = paddle.to_tensor(X.astype("float64"))
    with paddle.amp.auto_cast():
        assert paddle.matmul(double, double).dtype == paddle.float64


def test_bad_settings():
    for options, word in (({"level": "O3"}, "O3"), ({"dtype": "int8"}, "int8"), ({"custom_white_list": "exp"}, "list"),
                          ({"custom_white_list": ["exp"], "custom_black_list": ["exp"]}, "exp")):
        with pytest.raises((ValueError, TypeError), match=word), paddle.amp.auto_cast(**options):
            pass
    with pytest.raises(ValueError, match="O3"):
        paddle.amp.decorate(nn.Linear(1, 1), level="O3")


@LOW
def test_gradients_come_back_in_the_leafs_dtype(low):
    w = paddle.to_tensor(X, stop_gradient=False)
    with paddle.amp.auto_cast(dtype=low):
        loss = F.relu(paddle.matmul(w, w)).sum()
    loss.backward()
    assert w.grad.dtype == paddle.float32
    exact = paddle.to_tensor(X.astype("float64"), stop_gradient=False)
    F.relu(paddle.matmul(exact, exact)).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), exact.grad.numpy(), atol=0.05)


def test_one_program_for_each_policy():
    net = to_static(nn.Linear(2, 2))
    x = paddle.to_tensor(X)
    for _ in range(2):
        assert net(x).dtype == paddle.float32
        for low in ("float16", "bfloat16"):
            with paddle.amp.auto_cast(dtype=low):
                assert net(x).dtype.name == low
    assert sum(map(len, net.forward.programs.values())) == 3


@LOW
def test_decorate_keeps_norms(low):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1D(2), nn.LayerNorm(2))
    opt = paddle.optimizer.Adam(0.1, parameters=net.parameters())
    net, opt = paddle.amp.decorate(net, opt, level="O2", dtype=low)
    found = {name: t.dtype.name for name, t in net.state_dict().items()}
    assert found["0.weight"] == found["0.bias"] == low
    assert {found[f"1.{n}"] for n in ("weight", "bias", "_mean", "_variance")} == {"float32"}
    with paddle.amp.auto_cast(level="O2", dtype=low):
        net(paddle.to_tensor(X)).sum().backward()
    opt.step()
    masters = opt.state_dict()["master_weights"]
    assert {m.dtype.name for m in masters.values()} == {"float32"} and net[0].weight.name in masters


def test_decorate_excluded():
    net = nn.Sequential(nn.Linear(2, 2), nn.Conv2D(1, 1, 1))
    paddle.amp.decorate(net, level="O2", dtype="bfloat16", excluded_layers=[nn.Conv2D])
    assert (net[0].weight.dtype, net[1].weight.dtype) == (paddle.bfloat16, paddle.float32)
    assert paddle.amp.decorate(net, level="O1") is net


def test_save_dtype():
    net = paddle.amp.decorate(nn.Linear(2, 2), level="O2", dtype="bfloat16", save_dtype="float32")
    assert net.weight.dtype == paddle.bfloat16
    assert {t.dtype for t in net.state_dict().values()} == {paddle.float32}


def train(way, level, low, factors, optimizer=paddle.optimizer.Adam):
    paddle.seed(3)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    opt = optimizer(0.05, parameters=net.parameters())
    if level == "O2":
        net, opt = paddle.amp.decorate(net, opt, level="O2", dtype=low)
    scaler = paddle.amp.GradScaler(init_loss_scaling=1024.0, incr_every_n_steps=2)
    forward = to_static(net) if way == "forward" else net

    def step(x, factor):
        with paddle.amp.auto_cast(level=level, dtype=low):
            loss = (forward(x).astype("float32") ** 2).mean() * factor
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        opt.clear_grad()
        return loss

    run = to_static(step) if way == "step" else step
    losses, scales = [], []
    for factor in factors:
        losses.append(float(run(paddle.to_tensor(X), paddle.to_tensor([factor], "float32"))))
        scales.append(float(scaler.state_dict()["scale"]))
    if way == "step":
        assert sum(map(len, run.programs.values())) <= 2
    return losses, scales, [p.astype("float32").numpy() for p in net.parameters()]


@pytest.mark.parametrize("level", ["O1", "O2"])
@LOW
def test_three_ways_agree(level, low):
    factors = [1.0, 1.0, np.inf, 1.0, np.nan, 1.0, 1.0]
    expected = train("eager", level, low, factors)
    assert expected[1] == [1024.0, 2048.0, 1024.0, 1024.0, 512.0, 512.0, 1024.0]
    for way in ("forward", "step"):
        found = train(way, level, low, factors)
        assert found[1] == expected[1]
        np.testing.assert_allclose(found[0], expected[0], rtol=0.03)
        for a, b in zip(found[2], expected[2], strict=True):
            np.testing.assert_allclose(a, b, atol=0.03)


def test_an_overflow_changes_nothing():
    net = nn.Linear(2, 1)
    opt = paddle.optimizer.Adam(0.1, parameters=net.parameters())
    scaler = paddle.amp.GradScaler(init_loss_scaling=8.0)
    for factor in (1.0, np.inf):
        before = [p.numpy() for p in net.parameters()]
        state = {k: v.numpy() for k, v in opt.state_dict().items() if hasattr(v, "numpy")}
        scaler.scale((net(paddle.to_tensor(X)) * factor).sum()).backward()
        scaler.step(opt)
        scaler.update()
        opt.clear_grad()
    for p, value in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.numpy(), value)
    for key, value in opt.state_dict().items():
        if key in state:
            np.testing.assert_array_equal(value.numpy(), state[key], err_msg=key)


def test_unscale():
    w = paddle.create_parameter([2], "float32", default_initializer=nn.initializer.Constant(1.0))
    opt = paddle.optimizer.SGD(1.0, parameters=[w])
    scaler = paddle.amp.GradScaler(init_loss_scaling=16.0)
    scaler.scale((w * 3.0).sum()).backward()
    np.testing.assert_array_equal(w.grad.numpy(), [48.0, 48.0])
    scaler.unscale_(opt)
    np.testing.assert_array_equal(w.grad.numpy(), [3.0, 3.0])
    with pytest.raises(RuntimeError, match="unscale_"):
        scaler.unscale_(opt)
    scaler.step(opt)
    scaler.update()
    np.testing.assert_array_equal(w.numpy(), [-2.0, -2.0])


def test_scaler_state():
    scaler = paddle.amp.GradScaler(init_loss_scaling=4.0, incr_every_n_steps=3)
    w = paddle.create_parameter([1], "float32")
    opt = paddle.optimizer.SGD(0.1, parameters=[w])
    scaler.scale(w.sum()).backward()
    scaler.minimize(opt)
    other = paddle.amp.GradScaler(init_loss_scaling=1.0)
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()
    assert other.state_dict()["incr_count"] == 1
    off = paddle.amp.GradScaler(enable=False)
    assert off.state_dict() == {} and off.scale(w) is w
    for options in ({"incr_ratio": 1.0}, {"decr_ratio": 1.0}):
        with pytest.raises(ValueError, match="ratio"):
            paddle.amp.GradScaler(**options)


def test_parts_of_nothing_under_auto_cast():
    with paddle.amp.auto_cast(dtype="bfloat16"):
        assert paddle.unbind(paddle.zeros([0, 3])) == []
