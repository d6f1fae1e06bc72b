"""Values of different kinds on two paths, where they cannot stay so: in saved programs; and what the reasons say."""
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError
from kayax.jit import to_static
from kayax.static import InputSpec


class Scaled(nn.Layer):
    def forward(self, x):
        scale = 0.5
        if x.sum() > 0:
            scale = x.max()
        return x * scale, scale


class Cast(nn.Layer):
    def forward(self, x):
        y = x.astype("float64") if x.sum() > 0 else x
        return (y * 2).astype("float32")


class TwoTypes(nn.Layer):
    def forward(self, x):
        if x.sum() > 0:
            y = x.astype("float64")
        else:
            y = x
        return y


@pytest.mark.parametrize("kind", [Scaled, Cast])
def test_saved(kind, tmp_path):
    paddle.jit.save(kind(), str(tmp_path / "m"), input_spec=[InputSpec([None], "float32")])
    loaded = paddle.jit.load(str(tmp_path / "m"))
    for values in ([1.0, 2.0], [-1.0, -5.0]):
        wanted, found = kind()(paddle.to_tensor(values)), loaded(paddle.to_tensor(values))
        for a, b in zip(wanted, found, strict=True):
            assert float(a) == float(b) if not isinstance(a, paddle.Tensor) else a.tolist() == b.tolist()


def test_a_saved_program_has_one_type(tmp_path):
    with pytest.raises(ConversionError, match="`y` is a float64 tensor .* on one path and a float32 tensor"):
        paddle.jit.save(TwoTypes(), str(tmp_path / "m"), input_spec=[InputSpec([2], "float32")])


def test_the_reason_names_the_variable_both_kinds_and_the_mend():
    def f(x):
        if x.sum() > 0:
            y = x.astype("int32")
        else:
            y = x
        with y:
            return x

    with pytest.raises(ConversionError, match=r"(?s)`y` is an int32 tensor of shape \[2\] on one path and a float32 "
                                              r"tensor of shape \[2\].*with y.*cast it in the branch"):
        to_static(f, full_graph=True)(paddle.to_tensor([1.0, 2.0]))


def test_the_reason_names_an_object_that_a_branch_made():
    class Box(list):
        pass

    def f(x):
        box = None
        if x.sum() > 0:
            box = Box()
            box.t = x * 2.0
        return x if box is None else x + box.t

    with pytest.raises(ConversionError, match=r"(?s)made in a branch or loop.*Make the object before"):
        to_static(f, full_graph=True)(paddle.to_tensor([1.0, 2.0]))
