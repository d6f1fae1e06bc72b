"""Functions of static.nn that make parameters, weights of two parameters, and what feeds and measures programs."""
import numpy as np
import pytest
from static_cases import attr, numbers

import kayax as paddle
from kayax import base, static


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


def built(build):
    main, startup = static.Program(), static.Program()
    with static.program_guard(main, startup):
        outs = build()
    exe = static.Executor()
    exe.run(startup)
    return main, exe, outs


def test_deformable_convolution_is_that_of_vision():
    x, offset, mask = numbers(1, 2, 4, 5, 5), numbers(2, 2, 18, 5, 5), numbers(3, 2, 9, 5, 5)

    def build():
        given = [static.data(n, list(v.shape), "float32") for n, v in zip("xom", (x, offset, mask), strict=True)]
        options = {"padding": 1, "groups": 2, "weight_attr": attr(paddle, 4, 2, 2, 3, 3)}
        return [static.nn.deform_conv2d(*given, 2, 3, bias_attr=attr(paddle, 5, 2), **options),
                static.nn.deform_conv2d(*given[:2], None, 2, 3, bias_attr=False, **options)]

    main, exe, outs = built(build)
    found = exe.run(main, feed={"x": x, "o": offset, "m": mask}, fetch_list=outs)
    paddle.disable_static()
    weight, bias = (paddle.to_tensor(0.4 * numbers(*n)) for n in ((4, 2, 2, 3, 3), (5, 2)))
    tensors = [paddle.to_tensor(v) for v in (x, offset, mask)]
    for one, b, m in zip(found, (bias, None), (tensors[2], None), strict=True):
        wanted = paddle.vision.ops.deform_conv2d(*tensors[:2], weight, b, padding=1, groups=2, mask=m)
        np.testing.assert_allclose(one, wanted.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dim", [None, 0, 1])
def test_weights_of_direction_and_length(dim):
    def build():
        x = static.data("x", [2, 3], "float32")
        normed = static.WeightNormParamAttr(dim=dim, name="w", initializer=paddle.nn.initializer.Normal())
        out = static.nn.fc(x, 4, weight_attr=normed, bias_attr=False)
        paddle.optimizer.SGD(0.5).minimize((out * out).sum())
        return [out]

    main, exe, (out,) = built(build)
    parameters = {p.name: p for p in main.all_parameters()}
    shapes = {None: [1, 1], 0: [3, 1], 1: [1, 4]}
    assert sorted(parameters) == ["w_g", "w_v"] and parameters["w_g"].shape == shapes[dim]
    value = numbers(1, 2, 3)
    before = parameters["w_v"].numpy()                  # the length is at first that of the direction
    np.testing.assert_allclose(exe.run(main, feed={"x": value}, fetch_list=[out])[0], value @ before, rtol=1e-4)
    g, v = parameters["w_g"].numpy(), parameters["w_v"].numpy()
    assert not np.array_equal(v, before)
    norm = np.sqrt((v**2).sum(None if dim is None else 1 - dim, keepdims=True))
    np.testing.assert_allclose(exe.run(main.clone(for_test=True), feed={"x": value}, fetch_list=[out])[0],
                               value @ (v * g / norm), rtol=1e-4)


def test_normed_weights_of_convolutions():
    def build():
        x = static.data("x", [1, 2, 4, 4], "float32")
        return [static.nn.conv2d(x, 3, 3, param_attr=static.WeightNormParamAttr(dim=0), bias_attr=False)]

    main, exe, outs = built(build)
    (g, v) = sorted(main.all_parameters(), key=lambda p: p.name)
    assert g.shape == [3, 1, 1, 1] and v.shape == [3, 2, 3, 3]
    g.set_value(2 * g.numpy())
    x = numbers(2, 1, 2, 4, 4)
    found = exe.run(main, feed={"x": x}, fetch_list=outs)[0]
    wanted = [[(x[0, :, i:i + 3, j:j + 3] * 2 * v.numpy()).sum((1, 2, 3)) for j in range(2)] for i in range(2)]
    np.testing.assert_allclose(found[0], np.moveaxis(wanted, 2, 0), rtol=1e-4)


def test_noise_contrastive_estimation():
    custom = np.array([0.05, 0.5, 0.1, 0.3, 0.05])
    chances = {"uniform": np.full(5, 0.2), "custom_dist": custom,
               "log_uniform": np.log1p(1 / np.arange(1, 6)) / np.log(6) * (np.log(6) / np.log(5))}
    count = 3000

    def build():
        x, y = static.data("x", [4, 3], "float32"), static.data("y", [4, 1], "int64")
        return [static.nn.nce(x, y, 5, None, attr(paddle, 1, 5, 3), attr(paddle, 2, 5, 1), count, sampler=name,
                              custom_dist=custom, seed=seed) for name in chances for seed in (0, 7)]

    main, exe, outs = built(build)
    feed = {"x": numbers(3, 4, 3), "y": np.int64([[0], [1], [4], [2]])}
    first, second = (exe.run(main, feed=feed, fetch_list=outs) for _ in range(2))
    odds = 1 / (1 + np.exp(-(feed["x"] @ (0.4 * numbers(1, 5, 3)).T + 0.4 * numbers(2, 5, 1).T)))
    for i, chance in enumerate(chances.values()):
        assert not np.array_equal(first[2 * i], second[2 * i])
        np.testing.assert_array_equal(first[2 * i + 1], second[2 * i + 1])
        noise = chance * count
        chance = chance / chance.sum()
        true = np.take_along_axis(-np.log(odds / (odds + noise)), feed["y"], 1)
        wanted = (true - count * (chance * np.log(noise / (odds + noise))).sum(1, keepdims=True)) / (count + 1)
        for found in (first[2 * i], first[2 * i + 1]):
            np.testing.assert_allclose(found, wanted, rtol=0.1)
    with static.program_guard(main):
        for wrong in (static.data("n", [4, 3], "int64"), feed["x"]):
            with pytest.raises(TypeError, match="input"):
                static.nn.nce(wrong, main.var("y"), 5)


def test_sums_for_predicted_clicks():
    def build():
        x, y = static.data("x", [None, 1], "float32"), static.data("y", [None, 1], "float32")
        return list(static.ctr_metric_bundle(x, y)) + list(
            static.ctr_metric_bundle(x, y, static.data("w", [1, 1], "int64")))

    main, exe, outs = built(build)
    x, y = np.float32([[0.2], [0.8], [0.4]]), np.float32([[0], [1], [1]])
    for _ in range(2):
        found = exe.run(main, feed={"x": x, "y": y, "w": np.int64([[0]])}, fetch_list=outs)
    one = [((x - y) ** 2).sum(), abs(x - y).sum(), x.sum(), (1 / (1 + np.exp(-x))).sum(), 2, 3]
    np.testing.assert_allclose(np.ravel(found), 2 * np.ravel([one, [*one[:3], 0, 2, 0]]), rtol=1e-5)


def test_samples_are_gathered_for_the_executor():
    first, second = static.data("first", [None, 2, 2], "float32"), static.data("second", [None, 3], "int64")
    feeder = base.DataFeeder([first, "second"], paddle.CPUPlace())
    feed = feeder.feed((np.arange(4) + i, [i] * 3) for i in range(2))
    found = static.Executor().run(feed=feed, fetch_list=[first * 1, second + 1])
    np.testing.assert_array_equal(found[0], np.float32([[[0, 1], [2, 3]], [[1, 2], [3, 4]]]))
    np.testing.assert_array_equal(found[1], [[1] * 3, [2] * 3])
    with pytest.raises(AssertionError, match="2 inputs"):
        feeder.feed([(1, 2, 3)])
    with pytest.raises(ValueError, match="cannot take"):
        feeder.feed([([1, 2, 3], [1, 2, 3])])
    with pytest.raises(TypeError, match="variables"):
        base.DataFeeder([3], None)


def test_open_shapes_compare():
    first, second = static.data("a", [None, 3]), static.data("b", [None, 3])
    assert first.shape == second.shape and (first.shape != second.shape) is False
    assert first.shape != [2, 3] and first.shape == [-1, 3]


def test_a_program_stops_where_a_condition_is_false(capsys):
    def build():
        x = static.data("x", [2], "float32")
        static.nn.control_flow.Assert((x > 0).all(), [x], summarize=1)
        loss = (x * paddle.create_parameter([2], "float32", attr=attr(paddle, 1, 2))).sum()
        paddle.optimizer.SGD(0.1).minimize(loss)
        return [x + 1]

    main, exe, outs = built(build)
    weight = main.all_parameters()[0]
    for sign in (1, -1, 1):
        before, feed = weight.numpy(), {"x": np.float32([sign, 2])}
        if sign > 0:
            np.testing.assert_array_equal(exe.run(main, feed=feed, fetch_list=outs)[0], [2, 3])
            np.testing.assert_allclose(weight.numpy(), before - 0.1 * feed["x"], rtol=1e-5)
        else:
            with pytest.raises(ValueError, match="is false"):
                exe.run(main, feed=feed, fetch_list=outs)
            np.testing.assert_array_equal(weight.numpy(), before)
    assert capsys.readouterr().out == ("Variable: x\n  - lod: {}\n  - place: Place(cpu)\n  - shape: [2]\n"
                                       "  - layout: NCHW\n  - dtype: float32\n  - data: [-1.000000]\n")
    with static.program_guard(main), pytest.raises(TypeError, match="cond"):
        static.nn.control_flow.Assert(outs[0])
