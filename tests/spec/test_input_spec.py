"""InputSpec against what paddlepaddle 3.3.1 printed and raised, and the named dimensions."""
import copy
import pickle
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

from kayax.spec import dtype as dtypes
from kayax.spec.input_spec import InputSpec, bind_dims

# What str() of the same expression gives in paddlepaddle 3.3.1.
PRINTED = [
    (lambda: InputSpec([None, 784], "float32", "x"),
     "shape=(-1, 784), dtype=paddle.float32, name=x, stop_gradient=False"),
    (lambda: InputSpec([-3, 784]), "shape=(-1, 784), dtype=paddle.float32, name=None, stop_gradient=False"),
    (lambda: InputSpec([]), "shape=(), dtype=paddle.float32, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], "bfloat16"), "shape=(2,), dtype=paddle.bfloat16, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], "uint16"), "shape=(2,), dtype=paddle.bfloat16, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], "float"), "shape=(2,), dtype=paddle.float64, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], "int"), "shape=(2,), dtype=paddle.int64, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], "complex64"), "shape=(2,), dtype=paddle.complex64, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], np.dtype("int64")), "shape=(2,), dtype=paddle.int64, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], None), "shape=(2,), dtype=None, name=None, stop_gradient=False"),
    (lambda: InputSpec([2], stop_gradient=True), "shape=(2,), dtype=paddle.float32, name=None, stop_gradient=True"),
    (lambda: InputSpec.from_numpy(np.ones([2, 3]), "n"),
     "shape=(2, 3), dtype=paddle.float64, name=n, stop_gradient=False"),
    (lambda: InputSpec.from_numpy(np.ones([])), "shape=(), dtype=paddle.float64, name=None, stop_gradient=False"),
    (lambda: InputSpec([64]).batch(4), "shape=(4, 64), dtype=paddle.float32, name=None, stop_gradient=False"),
    (lambda: InputSpec([64]).batch([4]), "shape=(4, 64), dtype=paddle.float32, name=None, stop_gradient=False"),
    (lambda: InputSpec([64]).batch(-1), "shape=(-1, 64), dtype=paddle.float32, name=None, stop_gradient=False"),
    (lambda: InputSpec([4, 64]).unbatch(), "shape=(64,), dtype=paddle.float32, name=None, stop_gradient=False"),
]

# The types of these errors are paddlepaddle 3.3.1's.
ERRORS = [
    (lambda: InputSpec(3), TypeError, "list or a tuple, but it is a int"),
    (lambda: InputSpec(np.ones(2)), TypeError, "list or a tuple, but it is a ndarray"),
    (lambda: InputSpec([2, 3.0]), ValueError, r"shape\[1\] should be an `int`.*float: 3.0"),
    (lambda: InputSpec([True]), ValueError, "bool"),
    (lambda: InputSpec(["a b"]), ValueError, r"shape\[0\] is 'a b'"),
    (lambda: InputSpec([2], "foo"), TypeError, "'foo' is not a data type"),
    (lambda: InputSpec.from_tensor(np.ones(3)), ValueError, "should be a Tensor, but it is a ndarray"),
    (lambda: InputSpec.from_numpy([1, 2]), TypeError, "should be a NumPy array, but it is a list"),
    (lambda: InputSpec([64]).batch([4, 5]), ValueError, "one size, but it has 2"),
    (lambda: InputSpec([64]).batch(None), TypeError, "NoneType"),
    (lambda: InputSpec([64]).batch(2.5), TypeError, "float"),
    (lambda: InputSpec([]).unbatch(), ValueError, "no dimension"),
]


@pytest.mark.parametrize("case", range(len(PRINTED)))
def test_prints_as_in_paddle(case):
    make, text = PRINTED[case]
    assert str(make()) == repr(make()) == f"InputSpec({text})"


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors(case):
    make, kind, text = ERRORS[case]
    with pytest.raises(kind, match=text):
        make()


def test_from_tensor_takes_the_tensors_name_or_the_given_one():
    tensor = SimpleNamespace(shape=[2, 3], dtype=dtypes.convert("float16"), name="t")
    assert InputSpec.from_tensor(tensor) == InputSpec((2, 3), "float16", "t")
    assert InputSpec.from_tensor(tensor, "n") == InputSpec((2, 3), "float16", "n")


def test_equality_counts_the_name_and_the_hash_does_not():
    a = InputSpec([None, 2], "float32", "a")
    assert a == InputSpec((-1, 2), "float32", "a") == copy.deepcopy(a) == pickle.loads(pickle.dumps(a))
    assert a != InputSpec([None, 2], "float32", "b")
    assert hash(a) == hash(InputSpec([None, 2], "float32", "b"))
    assert a != InputSpec([None, 2], "float32", "a", stop_gradient=True)
    assert a != InputSpec([None, 2], "float64", "a")
    assert a != 3


def test_subclasses_print_their_own_name():
    class Image(InputSpec):
        pass

    assert str(Image([2])).startswith("Image(")
    assert Image([2]) != InputSpec([2])


def test_batch_and_unbatch_work_in_place():
    spec = InputSpec([64])
    assert spec.batch(8) is spec and spec.shape == (8, 64)
    assert spec.unbatch() is spec and spec.shape == (64,)
    assert InputSpec([64]).batch([None]).shape == (-1, 64)


@pytest.mark.parametrize("given", [float, np.float32, ml_dtypes.bfloat16, dtypes.convert("bool"), "paddle.int8"])
def test_every_way_to_say_a_dtype(given):
    assert InputSpec([1], given).dtype is dtypes.convert(given)


def test_named_dims():
    spec = InputSpec(["batch", "seq", np.int64(64)], name="x")
    assert spec.shape == ("batch", "seq", 64)
    assert str(spec) == "InputSpec(shape=('batch', 'seq', 64), dtype=paddle.float32, name=x, stop_gradient=False)"
    assert InputSpec([64]).batch("batch").shape == ("batch", 64)
    assert spec != InputSpec(["batch", None, 64], name="x")
    mask = InputSpec(["batch", "seq"], "bool", "mask")
    assert bind_dims([spec, mask], [(2, 5, 64), (2, 5)]) == {"batch": 2, "seq": 5}


@pytest.mark.parametrize(("shapes", "text"), [
    ([(2, 5, 64), (2, 6)], "'seq' is 5 in input 'x', but 6 in axis 1 of input 'mask'"),
    ([(2, 5, 63), (2, 5)], "Axis 2 of input 'x' should be 64"),
    ([(2, 5), (2, 5)], "should have 3 dimensions"),
])
def test_shapes_that_do_not_fit(shapes, text):
    specs = [InputSpec(["batch", "seq", 64], name="x"), InputSpec(["batch", "seq"], name="mask")]
    with pytest.raises(ValueError, match=text):
        bind_dims(specs, shapes)
