"""Autograd: backward, grad, higher order, hooks, PyLayer."""

from __future__ import annotations

from harness import Caught, program
from specs import f32, pos


def leaf(P, x):
    return P.to_tensor(x, stop_gradient=False)


@program("backward/accumulates", [f32(3)])
def accumulates(P, x):
    a = leaf(P, x)
    (a * a).sum().backward()
    first = a.grad.clone()
    (a * 3).sum().backward()
    second = a.grad.clone()
    a.clear_gradient()
    zeroed = a.grad
    a.clear_grad()
    (a * 2).sum().backward()
    return first, second, zeroed, a.grad, a.gradient()


@program("backward/grad-tensor", [f32(3), f32(3)])
def grad_tensor(P, x, w):
    a = leaf(P, x)
    (a * a).backward(P.to_tensor(w))
    b = leaf(P, x)
    y, z = b * 2, b.exp()
    P.autograd.backward([y, z], [P.to_tensor(w), None])
    return a.grad, b.grad


@program("backward/retain-graph", [f32(3)])
def retain(P, x):
    a = leaf(P, x)
    y = (a * a).sum()
    y.backward(retain_graph=True)
    y.backward()
    errors = []
    try:
        y.backward()
        errors.append("none")
    except Exception:  # Paddle's type here is OSError
        errors.append("refused")
    return a.grad, errors


@program("backward/shared-and-detached", [f32(3), f32(3)])
def shared(P, x, w):
    a, b = leaf(P, x), leaf(P, w)
    y = a * b
    (y * y.detach() + y.clone() * a).sum().backward()
    return a.grad, b.grad, [y.grad is None, y.is_leaf, a.is_leaf, y.stop_gradient, y.detach().stop_gradient]


@program("backward/retain-grads", [f32(3)])
def retain_grads(P, x):
    a = leaf(P, x)
    y = a * 2
    y.retain_grads()
    (y * y).sum().backward()
    return a.grad, y.grad


@program("backward/stop-gradient", [f32(3), f32(3)])
def stop(P, x, w):
    a, b = leaf(P, x), P.to_tensor(w)
    y = a * b
    frozen = y * 2
    frozen.stop_gradient = True
    (frozen * a).sum().backward()
    return a.grad, b.grad, frozen.grad


@program("no-grad", [f32(3)])
def no_grad(P, x):
    a = leaf(P, x)
    with P.no_grad():
        b = a * 2
        inside = P.is_grad_enabled()
        with P.enable_grad():
            c = a * 3

    @P.no_grad()
    def decorated(t):
        return t * 2

    P.set_grad_enabled(False)
    d = a * 2
    P.set_grad_enabled(True)
    with P.set_grad_enabled(False):
        e = a * 2
    return [
        b.stop_gradient,
        inside,
        c.stop_gradient,
        decorated(a).stop_gradient,
        d.stop_gradient,
        e.stop_gradient,
        P.is_grad_enabled(),
    ]


@program("grad/first-order", [f32(3), f32(3)])
def first_order(P, x, w):
    a, b = leaf(P, x), leaf(P, w)
    y = a * b + a.sin()
    ga, gb = P.grad(y.sum(), [a, b])
    weighted = P.grad([a * a, b * a], a, grad_outputs=[P.to_tensor(w), None])
    unused = P.grad((a * 2).sum(), [a, b], allow_unused=True)
    return ga, gb, weighted, unused[0], unused[1] is None, a.grad is None, [ga.stop_gradient]


@program("grad/second-order", [pos(3)])
def second_order(P, x):
    a = leaf(P, x)
    y = (a**3).sum()
    (g,) = P.grad(y, a, create_graph=True)
    (h,) = P.grad(g.sum(), a, create_graph=True)
    (t,) = P.grad(h.sum(), a)
    return g, h, t, [g.stop_gradient, t.stop_gradient]


@program("grad/penalty", [f32(2, 3), f32(3, 1)])
def penalty(P, x, w):
    a, b = leaf(P, x), leaf(P, w)
    out = P.tanh(a @ b)
    (g,) = P.grad(out.sum(), a, create_graph=True)
    loss = ((g * g).sum(axis=1).sqrt() - 1).square().mean()
    loss.backward()
    return loss, a.grad, b.grad


@program("grad/intermediate", [f32(3)])
def intermediate(P, x):
    a = leaf(P, x)
    y = a * 2
    z = (y * y).sum()
    gy, ga = P.grad(z, [y, a], retain_graph=True)
    (cut,) = P.grad(z, [a], no_grad_vars=[], retain_graph=True)
    return gy, ga, cut


