"""Mixed precision in static mode: a program with a decorated optimizer against eager steps under `auto_cast`."""
import numpy as np
import pytest

import kayax as paddle
from kayax.static import amp

X, Y = np.random.RandomState(0).randn(2, 4, 3).astype("float32")


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


def network():
    paddle.seed(7)
    return paddle.nn.Sequential(paddle.nn.Linear(3, 5), paddle.nn.Tanh(), paddle.nn.Linear(5, 3))


def program(guard: bool = False, **options):
    """A network, the run of a step, the decorated optimizer."""
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup):
        x, y = paddle.static.data("x", [None, 3]), paddle.static.data("y", [None, 3])
        net = network()
        if guard:
            with amp.fp16_guard():
                hidden = net[0](x)
        else:
            hidden = net[0](x)
        loss = ((net[2](net[1](hidden)) - y) ** 2).mean()
        optimizer = amp.decorate(paddle.optimizer.Momentum(0.1), **options)
        optimizer.minimize(loss, startup)
        optimizer.amp_init(paddle.CPUPlace())
    run = paddle.static.Executor()
    return net, lambda x=X: run.run(main, {"x": x, "y": Y}, [loss, hidden]), optimizer, main


@pytest.mark.parametrize("level", ["O1", "O2"])
def test_a_program_trains_as_eager_steps_do(level):
    net, step, _, _ = program(level=level, dtype="bfloat16", use_promote=True)
    found = [step() for _ in range(2)]
    paddle.disable_static()
    same = network()
    optimizer = paddle.optimizer.Momentum(0.1, parameters=same.parameters())
    for values in found:
        with paddle.amp.auto_cast(level=level, dtype="bfloat16"):
            loss = ((same(paddle.to_tensor(X)) - paddle.to_tensor(Y)) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        np.testing.assert_allclose(values[0], loss.numpy(), rtol=2e-3)
    assert str(found[0][1].dtype) == "bfloat16"
    for p, q in zip(net.parameters(), same.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=2e-2, atol=1e-3)


def test_float16_scales_the_loss_and_leaves_out_overflows():
    net, step, optimizer, main = program(init_loss_scaling=1024.0, decr_every_n_nan_or_inf=1, decr_ratio=0.5)
    before = net[0].weight.numpy()
    assert step()[0].dtype == np.float32
    moved = net[0].weight.numpy()
    assert 0 < abs(moved - before).max() < 1
    step(np.full_like(X, 1e5))                         # no float16: the gradients are not finite
    np.testing.assert_array_equal(net[0].weight.numpy(), moved)
    assert float(optimizer.get_loss_scaling()) == 512
    with paddle.static.program_guard(main.clone(for_test=True)):
        kept = paddle.static.Executor().run(feed={"x": X, "y": Y}, fetch_list=[net[0].weight])
    np.testing.assert_array_equal(kept[0], moved)


def test_lists_and_guards_say_what_is_low():
    lists = amp.CustomOpLists(custom_black_varnames=["x"])
    assert program(amp_lists=lists, dtype="bfloat16")[1]()[1].dtype == np.float32
    assert program(amp_lists=amp.CustomOpLists(None, {"linear"}), dtype="bfloat16")[1]()[1].dtype == np.float32
    _, step, _, main = program(guard=True, level="O2", use_fp16_guard=True, dtype="bfloat16")
    assert str(step()[1].dtype) == "bfloat16" and sum(i.amp.level == "O2" for i in main.graph.instructions[:4]) == 1
    with pytest.raises(ValueError, match="both lists"):
        amp.AutoMixedPrecisionLists({"mul"}, {"mul"})
    with pytest.raises(ValueError, match="level must be"):
        amp.decorate(None, level="O3")
