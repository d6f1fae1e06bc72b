"""What users see of programs: variables, operations, scopes, values, and errors of the Executor."""
import numpy as np
import pytest
from static_cases import build, numbers

import kayax as paddle
from kayax import base, nn, static


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


def test_values_as_objects():
    core = base.core
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2, 3], "float32")
        y = x * 2
    value = core.DenseTensor()
    assert value.shape() == [] and not value._is_initialized() and core.LoDTensor is core.DenseTensor
    value.set(np.arange(6).reshape(2, 3).astype("float32"), core.CPUPlace())
    assert value.shape() == [2, 3] and value._dtype() == paddle.float32 and value.lod() == []
    assert str(value).endswith("  - dtype: float32\n  - data: [0 1 2 3 4 5]")
    exe = base.Executor(base.CPUPlace())
    once = exe.run(main, feed={x: value}, fetch_list=[[y]], return_numpy=False)[0]
    assert isinstance(once, core.DenseTensor) and once.shape() == [2, 3]
    np.testing.assert_array_equal(exe.run(main, feed={"x": once}, fetch_list=[y])[0], 4 * value.numpy())
    with pytest.raises(NotImplementedError, match="sequence_mask"):
        value.set_lod([[0, 1, 2]])


def test_scopes_have_variables():
    main, *_ = build(paddle)
    scope = static.global_scope()
    parameter = main.global_block().all_parameters()[0]
    held = scope.find_var(parameter.name)
    assert held.is_initialized() and held.name() == parameter.name in scope.local_var_names()
    held.get_tensor().set(np.ones(parameter.shape, "float32"), paddle.CPUPlace())
    np.testing.assert_array_equal(parameter.get_value(), np.ones(parameter.shape))
    own = base.core.Scope()
    assert own.find_var("mine") is None and not own.var("mine").is_initialized()
    own.var("mine").get_tensor().set(np.arange(3))
    np.testing.assert_array_equal(own.find_var("mine").get_tensor(), [0, 1, 2])
    own.new_scope()
    own.drop_kids()
    own.erase(["mine"])
    assert own.find_var("mine") is None
    with pytest.raises(RuntimeError, match="get_value"):
        main.var("x").get_value()


def test_where_variables_come_from():
    main = static.Program()
    with static.program_guard(main):
        x = static.data("x", [2, 3], "float32")
        y = paddle.matmul(x, paddle.transpose(x, [1, 0]))
    last = main.global_block().ops[-1]
    assert last.name() == "pd_op.matmul" and last.result(0) is y and last.operand_source(0) is x
    assert y.get_defining_op().name() == "pd_op.matmul" and x.get_defining_op() is None
    assert [op.type for op in x.all_used_ops()] == ["transpose", "matmul"] and y.use_empty() and not x.use_empty()
    assert x.is_same(x) and not x.is_same(y)
    other, startup = static.Program(), static.Program()
    with static.program_guard(other, startup):
        static.nn.fc(static.data("x", [2, 3]), 2, bias_attr=False)
    assert startup.num_ops() == 1 and startup.global_block().ops[0].output_arg_names[0].endswith(".w_0")
    assert main.num_ops() == 2
    with pytest.raises(IndexError, match="one block"):
        main.block(1)


def test_parameters_have_paddles_names_and_shapes():
    with static.program_guard(static.Program(), static.Program()), paddle.utils.unique_name.guard():
        x, flat = static.data("x", [2, 3, 4, 4], "float32"), static.data("flat", [2, 3], "float32")
        static.nn.instance_norm(x)
        static.nn.bilinear_tensor_product(flat, flat, 2)
        for mode in ("all", "channel", "element"):
            static.nn.prelu(x, mode)
        found = {p.name: list(p.shape) for p in static.default_main_program().all_parameters()}
    assert found == {"instance_norm_0.w_0": [3], "instance_norm_0.b_0": [3],
                     "bilinear_tensor_product_0.w_0": [2, 3, 3], "bilinear_tensor_product_0.b_0": [1, 2],
                     "prelu_0.w_0": [1], "prelu_1.w_0": [1, 3, 1, 1], "prelu_2.w_0": [1, 3, 4, 4]}