@program("grad/layer-double", [f32(2, 3)])
def layer_double(P, x):
    a = leaf(P, x)
    net = P.nn.Sequential(P.nn.Linear(3, 4), P.nn.Sigmoid(), P.nn.Linear(4, 1))
    for i, p in enumerate(net.parameters()):
        p.set_value(P.full(p.shape, 0.1 * (i + 1)))
    (g,) = P.grad(net(a).sum(), a, create_graph=True)
    g.square().sum().backward()
    return g, [p.grad for p in net.parameters()]


@program("hooks/tensor", [f32(3)])
def tensor_hooks(P, x):
    a = leaf(P, x)
    seen = []
    y = a * 2
    y.register_hook(lambda g: seen.append(g.numpy().copy()))
    helper = a.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    first = a.grad.clone()
    helper.remove()
    a.clear_grad()
    (a * 2).sum().backward()
    return first, a.grad, seen


@program("hooks/order-of-accumulation", [f32(3)])
def hook_sum(P, x):
    a = leaf(P, x)
    b = a * 1.0
    seen = []
    b.register_hook(lambda g: seen.append(g.numpy().copy()) or g * 0.5)
    (b * 2 + b * 3).sum().backward()
    return a.grad, seen


@program("pylayer/basic", [f32(3), f32(3)])
def pylayer(P, x, w):
    class Scaled(P.autograd.PyLayer):
        @staticmethod
        def forward(ctx, a, b, factor):
            ctx.save_for_backward(a, b)
            ctx.factor = factor
            return a * b * factor, a + b

        @staticmethod
        def backward(ctx, da, db):
            a, b = ctx.saved_tensor()
            return da * b * ctx.factor + db, da * a * ctx.factor + 2 * db

    a, b = leaf(P, x), leaf(P, w)
    y, z = Scaled.apply(a, b, 3.0)
    (y * 2 + z).sum().backward()
    return y, z, a.grad.detach(), b.grad.detach(), [y.stop_gradient, z.stop_gradient]


@program("pylayer/none-and-non-differentiable", [f32(3), f32(3)])
def pylayer_none(P, x, w):
    class Straight(P.autograd.PyLayer):
        @staticmethod
        def forward(ctx, a, b):
            rounded = P.round(a)
            ctx.mark_non_differentiable(rounded)
            return a * 2, rounded

        @staticmethod
        def backward(ctx, da, dr):
            return da * 5, None

    a, b = leaf(P, x), leaf(P, w)
    y, r = Straight.apply(a, b)
    y.sum().backward()
    return y, r, a.grad.detach(), b.grad is None, r.stop_gradient


@program("jacobian-hessian", [pos(2), pos(2)])
def jacobian(P, x, w):
    a, b = leaf(P, x), leaf(P, w)
    j = P.autograd.jacobian(a * a * b, a)
    h = P.autograd.hessian((a * a * b).sum(), a)
    return j[:], h[:]


@program("parameters/trainable", [f32(2, 3)])
def trainable(P, x):
    net = P.nn.Linear(3, 2)
    for p in net.parameters():
        p.set_value(P.ones(p.shape))
    net.weight.stop_gradient = True
    net(P.to_tensor(x)).sum().backward()
    facts = [net.weight.grad is None, net.weight.trainable, net.bias.trainable, net.bias.stop_gradient]
    net.weight.trainable = True
    net(P.to_tensor(x)).sum().backward()
    return facts, net.weight.grad, net.bias.grad, [net.weight.stop_gradient, net.weight.is_leaf, net.weight.persistable]


@program("backward/clone-and-view-chain", [f32(2, 3)])
def views(P, x):
    a = leaf(P, x)
    b = a.clone()
    c = b.reshape([3, 2]).transpose([1, 0])[0]
    (c * c).sum().backward()
    return a.grad, c


@program("backward/scalar-rules", [f32(3)])
def scalar_rules(P, x):
    a = leaf(P, x)
    (a * a).backward()
    kinds = []
    try:
        P.to_tensor(x).backward()
        kinds.append("none")
    except (RuntimeError, ValueError) as error:
        kinds.append(Caught(error))
    return a.grad, kinds


@program("backward/facts-of-a-gradient", [f32(3)])
def gradient_facts(P, x):
    a = leaf(P, x)
    (a * a).sum().backward()
    return [a.grad.stop_gradient, a.grad.is_leaf, list(a.grad.shape), a.grad.persistable]
