"""Static mode: programs against real Paddle, and what the mode itself does."""
import json
from pathlib import Path

import numpy as np
import pytest
from static_cases import CASES, batch, build, numbers

import kayax as paddle
from kayax import nn, static
from kayax.bridge.errors import FallbackWarning

RECORDED = json.loads((Path(__file__).parent / "reference" / "static.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


@pytest.mark.filterwarnings("ignore:A program runs operation by operation")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_real_paddle(case):
    for found, wanted in zip(case(paddle), RECORDED[case.__name__], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_variables_have_shapes_and_no_values():
    x = static.data("x", [None, 4], "float32")
    y = paddle.nn.functional.relu(x).reshape([x.shape[0], 2, 2])
    assert not paddle.in_dynamic_mode()
    assert x.shape == [-1, 4] and repr(x.shape) == "paddle.Size([-1, 4])" and y.shape == [-1, 2, 2]
    assert repr(x) == "Variable(name=x, dtype=tensor<-1x4xfloat32>, stop_gradient=True)"
    for use in (x.numpy, lambda: bool(x.sum() > 0), lambda: float(x.sum()), lambda: np.asarray(x)):
        with pytest.raises(RuntimeError, match="only while the graph runs"):
            use()
    with pytest.raises(RuntimeError, match="minimize"):
        x.sum().backward()
    paddle.disable_static()
    with pytest.raises((RuntimeError, TypeError), match="static graph"):
        _ = x + 1
    with pytest.raises(RuntimeError, match="enable_static"):
        static.data("z", [1])


def test_open_dims_are_found_when_a_program_runs():
    x = static.data("x", [None, None], "float32")
    mean = x.sum() / (x.shape[0] * x.shape[1])
    rows = paddle.zeros([x.shape[0] + 1, 2])
    exe = static.Executor()
    for shape in ((2, 3), (4, 5)):
        value = numbers(1, *shape)
        found = exe.run(feed={"x": value}, fetch_list=[mean, rows])
        np.testing.assert_allclose(found[0], value.mean(), rtol=1e-5)
        assert found[1].shape == (shape[0] + 1, 2)


def test_open_dims_of_different_inputs():
    main = static.Program()
    with static.program_guard(main):
        a, b = static.data("a", [None], "float32"), static.data("b", [None], "float32")
        both = paddle.ones([a.shape[0]]).sum() + b.sum()
        total = a + b
        rows = paddle.ones([total.shape[0]]).sum()
        c = static.data("c", ["other"], "float32")
        apart = paddle.ones([c.shape[0]]).sum() + a.sum()
    feed = {"a": np.ones(1, "float32"), "b": np.ones(3, "float32"), "c": np.ones(4, "float32")}
    exe = static.Executor()
    assert total.shape == [-1]
    assert exe.run(main, feed=feed, fetch_list=[both])[0] == 4 and exe.run(main, feed, [total])[0].shape == (3,)
    assert exe.run(main, feed=feed, fetch_list=[rows])[0] == 3
    assert exe.run(main, feed=feed, fetch_list=[apart])[0] == 5
    with static.program_guard(main):
        d, e = static.data("d", ["n"], "float32"), static.data("e", ["n"], "float32")
        named = paddle.ones([d.shape[0]]).sum() + e.sum()
    with pytest.raises(ValueError, match="different names"):
        exe.run(main, feed={"d": feed["a"], "e": feed["b"]}, fetch_list=[named])


def test_shapes_that_depend_on_values():
    """Such a program runs operation by operation, and says so once; gradients, counts, sizes of what was chosen."""
    x = static.data("x", [None, 3], "float32")
    x.stop_gradient = False
    chosen = x[x > 0]
    assert chosen.shape == [-1] and paddle.nonzero(x).shape == [-1, 2] and paddle.unique(x).shape == [-1]
    total = (chosen * paddle.arange(chosen.shape[0]).astype("float32")).sum()
    grad, = static.gradients([total], [x])
    rows = paddle.zeros([paddle.shape(x)[0], 2])
    assert rows.shape == [-1, 2]
    exe = static.Executor()
    feeds = [np.float32([[1, -2, 3], [4, -5, 6]]), np.float32([[-1, 0, 7]])]
    with pytest.warns(FallbackWarning, match="operation by operation.*boolean mask") as warned:
        runs = [exe.run(feed={"x": value}, fetch_list=[chosen, total, grad, rows]) for value in feeds]
    assert len(warned) == 1 and warned[0].filename == __file__
    for value, found in zip(feeds, runs, strict=True):
        kept = value[value > 0]
        wanted = np.zeros_like(value)
        wanted[value > 0] = np.arange(kept.size)
        np.testing.assert_array_equal(found[0], kept)
        np.testing.assert_allclose(found[1], (kept * np.arange(kept.size)).sum())
        np.testing.assert_array_equal(found[2], wanted)
        assert found[3].shape == (len(value), 2)


def test_open_dims_that_meet_known_ones():
    x = static.data("x", [None, 3], "float32")
    total = x + paddle.ones([4, 3])
    assert total.shape == [4, 3] and x.expand([5, 3]).shape == [5, 3] and paddle.split(x, 2)[0].shape == [-1, 3]
    with pytest.raises(ValueError, match="concat"):
        paddle.concat([x, paddle.ones([2, 4])])
    exe = static.Executor()
    for rows in (1, 4):
        assert exe.run(feed={"x": np.ones((rows, 3), "float32")}, fetch_list=[total])[0].sum() == 24


def test_random_numbers_differ_from_run_to_run():
    main = static.Program()
    with static.program_guard(main):
        drawn = paddle.rand([3])
        kept = nn.functional.dropout(paddle.ones([100]), 0.5)
    exe = static.Executor()
    first, second = (exe.run(main, fetch_list=[drawn, kept]) for _ in range(2))
    assert not np.array_equal(first[0], second[0])
    assert 0 < (first[1] == 0).sum() < 100
    assert (exe.run(main.clone(for_test=True), fetch_list=[kept])[0] == 1).all()


def test_writes_in_place_are_seen_in_their_order():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2], "float32")
        y = x * 1
        before = y + 0
        y.add_(x)
        y[0] = 7.0
        after = y + 0
    found = static.Executor().run(main, feed={"x": np.float32([1, 2])}, fetch_list=[before, after, y])
    np.testing.assert_array_equal(found, [[1, 2], [7, 4], [7, 4]])


class Doubled(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 10


def test_converted_functions_are_noted_as_they_are_written():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2], "float32")
        y = paddle.jit.to_static(lambda v: v * 2 + 1)(x)
    assert [o.type for o in main.ops] == ["multiply", "add"]
    found = static.Executor().run(main, feed={"x": np.float32([1, 2])}, fetch_list=[y])[0]
    np.testing.assert_array_equal(found, [3, 5])


