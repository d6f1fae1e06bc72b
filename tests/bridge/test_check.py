"""jit.check: finds what a converted run does otherwise, says where, and leaves the state that one call leaves."""
import collections
import random

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError
from kayax.jit import Mismatch, check, to_static
from kayax.nn import functional as F

scale = 2.0
calls: list = []


def leaf(values, dtype="float32"):
    return paddle.to_tensor(np.asarray(values, dtype), stop_gradient=False)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 4, bias_attr=False)       # a bias before a norm has no gradient but noise
        self.norm = nn.BatchNorm1D(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(F.relu(self.norm(self.inner(x))))


def step_of(net, optimizer):
    def step(x):
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    return step


# ---- what agrees -------------------------------------------------------------------------------------------------


def test_function():
    report = check(lambda x, y: {"out": (x * y, None, 3), "x": x}, leaf([1.0, 2.0]), leaf([3.0, 4.0]))
    assert (report.outputs, report.gradients, report.programs, report.fell_back) == (4, 4, 1, False)
    assert "converted and eager agree in 2 calls" in repr(report)
    assert report.result["out"][2] == 3


def test_layer_with_buffers_and_random_numbers():
    net = Net()
    x = leaf(np.random.default_rng(0).normal(size=(5, 3)))
    mean, state = net.norm._mean.numpy(), paddle.get_rng_state()
    report = check(net, x)
    assert report.gradients == 2 * 4 and report.programs == 1
    assert "forward" not in net.__dict__
    after, drawn = net.norm._mean.numpy(), paddle.get_rng_state()
    net.norm._mean.set_value(mean)
    paddle.set_rng_state(state)
    net(x)
    np.testing.assert_allclose(net.norm._mean.numpy(), after, rtol=1e-6)    # the state of one call
    assert paddle.get_rng_state() == drawn


@pytest.mark.parametrize("convert", [False, True])
def test_training_step(convert):
    net = Net()
    # The bias in front of a normalization has no gradient but rounding, which Adam would make a step of.
    optimizer = paddle.optimizer.Adam(0.1, epsilon=0.1, parameters=net.parameters())
    step = to_static(step_of(net, optimizer)) if convert else step_of(net, optimizer)
    x = paddle.to_tensor(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"))
    weight = net.inner.weight.numpy()
    report = check(step, x)
    assert report.cells > 16 and report.programs == 1
    once = net.inner.weight.numpy()
    assert not np.allclose(once, weight)
    check(step, x)
    twice = net.inner.weight.numpy()
    assert not np.allclose(once, twice)
    step(x)                                                 # what the check left is good to go on from
    assert not np.allclose(twice, net.inner.weight.numpy())


def test_bound_method_inplace_input_and_arrays():
    class Holder:
        def __init__(self):
            self.total = paddle.zeros([2])

        def add(self, x, by):
            self.total.add_(x)
            x[0] = 7.0
            return self.total * paddle.to_tensor(by)

    holder, x = Holder(), paddle.to_tensor([1.0, 2.0])
    check(holder.add, x, np.asarray([1.0, 3.0], "float32"))
    assert holder.total.numpy().tolist() == [1.0, 2.0] and x.numpy().tolist() == [7.0, 2.0]


def test_gradient_left_by_the_function():
    weight = leaf([3.0])

    def run(x):
        (x * weight).sum().backward()

    x = leaf([2.0])
    check(run, x)
    assert weight.grad.item() == 2.0 and x.grad.item() == 3.0


def test_tensor_returned_twice():
    def run(x):
        y = x * 2.0
        return [y, (y, x)], {"y": y}

    assert check(run, leaf([1.0, 2.0])).outputs == 2 * 4


def test_both_raise():
    def run(x):
        raise KeyError("no")

    report = check(run, leaf([1.0]))
    assert report.raised is KeyError and "both raise KeyError" in repr(report)


def test_what_no_program_can_avoid_is_noted():
    x = leaf([1.0, 2.0])
    report = check(otherwise(lambda x: (0.0, x.detach()), lambda x: (x.sum().detach() * 0.0, x.detach() + x * 0.0)), x)
    assert report.notes[:2] == ["the result[0] is a number in the eager run, a Tensor in the converted run",
                                "the result[1] has stop_gradient=False in the converted run only"]


def test_memory_that_only_the_eager_results_share_is_noted():
    def chosen(x):
        for row in x:
            if row > 2:
                return row
        return x.sum()

    x = paddle.to_tensor([1.0, 2.0, 9.0])
    assert check(chosen, x).notes == ["the result shares memory with another tensor in the eager run only"]
    assert check(lambda x: (x[1], (x * 2)[0]), x).notes == []       # linked in both, and of a tensor that is gone


# ---- what differs ------------------------------------------------------------------------------------------------


def differs(message, fn, *args, **options):
    with pytest.raises(Mismatch, match=message):
        check(fn, *args, **options)


def otherwise(eager, converted):
    """A function that does `converted` while it is being converted: what a wrong conversion would do."""
    from kayax.bridge.state import tracing

    def run(*args):
        return converted(*args) if tracing() else eager(*args)

    return run


def test_values_types_and_structure():
    x = leaf([1.0, 2.0])
    differs(r"the result at \[1\]: the eager run gives 2.0, the converted run 3.0 \(1 of 2 elements",
            otherwise(lambda x: x * 1.0, lambda x: x + paddle.to_tensor([0.0, 1.0])), x)
    differs(r"the result\[0\]: the eager run gives a int 1, the converted run a Tensor",
            otherwise(lambda x: [1], lambda x: [x]), x)
    differs("the result: the eager run gives 1, the converted run 2", otherwise(lambda x: 1, lambda x: x.shape[0]), x)
    differs(r"the result: the eager run gives float32\[2\], the converted run float64\[2\]",
            otherwise(lambda x: x, lambda x: x.astype("float64")), x)
    differs("the result: the eager run leaves 2 items, the converted run 1 items",
            otherwise(lambda x: [x, x], lambda x: [x]), x)
    differs("stop_gradient=False, the converted run stop_gradient=True",
            otherwise(lambda x: x * 2.0, lambda x: x.detach() * 2.0), x)
    differs(r"the result: the eager run gives a list, the converted run a tuple",
            otherwise(lambda x: [x], lambda x: (x,)), x)
    differs("the result: the eager run gives 3, the converted run 4", otherwise(lambda x: 3, lambda x: 4), x)


def test_gradients():
    other = leaf([5.0, 5.0])
    differs("the gradient to argument 0 at",
            otherwise(lambda x: x * x, lambda x: x * x.detach() + 0.0), leaf([1.0, 2.0]))
    differs(r"the gradient to the function: .*`other`.*eager run gives \[1., 1.\], the converted run none",
            otherwise(lambda x: x + other, lambda x: x + other.detach()), leaf([1.0, 2.0]))


def test_cells():
    cell = paddle.zeros([1])
    differs(r"the result at \[0\].*\n.*the variable `cell` at \[0\]: the eager run gives 1.0, the converted run 2.0",
            otherwise(lambda: cell.add_(1.0) * 1.0, lambda: cell.add_(2.0) * 1.0))
    assert cell.item() == 0.0                               # as before


def test_python_state():
    class Box:
        def __init__(self):
            self.n = 0

    box, items, table = Box(), [], {}

    def attribute(x):
        box.n += 1

    differs(r"\.n: the eager run gives 1, the converted run 0", otherwise(attribute, lambda x: None), leaf([1.0]))
    assert box.n == 0
    differs("eager run leaves 1 items, the converted run 0",
            otherwise(lambda x: items.append(1), lambda x: None), leaf([1.0]))
    differs(r"\['a'\]: the eager run leaves it, the converted run does not",
            otherwise(lambda x: table.update(a=1), lambda x: None), leaf([1.0]))
    differs("eager run leaves 1 items, the converted run 0",
            otherwise(lambda x, given: given.append(x), lambda x, given: None), leaf([1.0]), [])
    differs("the global `scale`", otherwise(set_scale, lambda: scale and None))
    assert scale == 2.0 and not items and not table


def set_scale():
    global scale
    scale = 3.0


def test_random_states_of_others():
    def draw(x):
        return x * float(np.random.rand() > 2.0)

    state = np.random.get_state()[1].copy()
    differs("NumPy's random state", otherwise(draw, lambda x: x * 0.0), leaf([1.0]))
    differs("Python's random state", otherwise(lambda x: x * float(random.random() > 2.0), lambda x: x * 0.0),
            leaf([1.0]))
    assert (np.random.get_state()[1] == state).all()
    assert check(draw, leaf([1.0])).fell_back


def test_text():
    differs("the printed text: the eager run prints 'a", otherwise(lambda: print("a"), lambda: print("b")))


def test_text_is_shown_once(capsys):
    check(paddle.jit.not_to_static(lambda: print("a")))
    assert capsys.readouterr().out == "a\n"


def test_exceptions():
    def fail(x):
        raise ValueError("eager")

    differs("the eager run raises ValueError: eager", otherwise(fail, lambda x: x), leaf([1.0]))
    differs("the converted run raises ValueError: eager", otherwise(lambda x: x, fail), leaf([1.0]), full_graph=True)


def test_conversion_error_is_raised_as_it_is():
    def peek(x):
        return x * float(x.numpy())

    with pytest.raises(ConversionError, match=r"\.numpy\(\)"):
        check(peek, leaf(2.0), full_graph=True)


def test_only_in_the_second_call():
    seen = []

    def run(x):
        seen.append(0)
        return x * len(seen)

    with pytest.raises(ConversionError, match="in every call"):
        check(run, leaf([1.0]), full_graph=True)
    assert not seen
    assert check(run, leaf([1.0]), calls=3).fell_back
    assert len(seen) == 1                                   # the state of one call


def test_named_tuples_deques_and_shared_parts():
    Pair = collections.namedtuple("Pair", "a b")
    shared = [leaf([1.0])]
    queue = collections.deque([shared])

    def run(x):
        return Pair(x + queue[0][0], shared)

    check(run, leaf([2.0]))
    differs(r"the result\.a at \[0\]", otherwise(run, lambda x: Pair(x, shared)), leaf([2.0]))
