"""Attributes: read as guards, written in branches and loops, counted once for each call."""
import types

from language import EITHER, FULL, case, dvec, num, vec, whole

import kayax as paddle
from kayax import nn

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient
CONSTANT = 2.0
counter = 0


@case(UP, DOWN, expect=EITHER)
class counter_attribute(nn.Layer):
    def __init__(self):
        super().__init__()
        self.n = 0

    def forward(self, x):
        self.n += 1
        return x * self.n


@case(UP, DOWN, expect=EITHER)
class counter_attribute_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.n = 0

    def forward(self, x):
        if x.sum() > 0:
            self.n += 1
        return x * self.n


@case(UP, DOWN, expect=EITHER)
class tensor_attribute_kept(nn.Layer):
    def __init__(self):
        super().__init__()
        self.last = None

    def forward(self, x):
        if self.last is not None:
            y = x + self.last
        else:
            y = x
        self.last = x.detach()
        return y


@case(UP, DOWN, expect=EITHER, slow=True)
class loss_attribute(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.penalty = None

    def forward(self, x):
        y = self.linear(x)
        self.penalty = y.square().mean()
        return y


@case(UP, DOWN)
class number_attribute_in_condition(nn.Layer):
    def __init__(self):
        super().__init__()
        self.k = 3

    def forward(self, x):
        if self.k > 2 and x.sum() > 0:
            return x * self.k
        return x


@case(UP, DOWN)
class flag_attribute(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.use_relu = True

    def forward(self, x):
        y = self.linear(x)
        if self.use_relu:
            y = nn.functional.relu(y)
        return y if self.training else y * 2.0


@case(UP, DOWN)
class optional_sublayer(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.extra = None

    def forward(self, x):
        y = self.linear(x)
        if self.extra is not None:
            y = self.extra(y)
        if y.sum() > 0:
            y = y * 2.0
        return y


@case(UP, DOWN, slow=True)
class sublayer_in_one_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        if x.sum() > 0:
            return self.up(x)
        return self.down(x)


@case(UP, DOWN, slow=True)
class sublayer_chosen_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.parts = nn.LayerList([nn.Linear(3, 3), nn.Linear(3, 3)])

    def forward(self, x):
        k = 1
        part = self.parts[k]
        if x.sum() > 0:
            y = part(x)
        else:
            y = self.parts[0](x)
        return y


@case(UP, DOWN, expect=EITHER)
class list_attribute_grows(nn.Layer):
    def __init__(self):
        super().__init__()
        self.history = []

    def forward(self, x):
        self.history.append(1)
        return x * len(self.history)


@case(UP, DOWN, expect=EITHER)
class dict_attribute_written(nn.Layer):
    def __init__(self):
        super().__init__()
        self.cache = {}

    def forward(self, x):
        self.cache["k"] = 5.0
        if x.sum() > 0:
            return x * self.cache["k"]
        return x


@case(UP, DOWN)
def local_namespace(x):
    box = types.SimpleNamespace(v=x, n=1.0)
    if x.sum() > 0:
        box.v = x * 2.0
    else:
        box.v = x * 3.0
    return box.v * box.n


@case((H, whole(3)), (H, whole(0)))
def local_namespace_in_staged_loop(x, n):
    box = types.SimpleNamespace(v=x)
    i = 0
    while i < n:
        box.v = box.v * 2.0
        i += 1
    return box.v


@case(UP, DOWN)
def augmented_attribute(x):
    box = types.SimpleNamespace(v=x, n=0)
    if x.sum() > 0:
        box.v = box.v + x
        box.n += 1
    return box.v * box.n


@case(UP, DOWN)
def augmented_attribute_of_attribute(x):
    box = types.SimpleNamespace(inner=types.SimpleNamespace(v=x * 1.0))
    if x.sum() > 0:
        box.inner.v = box.inner.v * 2.0
    return box.inner.v


class Config:
    scale = 3.0

    def __init__(self):
        self.depth = 2


@case((UP, Config()), (DOWN, Config()), slow=True)
def config_object(x, config):
    for _ in range(config.depth):
        if x.sum() > 0:
            x = x * config.scale
        else:
            x = x + config.depth
    return x


@case(UP, DOWN)
def global_constant(x):
    if x.sum() > 0:
        return x * CONSTANT
    return x + CONSTANT


@case(UP, expect=EITHER)
def global_counter(x):
    global counter
    counter += 1
    return x * counter


@case(UP, DOWN, slow=True)
class setattr_and_getattr(nn.Layer):
    def __init__(self):
        super().__init__()
        for i in range(2):
            setattr(self, f"part{i}", nn.Linear(3, 3))

    def forward(self, x):
        for i in range(2):
            x = getattr(self, f"part{i}")(x)
            if x.sum() > 0:
                x = x + i
        return x


@case(UP, DOWN, slow=True)
class parameter_in_one_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.a = self.create_parameter([3])
        self.b = self.create_parameter([3])

    def forward(self, x):
        y = x * self.a
        if x.sum() > 0:
            y = y + self.b * self.b
        return y


@case((H, whole(2)), (H, whole(0)), slow=True)
class layer_in_staged_loop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x, n):
        i = 0
        while i < n:
            x = paddle.tanh(self.linear(x))
            i += 1
        return x


@case((H, whole(2)), (H, whole(0)), slow=True)
class layers_in_staged_loop_with_counter_buffer(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("steps", paddle.zeros([], dtype="int64"))

    def forward(self, x, n):
        while self.steps < n:
            x = self.linear(x)
            self.steps += 1
        return x


@case(UP, DOWN, slow=True)
class dropout_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        if x.sum() > 0:
            x = self.drop(x)
        return x


@case(UP, DOWN)
class private_names(nn.Layer):
    def __init__(self):
        super().__init__()
        self.__k = 2.0

    def __scale(self, x):
        if x.sum() > 0:
            return x * self.__k
        return x

    def forward(self, x):
        return self.__scale(x)


@case((num(1.0), 1), (num(-1.0), 1), expect=FULL)
class training_flag(nn.Layer):
    def __init__(self):
        super().__init__()
        self.eval()

    def forward(self, x, k):
        if self.training:
            return x * k
        if x > 0:
            return x * 10.0
        return x


@case(UP, DOWN)
class step_with_optimizer:
    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.optimizer = paddle.optimizer.Adam(0.1, parameters=self.net.parameters())

    def run(self, x):
        loss = self.net(x).sum()
        if loss > 0:
            loss = loss * 2.0
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss


@case((H, whole(2)), (DOWN, whole(3)), slow=True)
class step_through_a_staged_loop:
    def __init__(self):
        self.net = nn.Linear(3, 3)
        self.optimizer = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())

    def run(self, x, n):
        i = 0
        while i < n:
            x = paddle.tanh(self.net(x))
            i += 1
        loss = x.square().mean()
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss


@case(UP, DOWN, slow=True)
class skipped_step:
    """The optimizer steps only where the loss is finite and positive: a choice around `step()` itself."""

    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.optimizer = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())

    def run(self, x):
        loss = (self.net(x) * x).sum()
        loss.backward()
        if x.sum() > 0:
            self.optimizer.step()
        self.optimizer.clear_grad()
        return loss


@case((UP, 3), (DOWN, 3), slow=True)
class several_steps_in_a_loop:
    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.optimizer = paddle.optimizer.Momentum(0.1, parameters=self.net.parameters())

    def run(self, x, n):
        total = 0.0
        for i in range(n):
            loss = (self.net(x) + i).square().sum()
            if loss > 1:
                loss = loss / loss.detach()
            loss.backward()
            self.optimizer.step()
            self.optimizer.clear_grad()
            total = total + loss.detach()
        return total