def test_gradients_of_ones_own():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2], "float32")
        x.stop_gradient = False
        y = Doubled.apply(x)
        grad, = static.gradients([y], [x])
        z = static.nn.static_pylayer(lambda v: v * 3, [x], lambda g: g * 7)
        other, = static.gradients([z], [x])
    found = static.Executor().run(main, feed={"x": np.float32([1, 2])}, fetch_list=[y, grad, z, other])
    np.testing.assert_array_equal(found, [[2, 4], [10, 10], [3, 6], [7, 7]])


def test_what_is_fed_is_checked():
    main, exe, _, out, loss = build(paddle)
    good = batch(0)
    with pytest.raises(KeyError, match="'y'"):
        exe.run(main, feed={"x": good["x"]}, fetch_list=[loss])
    assert exe.run(main, feed={"x": good["x"]}, fetch_list=[out])[0].shape == (4, 3)
    with pytest.raises(ValueError, match=r"\[-1, 5\].*\[4, 6\]"):
        exe.run(main, feed={"x": numbers(0, 4, 6)}, fetch_list=[out])
    with pytest.raises(ValueError, match="int64.*float32"):
        exe.run(main, feed={"x": good["x"], "y": good["y"].astype("float32")}, fetch_list=[loss])
    with pytest.warns(UserWarning, match="feed has z"):
        exe.run(main, feed={**good, "z": good["x"]}, fetch_list=[out.name])


