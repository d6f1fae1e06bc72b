"""How a Tensor prints, against the text that real Paddle 3.3.1 gave."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.errors import ConversionError


def text(shape, dtype, values, stop_gradient=True):
    head = f"Tensor(shape={shape}, dtype={dtype}, place=Place(cpu), stop_gradient={stop_gradient},\n"
    return head + " " * 7 + values + ")"


CASES = {
    "row": (lambda: paddle.to_tensor([1.0, -2.5]), text([2], "float32", "[ 1.        , -2.50000000]")),
    "columns": (lambda: paddle.to_tensor([[1, -20], [300, 4]]),
                text([2, 2], "int64", "[[ 1 , -20],\n        [300,  4 ]]")),
    "scalar": (lambda: paddle.to_tensor(2.0, stop_gradient=False), text([], "float32", "2.", False)),
    "empty": (lambda: paddle.zeros([0, 3]), text([0, 3], "float32", "[]")),
    "bools": (lambda: paddle.to_tensor([True, False]), text([2], "bool", "[True , False]")),
    "small": (lambda: paddle.to_tensor([1e-8, 1.0]), text([2], "float32", "[0.00000001, 1.        ]")),
    "not finite": (lambda: paddle.to_tensor([np.nan, np.inf, 1.0]), text([3], "float32", "[nan , inf., 1.  ]")),
    "complex": (lambda: paddle.to_tensor([1 + 2j, -0.5j]),
                text([2], "complex64", "[ (1.00000000+2.00000000j), (-0.00000000-0.50000000j)]")),
    "bfloat16": (lambda: paddle.to_tensor([1.5, -2.25], dtype="bfloat16"),
                 text([2], "bfloat16", "[ 1.50000000, -2.25000000]")),
    "summary": (lambda: paddle.arange(2000).reshape([2, 1000]),
                text([2, 1000], "int64", "[[0   , 1   , 2   , ..., 997 , 998 , 999 ],\n"
                     "        [1000, 1001, 1002, ..., 1997, 1998, 1999]]")),
    "blocks": (lambda: paddle.arange(8, dtype="float64").reshape([2, 2, 2]),
               text([2, 2, 2], "float64",
                    "[[[0., 1.],\n         [2., 3.]],\n\n        [[4., 5.],\n         [6., 7.]]]")),
}


@pytest.mark.parametrize("name", CASES)
def test_text(name):
    make, wanted = CASES[name]
    assert str(make()) == repr(make()) == wanted


@pytest.fixture
def print_options():
    yield paddle.set_printoptions
    paddle.set_printoptions(precision=8, threshold=1000, edgeitems=3, linewidth=80, sci_mode=False)


def test_options(print_options):
    print_options(precision=3, sci_mode=True)
    assert str(paddle.to_tensor([1.0, 2000.5])) == text([2], "float32", "[1.000e+00, 2.000e+03]")
    print_options(sci_mode=False, edgeitems=1, threshold=5)
    assert str(paddle.arange(10)) == text([10], "int64", "[0, ..., 9]")


def test_a_wrong_option_names_the_type(print_options):
    with pytest.raises(TypeError, match="precision must be of type int"):
        print_options(precision=1.5)


def test_while_converted_a_tensor_is_printed_when_the_program_runs_and_its_text_has_no_values(capsys):
    texts = []

    @paddle.jit.to_static(full_graph=True)
    def f(x):
        texts[:] = [str(x)]
        print(x)
        return x + 1

    with pytest.raises(ConversionError, match="a list in every call"):      # the text is another one in every call
        f(paddle.ones([2]))
    assert texts == []
    g = paddle.jit.to_static(lambda x: print(x), full_graph=True)
    for _ in range(2):
        g(paddle.ones([2]))
    assert capsys.readouterr().out == f"{paddle.ones([2])}\n" * 2
