"""What is set between two calls past the usual ways, on Layers and on optimizers, and what a program makes of it."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn


class Scaled(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("shift", paddle.ones([1]))
        self.k = 1.0

    def forward(self, x):
        return self.linear(x) * self.shift * self.k


def constant(value):
    return nn.initializer.Constant(value)


def other_parameter(net):
    net.linear._parameters["weight"] = net.create_parameter([2, 2], default_initializer=constant(5.0))


def other_forward_of_the_class(net):
    net.linear.__class__ = type("Other", (nn.Linear,), {"forward": lambda self, x: x * 3})
    type(net.linear).forward = lambda self, x: x * 100


CHANGES = {
    "a sublayer": lambda net: net._sub_layers.update(linear=nn.Identity()),
    "a parameter": other_parameter,
    "no bias": lambda net: net.linear._parameters.update(bias=None),
    "a buffer": lambda net: net._buffers.__setitem__("shift", paddle.full([1], 3.0)),
    "a buffer becomes a number": lambda net: (net._buffers.pop("shift"), setattr(net, "shift", 2.0)),
    "an attribute in __dict__": lambda net: net.__dict__.__setitem__("k", 4.0),
    "attributes by vars": lambda net: vars(net).update(k=7.0),
    "the layer's own forward": lambda net: setattr(net.linear, "forward", lambda x: x * 50),
    "the class's forward": other_forward_of_the_class,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_of_a_layer_past_its_setters(change):
    plain, net = Scaled(), paddle.jit.to_static(Scaled())
    net.set_state_dict(plain.state_dict())
    x = paddle.ones([1, 2])
    np.testing.assert_allclose(net(x).numpy(), plain(x).numpy(), rtol=1e-6)
    change(plain)
    change(net)
    np.testing.assert_allclose(net(x).numpy(), plain(x).numpy(), rtol=1e-6)


def test_the_forward_of_a_library_class_replaced(monkeypatch):
    net = paddle.jit.to_static(nn.Sequential(nn.ReLU()))
    assert float(net(paddle.ones([1]))) == 1.0
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: x * 5)
    assert float(net(paddle.ones([1]))) == 5.0


@pytest.mark.parametrize("derive", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_a_converted_layer_whose_weight_a_hook_computes_before_each_call(derive):
    def trained(convert):
        paddle.seed(3)
        net = derive(nn.Linear(3, 2))
        for name, p in net.named_parameters():
            p.set_value(np.random.RandomState(len(name)).standard_normal(p.shape).astype("float32"))
        net = paddle.jit.to_static(net) if convert else net
        opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())
        losses = []
        for _ in range(3):
            loss = net(paddle.ones([2, 3])).square().mean()
            loss.backward()
            opt.step()
            opt.clear_grad()
            losses.append(float(loss))
        with paddle.no_grad():
            return [*losses, float(net(paddle.ones([2, 3])).sum())]

    np.testing.assert_allclose(trained(True), trained(False), rtol=1e-5)


def step_of():
    """A step with all that can be set, and what it is made of."""
    net, loss_of = nn.Linear(3, 3), nn.MSELoss()
    net.weight.set_value(np.arange(9, dtype="float32").reshape(3, 3) / 9)
    net.bias.set_value(np.ones(3, "float32"))
    opt = paddle.optimizer.Momentum(0.1, 0.9, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0),
                                    weight_decay=paddle.regularizer.L2Decay(0.1))
    noise, layers = paddle.distribution.Normal(paddle.zeros([3]), paddle.ones([3])), nn.LayerList([nn.ReLU()])

    def step(x):
        h = net(x)
        for layer in layers:
            h = layer(h)
        loss = loss_of(h, x) - noise.log_prob(h).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        return loss

    return step, {"weight": net.weight, "opt": opt, "loss": loss_of, "noise": noise, "layers": layers}


SETTINGS = {
    "momentum": lambda opt, **_: setattr(opt, "_momentum", 0.1),
    "momentum of the group": lambda opt, **_: opt._param_groups[0].update(momentum=0.3),
    "nesterov": lambda opt, **_: setattr(opt, "_use_nesterov", True),
    "the limit of gradients": lambda opt, **_: setattr(opt._grad_clip, "clip_norm", 0.01),
    "no limit": lambda opt, **_: setattr(opt, "_grad_clip", None),
    "a parameter's rate": lambda weight, **_: weight.optimize_attr.update(learning_rate=0.1),
    "a parameter's penalty": lambda weight, **_: setattr(weight, "regularizer", paddle.regularizer.L1Decay(1.0)),
    "a penalty's size": lambda weight, **_: setattr(weight.regularizer, "coeff", 0.1),
    "a mean": lambda noise, **_: setattr(noise, "loc", paddle.ones([3])),
    "a reduction": lambda loss, **_: setattr(loss, "reduction", "sum"),
    "one more layer": lambda layers, **_: layers.append(nn.Sigmoid()),
    "another layer": lambda layers, **_: layers.__setitem__(0, nn.GELU()),
    "the parameters": lambda opt, **_: opt._parameter_list.pop(),
}


def test_settings_of_what_a_step_is_made_of():
    (step, parts), (plain, others) = step_of(), step_of()
    step, x, before = paddle.jit.to_static(step), paddle.full([2, 3], 0.5), None
    for name, change in SETTINGS.items():
        change(**parts)
        change(**others)
        found, wanted = [[run(x).numpy(), held["weight"].numpy()] for run, held in ((step, parts), (plain, others))]
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6, err_msg=name)
        assert before is None or not np.array_equal(before, wanted[1]), name
        before = wanted[1]
