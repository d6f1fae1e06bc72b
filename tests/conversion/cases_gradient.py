"""Gradients through choices and loops: to inputs and captured parameters, in float64, of first and second order."""
from language import FALLBACK, case, dvec, num, vec, whole

import kayax as paddle
from kayax import nn


def d(*values, grad=True):
    return vec(*values, grad=grad, dtype="float64")


def d0(value, grad=True):
    return num(value, grad=grad, dtype="float64")


def parameter(*values):
    return paddle.to_tensor(list(values), dtype="float64", stop_gradient=False)


@case(d(1.0, 2.0), d(-1.0, -2.0))
def branch(x):
    if x.sum() > 0:
        return (x ** 3).sum()
    return x.exp().sum()


@case(d(1.0, 2.0), d(-1.0, -2.0), slow=True)
def branch_with_safe_division(x):
    """The branch not taken would give nan: it must not leak into the gradient."""
    s = x.sum()
    if s > 0:
        return paddle.sqrt(s) * x
    return x * 2.0


@case(d0(0.0), d0(4.0))
def root_at_zero(x):
    if x > 0:
        y = paddle.sqrt(x)
    else:
        y = x * 0.5
    return y


@case(d0(1.1), d0(3.0), d0(50.0))
def unknown_trip_count(x):
    while x < 40:
        x = x * x + 0.5
    return x


@case((d0(1.1), whole(5)), (d0(1.1), whole(0)), slow=True)
def counted(x, n):
    y = x
    for i in range(n):
        y = paddle.sin(y) * x + i
    return y


@case((d(1.0, 0.5), d0(0.7), whole(4)), slow=True)
def outer_tensors(x, r, n):
    i = 0
    while i < n:
        x = paddle.tanh(x * r) + r
        i += 1
    return x


@case((d0(1.1), whole(3), whole(2)), (d0(1.1), whole(0), whole(2)), slow=True)
def loop_in_loop(x, n, m):
    y = x
    for _ in range(n):
        for _ in range(m):
            y = paddle.sin(y) + x * x
        y = y * x
    return y


@case((d0(1.1), d0(9.0)), (d0(3.0), d0(9.0)), slow=True)
def while_in_while(x, limit):
    y = x
    while y < limit:
        z = x
        while z < y:
            z = z * 1.7
        y = y + z
    return y


@case((d0(1.1), whole(6)), (d0(2.0), whole(6)), slow=True)
def loop_with_break(x, n):
    y = x
    for i in range(n):
        y = y * x
        if y > 6:
            break
        y = y + i
    return y


@case((d0(1.1), whole(6)), (d0(2.0), whole(6)), slow=True)
def loop_with_continue(x, n):
    y = x
    for i in range(n):
        if y > 5:
            y = y / 2.0
            continue
        y = y * x + i
    return y


@case((d0(1.1), whole(6)), (d0(2.0), whole(6)), slow=True)
def loop_with_return(x, n):
    y = x
    for i in range(n):
        y = y * x + i
        if y > 9:
            return y * y
    return y


@case((d0(1.1), whole(4)), slow=True)
def branch_in_loop(x, n):
    y = x
    for i in range(n):
        if i % 2 == 0:
            y = y * x
        else:
            y = paddle.exp(-y)
    return y


@case(d(0.3, 0.4, 0.5), slow=True)
def over_tensor(x):
    y = 1.0
    for v in x:
        y = y * v + paddle.sin(v)
    return y


@case((d0(0.3, grad=False), whole(3)), (d0(0.3, grad=False), whole(0)))
class weight_only(nn.Layer):
    """The input wants no gradient, the weights of the loop do."""

    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([], dtype="float64", default_initializer=nn.initializer.Constant(0.8))

    def forward(self, x, n):
        i = 0
        while i < n:
            x = paddle.tanh(x * self.w + 0.1)
            i += 1
        return x


@case((vec(0.3, 0.4, grad=False), whole(3)), slow=True)
class linear_in_while(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x, n):
        i = 0
        while i < n:
            x = paddle.tanh(self.linear(x))
            i += 1
        return x.sum()


@case(d0(1.5), d0(-1.5))
class weights_of_both_branches(nn.Layer):
    def __init__(self):
        super().__init__()
        constant = nn.initializer.Constant(0.8)
        self.a = self.create_parameter([], dtype="float64", default_initializer=constant)
        self.b = self.create_parameter([], dtype="float64", default_initializer=constant)

    def forward(self, x):
        if x > 0:
            return x * self.a * self.a
        return x * self.b


@case(d0(1.5), d0(-1.5))
def accumulated_by_backward(x):
    if x > 0:
        y = x ** 3
    else:
        y = x ** 2
    y.backward()
    return y.detach()


@case((d0(1.5), whole(3)), (d0(1.5), whole(0)), slow=True)
def backward_through_loop(x, n):
    y = x * 1.0
    for _ in range(n):
        y = y * x
    y.backward()
    return y.detach()


@case((d0(1.5), whole(3)), (d0(0.2), whole(2)), slow=True)
def grad_inside(x, n):
    y = x * 1.0
    for _ in range(n):
        y = y * x
    (g,) = paddle.grad(y, x)
    if g > 1:
        return g * 2.0
    return g


@case(d0(1.5), d0(-1.5), slow=True)
def double_grad_through_branch(x):
    if x > 0:
        y = x ** 4
    else:
        y = x ** 3
    (g,) = paddle.grad(y, x, create_graph=True)
    return g * g