def test_programs_and_scopes(tmp_path):
    main, exe, (x, _), _, _ = build(paddle, paddle.optimizer.SGD(0.1))
    assert [p.name.split(".")[1] for p in main.all_parameters()] == ["w_0", "b_0", "w_0", "b_0"]
    assert main.global_block().var("x") is x and {"linear", "tanh", "cross_entropy"} <= {o.type for o in main.ops}
    weight = main.all_parameters()[0]
    held = static.global_scope().find_var(weight.name).get_tensor()
    paddle.save(held, str(tmp_path / "held"))
    np.testing.assert_array_equal(paddle.load(str(tmp_path / "held")), held)
    held.set(np.zeros(weight.shape, "float32"), paddle.CPUPlace())
    np.testing.assert_array_equal(exe.run(main, feed=batch(0), fetch_list=[weight])[0] != 0, True)
    np.testing.assert_array_equal(np.array(held).shape, weight.shape)
    assert static.CompiledProgram(main).program is main
    assert len(main.clone(for_test=True).ops) < len(main.ops)
    scope = static.Scope()
    with static.scope_guard(scope):
        static.global_scope().var("mine").get_tensor().set(np.ones(2))
    np.testing.assert_array_equal(np.array(scope.find_var("mine").get_tensor()), [1, 1])
    assert static.global_scope().find_var("mine") is None
    with pytest.raises(ValueError, match="no variable 'nothing'"):
        main.global_block().var("nothing")


def test_integers_print_as_paddles():
    x = static.data("x", [2], "int64")
    found = static.Executor().run(feed={"x": np.array([1, 2])}, fetch_list=[x + 1])
    assert str(found) == "[array([2, 3], dtype=int64)]"


def test_files_of_a_program(tmp_path):
    main, exe, (x, _), out, loss = build(paddle, paddle.optimizer.Adam(0.1))
    exe.run(main, feed=batch(0), fetch_list=[loss])
    static.save(main, str(tmp_path / "kept"))
    wanted = exe.run(main, feed=batch(1), fetch_list=[loss])[0]
    exe.run(main, feed=batch(1), fetch_list=[loss])
    static.load(main, str(tmp_path / "kept"), exe)
    np.testing.assert_allclose(exe.run(main, feed=batch(1), fetch_list=[loss])[0], wanted, rtol=1e-6)

    static.save_inference_model(str(tmp_path / "model"), [x], [out], exe, program=main)
    with pytest.raises(ValueError, match="'y', which is not among feed_vars"):
        static.save_inference_model(str(tmp_path / "bad"), [x], [loss], exe, program=main)
    program, names, fetches = static.load_inference_model(str(tmp_path / "model"), exe)
    found = exe.run(program, feed={names[0]: batch(1)["x"]}, fetch_list=fetches)[0]
    paddle.disable_static()
    loaded = paddle.jit.load(str(tmp_path / "model"))
    np.testing.assert_allclose(found, loaded(paddle.to_tensor(batch(1)["x"])).numpy(), rtol=1e-6)


def test_printing_and_calling_python(capsys):
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2], "float32")
        shown = static.Print(x * 2, message="here")
        out = main.global_block().create_var("out", [2], "float32")
        called = static.py_func(lambda v: v.numpy() + 5, shown, out)
    found = static.Executor().run(main, feed={"x": np.float32([1, 2])}, fetch_list=[called])[0]
    np.testing.assert_array_equal(found, [7, 9])
    printed = capsys.readouterr().out
    assert "  - message: here\n  - lod: {}\n  - place: Place(cpu)\n  - shape: [2]\n  - layout: NCHW\n" in printed
    assert printed.endswith("  - dtype: float32\n  - data: [2.000000 4.000000]\n")


def test_python_with_a_gradient_of_its_own():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [None, 2], "float32")
        x.stop_gradient = False
        out = main.current_block().create_var("tanh", [-1, 2], "float32")
        y = static.py_func(np.tanh, x, out, backward_func=lambda x, y, g: g.numpy() * (1 - y.numpy() ** 2))
        grad, = static.gradients([y * 3], [x])
    value = numbers(0, 4, 2)
    found = static.Executor().run(main, feed={"x": value}, fetch_list=[y, grad])
    np.testing.assert_allclose(found, [np.tanh(value), 3 * (1 - np.tanh(value) ** 2)], rtol=1e-5)


