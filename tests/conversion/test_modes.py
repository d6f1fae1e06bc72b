"""A forward that sets modes itself: each call leaves the layers in the modes that the eager run leaves them in."""
import pytest

import kayax as paddle
from kayax import nn


class Dropping(nn.Layer):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)


class Restores(Dropping):
    def forward(self, x):
        self.eval()
        y = self.drop(x)
        self.train()
        return y


class Stays(Dropping):
    def forward(self, x):
        self.eval()
        return self.drop(x)


class Alternates(Dropping):
    def forward(self, x):
        if self.training:
            self.eval()
            return self.drop(x) * 2
        self.train()
        return x


class PutsBack(Dropping):
    def forward(self, x):
        was = self.training
        self.eval()
        y = self.drop(x)
        self.train(was)
        return y if was else -y


def modes(net):
    return [layer.training for layer in net.sublayers(include_self=True)]


@pytest.mark.parametrize("kind", [Restores, Stays, Alternates, PutsBack])
def test_as_eager_with_one_program_for_each_mode(kind):
    nets = [kind(), paddle.jit.to_static(kind(), full_graph=True)]
    x = paddle.ones([3])
    for before in (True, True, False, None, True, False):
        found = []
        for net in nets:
            if before is not None:
                net.train(before)
            found.append((net(x).tolist(), modes(net)))
        assert found[0] == found[1]
    assert sum(map(len, nets[1].forward.programs.values())) <= 2


def test_a_run_that_is_given_up_sets_no_mode():
    class Raises(Dropping):
        def forward(self, x):
            if x.sum() > 0:
                raise ValueError("too large")
            self.eval()
            return self.drop(x)

    net = paddle.jit.to_static(Raises(), full_graph=True)
    with pytest.raises(ValueError, match="too large"):
        net(paddle.ones([3]))
    assert modes(net) == [True, True]
    net(-paddle.ones([3]))
    assert modes(net) == [False, False]


def test_what_backward_inside_has_used_up_says_so_as_eagerly():
    weight = paddle.to_tensor([2.0], stop_gradient=False)

    def step(x):
        loss = (x * weight).sum()
        loss.backward()
        weight.clear_gradient()
        return loss

    for function in (step, paddle.jit.to_static(step, full_graph=True)):
        loss = function(paddle.ones([1]))
        assert not loss.stop_gradient and not loss.is_leaf
        with pytest.raises(RuntimeError, match="already used by a backward pass"):
            loss.backward()


def test_a_leaf_made_inside_that_wants_a_gradient_is_one_afterwards():
    @paddle.jit.to_static(full_graph=True)
    def made(x):
        y = paddle.ones([2])
        y.stop_gradient = False
        return y

    assert not made(paddle.ones([1])).stop_gradient
