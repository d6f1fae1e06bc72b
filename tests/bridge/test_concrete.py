"""What there is to see of a converted function: `concrete_program`, `inputs`, `outputs`, `program_cache`."""
import pytest

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec


def twice(a, k=2):
    return a * k, {"more": a + 1}


def test_declared_by_an_input_spec_before_any_call():
    static = paddle.jit.to_static(twice, input_spec=[InputSpec([None, 2], "float32", "q")])
    assert [s.name for s in static.inputs] == ["q"] and static.concrete_program.inputs[1] == 2
    assert [s.shape for s in static.outputs] == [(-1, 2), (-1, 2)]
    first, second = static.concrete_program.outputs
    assert first.dtype == second["more"].dtype == paddle.float32
    assert "mul" in str(static.main_program)
    assert not len(static.program_cache)


def test_of_the_calls():
    static = paddle.jit.to_static(twice)
    for wanted in (ValueError, RuntimeError):
        with pytest.raises(wanted, match="call it once, or give to_static an input_spec"):
            static.concrete_program  # noqa: B018
    static(paddle.ones([2]))
    static(paddle.ones([3]), k=4)
    assert [p.inputs[0].shape for p in static.program_cache.concrete_programs()] == [(2,), (3,)]
    assert static.concrete_program.inputs[1] == 4 and static.concrete_program.function is twice
    static.program_cache.clear()
    assert not len(static.program_cache)
    assert static(paddle.ones([2]))[0].tolist() == [2, 2]


def test_for_given_arguments():
    static = paddle.jit.to_static(twice)
    program, runs = static.get_concrete_program(InputSpec([None, 4]))
    assert program.inputs[0].shape == (-1, 4) and program.inputs[1] == 2 and runs is static
    program, _ = static.get_concrete_program(a=paddle.ones([3], "int64"))
    assert program.outputs[0].dtype == paddle.int64


def test_of_a_layer():
    net = paddle.jit.to_static(nn.Linear(2, 3), input_spec=[InputSpec([None, 2])])
    assert [p.shape for p in net.forward.concrete_program.parameters] == [[2, 3], [3]]
    assert net.forward.class_instance is net and net.forward.inputs[0].name == "input"


def test_backend():
    assert paddle.jit.to_static(twice, backend="cinn")(paddle.ones([1]))[0].tolist() == [2]
    with pytest.raises(ValueError, match="backend must be None or 'CINN', but got 'inductor'"):
        paddle.jit.to_static(twice, backend="inductor")