def test_operations_can_be_looked_at():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2, 3], "float32")
        y = paddle.sum(x, axis=1)
    (op,) = main.global_block().ops
    assert (op.type, op.name(), op.input_arg_names, op.output_arg_names) == ("sum", "pd_op.sum", ["x"], [y.name])
    assert op.input("X") == ["x"] and op.has_attr("axis") and op.attr("axis") == 1 and not op.has_attr("x")
    assert (op.num_operands(), op.num_results()) == (1, 1) and op.results()[0] is y
    with pytest.raises(ValueError, match="no attribute 'nothing'"):
        op.attr("nothing")
    with pytest.raises(TypeError, match="takes variables"):
        static.gradients([3], [x])
    with pytest.raises(TypeError, match="only while the graph runs"):
        bool(x.sum())
    with static.program_guard(main):
        both = paddle.to_tensor([x.sum(), y[0]])
    assert both.shape == [2]
    np.testing.assert_array_equal(static.Executor().run(main, {"x": np.ones((2, 3), "float32")}, [both])[0], [6, 3])


def test_area_under_the_curve_over_runs():
    main = static.Program()
    with static.program_guard(main):
        x, y = static.data("x", [None, 2], "float32"), static.data("y", [None, 1], "int64")
        whole, last, _ = static.auc(x, y, num_thresholds=1000)
    exe, metric = static.Executor(), paddle.metric.Auc(num_thresholds=1000)
    random = np.random.RandomState(0)
    for _ in range(3):
        score, label = random.rand(8).astype("float32"), random.randint(0, 2, (8, 1))
        feed = {"x": np.stack([1 - score, score], 1), "y": label}
        found = exe.run(main, feed=feed, fetch_list=[whole, last])
        metric.update(feed["x"], label)
        one = paddle.metric.Auc(num_thresholds=1000)
        one.update(feed["x"], label)
        np.testing.assert_allclose(found, [metric.accumulate(), one.accumulate()])


def test_moving_averages_of_parameters():
    main, start = static.Program(), static.Program()
    with static.program_guard(main, start):
        x = static.data("x", [None, 2])
        loss = static.nn.fc(x, 1, bias_attr=False).mean()
        paddle.optimizer.SGD(0.5).minimize(loss)
        averages = static.ExponentialMovingAverage(0.5)
        averages.update()
    exe = static.Executor()
    exe.run(start)
    (weight,) = main.all_parameters()
    values = []
    for _ in range(3):
        exe.run(main, feed={"x": numbers(1, 4, 2)}, fetch_list=[loss])
        values.append(weight.numpy())
    wanted = (values[0] / 8 + values[1] / 4 + values[2] / 2) / (1 - 0.5**3)
    with averages.apply(exe):
        np.testing.assert_allclose(weight.numpy(), wanted, rtol=1e-6)
    np.testing.assert_array_equal(weight.numpy(), values[-1])
    with averages.apply(exe, need_restore=False):
        pass
    np.testing.assert_allclose(weight.numpy(), wanted, rtol=1e-6)
    averages.restore(exe)
    np.testing.assert_array_equal(weight.numpy(), values[-1])


def test_the_executor_notices_what_has_changed():
    """What it found out about a run holds for the same results, inputs and instructions alone."""
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2])
        y = x + 1
        exe, feed = static.Executor(), {"x": np.zeros(2, "float32")}
        assert exe.run(main, feed, [y.name])[0].tolist() == [1, 1]
        y.add_(paddle.ones([2]))
        assert exe.run(main, feed, [y.name])[0].tolist() == [2, 2]
        assert exe.run(main, feed, [y, x])[1].tolist() == [0, 0]
        with pytest.raises(KeyError, match="'x', which is not in feed"):
            exe.run(main, {}, [y])
        with pytest.warns(UserWarning, match="feed has z"):
            exe.run(main, {**feed, "z": 1}, [y])


def test_fed_arrays_may_change_after_a_run():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [None, 2])
        doubled, same = x * 2, x + 0
    exe, results = static.Executor(), []
    for rows in (2, 2, 3, 3, 2):
        value = np.full((rows, 2), rows, "float32")
        results.append((exe.run(main, {"x": value}, [doubled, same]), value.copy()))
        value[:] = -1
    for found, value in results:
        np.testing.assert_array_equal(found[0], 2 * value)
        np.testing.assert_array_equal(found[1], value)
    with pytest.raises(ValueError, match="has the shape"):
        exe.run(main, {"x": np.zeros(2, "float32")}, [same])