class Samples(paddle.io.Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return np.full(3, i, "float32"), np.int64([i])


def test_batches_for_an_executor():
    main = static.Program()
    with static.program_guard(main):
        x, y = static.data("x", [None, 3], "float32"), static.data("y", [None, 1], "int64")
        out = x * 2 + y.astype("float32")
    loader = paddle.io.DataLoader(Samples(), feed_list=[x, y], batch_size=2, return_list=False)
    batches = list(loader())
    assert [sorted(b[0]) for b in batches] == [["x", "y"]] * 2 and len(loader) == 2
    found = [static.Executor().run(main, feed=b, fetch_list=[out])[0] for b in batches]
    np.testing.assert_array_equal(np.concatenate(found), np.arange(3)[:, None] * np.full((1, 3), 3.0))
    assert len(next(iter(paddle.io.DataLoader(Samples(), feed_list=[x, y], batch_size=2)))) == 2


def test_an_input_declared_twice():
    main = static.Program()
    with static.program_guard(main):
        first = static.data("x", [None, 3], "float32")
        y = first * 2
        again = static.data("x", [None, 3], "float32")
        z = again + 1
    exe, feed = static.Executor(), {"x": numbers(0, 2, 3)}
    found = exe.run(main, feed=feed, fetch_list=[y, z])
    np.testing.assert_allclose(found, [feed["x"] * 2, feed["x"] + 1], rtol=1e-6)
    with static.program_guard(main):
        static.data("x", [4], "float32")
    with pytest.raises(ValueError, match="declared again"):
        exe.run(main, feed={"x": np.ones(4, "float32")}, fetch_list=[y, z, z * 1])


def test_errors_of_the_executor_and_files(tmp_path):
    main, exe, (x, _), out, loss = build(paddle)
    one = np.ones((2, 5), "float32")
    with pytest.raises(KeyError, match="needs the input 'y'"):
        exe.run(main, feed={"x": one}, fetch_list=[loss])
    for wrong in (lambda: static.save_inference_model(str(tmp_path / "m"), ["x"], [out], exe, program=main),
                  lambda: static.load_inference_model(5, exe), lambda: static.Executor("abc"),
                  lambda: static.device_guard("abc").__enter__()):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (lambda: static.save_inference_model(str(tmp_path / "m"), [x], [out], exe, program=5),
                  lambda: main.set_state_dict(5), lambda: static.scope_guard(5).__enter__(),
                  lambda: main.set_state_dict({main.all_parameters()[0].name: np.ones((9, 9))})):
        with pytest.raises(TypeError):
            wrong()
    for wrong in (lambda: static.load_inference_model(str(tmp_path / "m"), 5), static.cuda_places,
                  lambda: static.save(main, str(tmp_path) + "/")):
        with pytest.raises(AssertionError):
            wrong()
    with static.program_guard(main), pytest.raises(AssertionError, match="one element"):
        paddle.optimizer.SGD(0.1).minimize(nn.functional.relu(out))
    assert base.framework.static_only(lambda: 1)() == 1
    paddle.disable_static()
    with pytest.raises(AssertionError, match="static mode only"):
        base.framework.static_only(lambda: 1)()


def test_inner_paths_of_programs():
    assert static.nn.control_flow.while_loop is static.nn.while_loop and static.nn.common.fc is static.nn.fc
    assert static.nn.metric.auc is static.auc and base.io.DataLoader is paddle.io.DataLoader
    assert base.framework.Block is base.Program and base.core.DenseTensorArray() == []
    assert static.nn.common.ExponentialMovingAverage is static.ExponentialMovingAverage
