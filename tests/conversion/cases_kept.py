"""Tensors that a function leaves in attributes: of Layers, of plain objects, in whole steps."""
import types

from language import EITHER, FALLBACK, case, dvec, vec, whole

import kayax as paddle
from kayax import nn

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case(UP, DOWN)
class only_stored(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([3])
        self.penalty = None

    def forward(self, x):
        y = self.w * x
        self.penalty = y.square().mean()
        return y


@case(UP, DOWN)
class stored_then_read:
    def __init__(self):
        self.last = None

    def run(self, x):
        self.last = x * 2.0
        return self.last + x


@case(UP, DOWN)
class structures:
    def run(self, x):
        self.parts = [x * 2.0, {"y": x + 1.0}]
        self.given = x
        self.mean = float(x.mean())
        return x.sum()


@case(UP, DOWN)
class in_both_branches:
    def run(self, x):
        if x.sum() > 0:
            self.last = x * 2.0
        else:
            self.last = x * 3.0
        return x


@case(UP, expect=FALLBACK)
class in_one_branch:
    def __init__(self):
        self.last = None

    def run(self, x):
        if x.sum() > 0:
            self.last = x * 2.0
        return x


@case(UP, expect=FALLBACK)
class read_before:
    def __init__(self):
        self.last = None

    def run(self, x):
        y = x if self.last is None else x + self.last
        self.last = x * 2.0
        return y


@case(UP, expect=FALLBACK)
class asked_for_before:
    def run(self, x):
        if not hasattr(self, "last"):
            x = x * 5.0
        self.last = x * 2.0
        return x


@case(UP, expect=EITHER)                # the first call runs eagerly, the second one is a program
class stored_if_not_there:
    def __init__(self):
        self.first = None

    def run(self, x):
        if self.first is None:
            self.first = x * 2.0
        return x + self.first


@case((H, whole(2)), expect=FALLBACK)
class in_a_staged_loop:
    def __init__(self):
        self.last = None

    def run(self, x, n):
        for i in range(n):
            self.last = x * i
        return x


@case(UP)
class by_setattr:
    def run(self, x):
        setattr(self, "last", x * 2.0)
        return getattr(self, "last") + 1.0


@case((UP, types.SimpleNamespace(last=None)))
def of_an_argument(x, box):
    box.last = x * 2.0
    return x


class _Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x)
        self.penalty = y.square().mean()
        return y.sum()


@case(UP, DOWN)
class whole_step:
    def __init__(self):
        self.net, self.loss = _Net(), None
        self.sgd = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())

    def run(self, x):
        loss = self.net(x) + self.net.penalty
        self.loss = loss.detach() * 2.0
        loss.backward()
        self.sgd.step()
        self.sgd.clear_grad()
        return loss


@case((H, whole(2)), (H, whole(0)))
def set_by_a_loop_in_an_object_of_its_own(x, n):
    box = types.SimpleNamespace()
    for i in range(n):
        box.last = x * i
    return hasattr(box, "last"), getattr(box, "last", None)


@case((H, whole(0)), expect=AttributeError)
def set_by_no_round(x, n):
    box = types.SimpleNamespace()
    for i in range(n):
        box.last = x * i
    return box.last
