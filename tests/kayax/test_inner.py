"""Paddle's own inner paths, which real code imports, give the public objects."""
import importlib
import sys

import numpy as np
import pytest

import kayax as paddle
from kayax.inner.table import PATHS

IMPORTED = """
    tensor.manipulation:concat=concat tensor.math:add=add tensor.creation:to_tensor=to_tensor tensor:matmul=matmul
    tensor.random:randn=randn tensor.linalg:norm=linalg.norm nn.layer.conv:Conv2D=nn.Conv2D
    nn.layer.norm:LayerNorm=nn.LayerNorm nn.layer.layers:Layer=nn.Layer nn.layer:Linear=nn.Linear
    nn.functional.activation:relu=nn.functional.relu nn.initializer.kaiming:calculate_gain=nn.initializer.calculate_gain
    optimizer.optimizer:Optimizer=optimizer.Optimizer optimizer.adamw:AdamW=optimizer.AdamW
    autograd.py_layer:PyLayer=autograd.PyLayer jit.api:to_static=jit.to_static
    jit.dy2static.program_translator:StaticFunction=jit.StaticFunction amp.auto_cast:auto_cast=amp.auto_cast
    io.reader:DataLoader=io.DataLoader metric.metrics:Accuracy=metric.Accuracy
    static.input:InputSpec=static.InputSpec framework:ParamAttr=ParamAttr base:Program=static.Program
    base.framework:program_guard=static.program_guard base.dygraph:Linear=nn.Linear base.param_attr:ParamAttr=ParamAttr
    base.core:CPUPlace=CPUPlace base.executor:Executor=static.Executor common_ops_import:Variable=static.Variable
    distributed.parallel:DataParallel=DataParallel base.dygraph.base:no_grad=no_grad
""".split()


def public(name):
    found = paddle
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("entry", IMPORTED)
def test_an_import_gives_the_public_object(entry):
    where, wanted = entry.split("=")
    path, name = where.split(":")
    assert getattr(importlib.import_module(f"kayax.{path}"), name) is public(wanted)


def test_attributes_without_an_import():
    assert paddle.tensor.manipulation.concat is paddle.concat
    assert paddle.nn.layer.transformer.MultiHeadAttention is paddle.nn.MultiHeadAttention
    assert paddle.base.core.VarDesc.VarType.FP32 is paddle.float32
    assert "Conv2D" in dir(paddle.nn.layer.conv)


def test_functions_keep_their_names_beside_modules():
    importlib.import_module("kayax.amp.auto_cast")
    assert paddle.amp.auto_cast is not sys.modules["kayax.amp.auto_cast"]


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_place_exists(path):
    module = importlib.import_module(f"kayax.{path}")
    for place in PATHS[path]:
        try:
            importlib.import_module(f"kayax.{place}".rstrip("."))
        except ModuleNotFoundError:
            assert place == "incubate"                      # not there yet
        else:
            continue
    assert module.__name__ == f"kayax.{path}"


def test_unknown_names_are_told():
    with pytest.raises(AttributeError, match=r"the names of kayax\.nn"):
        _ = paddle.nn.layer.conv.Nothing
    with pytest.raises(AttributeError, match=r"'kayax\.nn' has no attribute 'nothing'"):
        _ = paddle.nn.nothing
    with pytest.raises(ImportError):
        importlib.import_module("kayax.tensor.nothing")


def test_names_that_are_public_nowhere():
    from kayax.base.dygraph import guard, to_variable
    from kayax.common_ops_import import check_variable_and_dtype, convert_np_dtype_to_dtype_
    from kayax.nn.layer.transformer import _convert_attention_mask, _convert_param_attr_to_list
    paddle.enable_static()
    try:
        assert not paddle.in_dynamic_mode()
        with guard(paddle.CPUPlace()):
            assert paddle.in_dynamic_mode() and float(to_variable(np.float32(2)) + 1) == 3
        assert not paddle.in_dynamic_mode()
    finally:
        paddle.disable_static()
    assert paddle.tensor.fill_constant([2], "int64", 3).tolist() == [3, 3]
    assert convert_np_dtype_to_dtype_(np.float16) is paddle.float16
    check_variable_and_dtype(paddle.ones([1]), "x", ["float32"], "f")
    with pytest.raises(TypeError, match="x of f must be int32"):
        check_variable_and_dtype(paddle.ones([1]), "x", ["int32"], "f")
    mask = _convert_attention_mask(paddle.to_tensor([True, False]), "float32")
    np.testing.assert_array_equal(mask.numpy(), np.float32([0, -1e9]))
    assert [a.name for a in _convert_param_attr_to_list(paddle.ParamAttr(name="w"), 2)] == ["w_0", "w_1"]
    assert _convert_param_attr_to_list(False, 2) == [False, False]
    with pytest.raises(NotImplementedError, match="public functions"):
        paddle.base.layer_helper.LayerHelper("fc")


def test_paddle_tensor_is_a_module_and_makes_tensors():
    assert paddle.tensor.math.add is paddle.add
    made = paddle.tensor([1, 2], dtype="float32", requires_grad=True)
    assert repr(type(made)) == "<class 'kayax.Tensor'>" and made.tolist() == [1, 2] and not made.stop_gradient


def test_guards_of_programs_and_their_values():
    with paddle.pir_utils.IrGuard():
        assert not paddle.in_dynamic_mode()
        with paddle.static.program_guard(paddle.static.Program()):
            assert isinstance(paddle.static.data("x", [2, 3]), paddle.pir.Value)
    assert paddle.in_dynamic_mode() and not isinstance(paddle.ones([1]), paddle.pir.Value)


def test_the_switch_of_conversion_as_an_object():
    from kayax.jit.dy2static.program_translator import ProgramTranslator
    seen = []
    function = paddle.jit.to_static(lambda: seen.append(paddle.in_dynamic_mode()))
    assert ProgramTranslator() is ProgramTranslator.get_instance()
    ProgramTranslator().enable(False)
    try:
        function()
        assert seen == [True] and not ProgramTranslator().enable_to_static
    finally:
        ProgramTranslator.reset()
    assert ProgramTranslator().enable_to_static


def test_exchanges_of_one_process_change_nothing():
    from kayax.distributed.fleet.utils.hybrid_parallel_util import fused_allreduce_gradients
    from kayax.distributed.fleet.utils.sequence_parallel_utils import GatherOp, ScatterOp
    x = paddle.ones([2, 3])
    assert fused_allreduce_gradients([x], None) is None
    assert GatherOp.apply(ScatterOp.apply(x)) is x


def test_nested_values_of_one_structure():
    from kayax.utils import assert_same_structure
    assert_same_structure({"a": [1, (2, 3)]}, {"a": [4, (5, 6)]})
    with pytest.raises(TypeError, match="different types"):
        assert_same_structure([1], (1,))
    with pytest.raises(ValueError, match="differ"):
        assert_same_structure([1, [2]], [1, 2])


def test_results_of_sublayers():
    nn, getter = paddle.nn, paddle.vision.models._utils.IntermediateLayerGetter
    model = nn.Sequential(("a", nn.Conv2D(1, 2, 3)), ("b", nn.ReLU()), ("c", nn.Linear(8, 3)))
    found = getter(model, {"a": "first", "c": "last"})(paddle.ones([1, 1, 4, 4]))
    assert [(name, list(value.shape)) for name, value in found.items()] == [("first", [1, 2, 2, 2]), ("last", [1, 3])]
    with pytest.raises(ValueError, match="nothing, which the model has not"):
        getter(model, {"nothing": "x"})
