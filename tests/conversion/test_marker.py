"""`paddle.jit.marker`: what functions and Layers say of their own conversion."""
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError, FallbackWarning


def test_unified_code_is_not_rewritten():
    @paddle.jit.marker.unified
    def branch(x):
        return x if x.sum() > 0 else -x

    with pytest.raises(ConversionError):
        paddle.jit.to_static(lambda x: branch(x), full_graph=True)(paddle.ones([2]))


@pytest.mark.parametrize("what", ["function", "Layer"])
def test_what_is_forced_to_be_dynamic_runs_eagerly(what):
    if what == "function":
        @paddle.jit.marker.force_dynamic
        def double(x):
            return x * 2.0
    else:
        @paddle.jit.marker.force_dynamic
        class Double(nn.Layer):
            def forward(self, x):
                return x * 2.0

        double = Double()

    def run(x):
        return double(x) + 1.0

    with pytest.warns(FallbackWarning, match="force_dynamic"):
        assert paddle.jit.to_static(run)(paddle.ones([1])).item() == 3.0
    with pytest.raises(ConversionError, match="force_dynamic"):
        paddle.jit.to_static(run, full_graph=True)(paddle.ones([1]))


def test_the_others_change_nothing_and_check_what_they_are_given():
    from kayax.jit.marker import capture_control_flow, dynamic_dims, force_dynamic
    assert capture_control_flow(len) is len and capture_control_flow()(len) is len
    dynamic_dims(paddle.ones([2, 2]), [0, 1])
    one = paddle.ones([1])
    for wrong in (lambda: dynamic_dims([1.0], 0), lambda: dynamic_dims(one, 0.5), lambda: force_dynamic(3)):
        with pytest.raises(TypeError):
            wrong()