@case((d0(1.5), 3))
def double_grad_through_python_loop(x, n):
    y = x
    for _ in range(n):
        y = y * x
    (g,) = paddle.grad(y, x, create_graph=True)
    return g + y


@case((d0(0.5), whole(3)), (d0(0.5), whole(0)), slow=True)
def double_grad_through_tensor_loop(x, n):
    y = x * 1.0
    for _ in range(n):
        y = y * x
    (g,) = paddle.grad(y, x, create_graph=True)
    return g * y


@case(d0(1.5), d0(-1.5), slow=True)
def gradient_penalty(x):
    y = paddle.tanh(x) * x
    (g,) = paddle.grad(y, x, create_graph=True)
    if g > 0:
        penalty = (g - 1.0) ** 2
    else:
        penalty = g ** 2
    return y + penalty


@case(d0(1.5), d0(-1.5))
def detached_condition(x):
    c = x.detach() > 0
    y = x * x
    if c:
        y = y + x.detach() * x
    return y


@case((d(1.0, 2.0), whole(2)), slow=True)
def stop_gradient_set_inside(x, n):
    y = x * 2.0
    y.stop_gradient = True
    i = 0
    while i < n:
        y = y + x
        i += 1
    return y * x


@case((d(1.0, 2.0, 3.0), whole(3)), slow=True)
def inplace_in_loop(x, n):
    y = x * 1.0
    for i in range(n):
        y[i] = y[i].clone() * x[i] + 1.0        # without the clone, Paddle and the eager run refuse the gradient
    return y


@case((d(1.0, 2.0, 3.0), whole(1)))
def index_by_tensor(x, n):
    if n > 0:
        return x[n] ** 2
    return x.sum()


@case((d0(1.5), whole(4)), (d0(1.5), whole(2)), slow=True)
def loop_carried_list(x, n):
    state = [x, x * 2.0]
    i = 0
    while i < n:
        state = [state[1], state[0] * state[1] * 0.3]
        i += 1
    return state[0] + state[1]


@case((d0(1.5), whole(2)), (d0(1.5), whole(0)), slow=True)
def no_gradient_from_some_round(x, n):
    y = paddle.zeros([], dtype="float64")
    i = 0
    while i < n:
        y = y + x * i
        i += 1
    return y


@case((d0(2.0), d0(3.0)), (d0(3.0), d0(2.0)), slow=True)
def gradients_of_two_outputs(x, y):
    if x > y:
        a, b = x * y, x - y
    else:
        a, b = x + y, x * x * y
    return a, b


@case((d0(1.5), 2), (d0(-1.5), 2), slow=True)
def recompute_like_nesting(x, n):
    def block(v):
        if v > 0:
            return paddle.sin(v) * v
        return paddle.cos(v)

    for _ in range(n):
        x = block(x) + x
    return x


@case((dvec(0.5, 2.0), whole(3)), (dvec(0.5, 2.0), whole(0)))
def written_in_place_in_every_round(w, n):
    """What is written has a gradient from the second round on, though it has none before the loop."""
    rows, total, h = paddle.zeros([4, 2]), paddle.zeros([2]), paddle.ones([2])
    i = 0
    while i < n:
        h = h * w + 1.0
        rows[i] = h
        total.add_(h * rows.sum())
        i += 1
    return rows, total


class Kept(paddle.nn.Layer):
    """A buffer that gets what has a gradient: it is part of the graph from then on, as eagerly."""

    def __init__(self):
        super().__init__()
        self.register_buffer("sum", paddle.zeros([3]))

    def forward(self, x, n):
        self.sum.add_(x * 2.0)
        if n > 1:
            self.sum[0] = x[1]
        i = 0
        while i < n:
            self.sum.add_(self.sum * 0.5 + x * i)
            i += 1
        return self.sum * 1.0


case((dvec(1.0, 2.0, 3.0), whole(2)), name="buffer_gets_what_has_a_gradient", calls=1)(Kept)


class Steep(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensor()
        return gradient * x * 3


@case(dvec(1.0, 2.0), dvec(-1.0, -2.0))
class pylayer_on_both_paths(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([2])

    def forward(self, x):
        if x.sum() > 0:
            return Steep.apply(self.w)
        return Steep.apply(x) * 2 + Steep.apply(self.w)


class Accumulating:
    def __init__(self):
        self.layer = nn.Linear(2, 1)
        self.optimizer = paddle.optimizer.SGD(0.1, parameters=self.layer.parameters())

    def run(self, x, k):
        loss = self.layer(x).mean()
        loss.backward()
        if k % 2 == 0:
            self.optimizer.step()
            self.optimizer.clear_grad()
        return loss


@case((vec(1.0, 2.0), whole(0)), (vec(1.0, 2.0), whole(1)), (vec(1.0, 2.0), whole(2)))
class update_and_clear_in_a_branch(Accumulating):
    pass


@case((vec(1.0, 2.0), whole(0)), (vec(1.0, 2.0), whole(1)))
class cleared_on_both_paths(Accumulating):
    def run(self, x, k):
        self.layer(x).mean().backward()
        if k > 0:
            self.optimizer.step()
            self.optimizer.clear_grad()
        else:
            self.optimizer.clear_grad()


@case((vec(1.0, 2.0), whole(1)), expect=FALLBACK)
class backward_in_a_branch(Accumulating):
    def run(self, x, k):
        loss = self.layer(x).mean()
        if loss.isfinite():
            loss.backward()
            self.optimizer.step()
            self.optimizer.clear_grad()
        return loss
