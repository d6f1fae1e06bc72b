"""In-place writes: on inputs, buffers, captured tensors and locals, in branches and loops."""
from language import EITHER, FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle
from kayax import nn

UP, DOWN = vec(1.0, 2.0, 3.0), vec(-1.0, -2.0, -3.0)
W = dvec(0.5, 0.25, 2.0)


@case(UP, DOWN)
def input_in_branch(x):
    if x.sum() > 0:
        x.add_(paddle.ones([3]))
    return x * 2.0


@case(UP, DOWN)
def input_item_in_branch(x):
    if x.sum() > 0:
        x[0] = 10.0
    else:
        x[1:] = x[1:] * 2.0
    return x.sum()


@case(UP, DOWN)
def input_without_result(x):
    if x.sum() > 0:
        x.multiply_(paddle.to_tensor([2.0, 3.0, 4.0]))


@case((UP, whole(3)), (UP, whole(0)))
def input_in_staged_loop(x, n):
    i = 0
    while i < n:
        x.scale_(2.0)
        i += 1
    return x.sum()


@case((UP, whole(3)), (UP, whole(0)))
def item_by_loop_variable(x, n):
    for i in range(n):
        x[i] = x[i] * 10.0 + i
    return x


@case(W, slow=True)
def items_of_a_local(w):
    y = paddle.zeros([3])
    for i in range(3):
        y[i] = w[i] * (i + 1)
    return y


@case((UP, whole(3)), (UP, whole(1)))
def items_of_a_local_in_staged_loop(w, n):
    y = paddle.zeros([3])
    i = 0
    while i < n:
        y[i] = w[i] * 2.0
        i += 1
    return y


@case(W)
def local_written_in_branch(w):
    y = w * 1.0
    if w.sum() > 2:
        y[0] = 5.0
    else:
        y[1] = 7.0
    return y * w


@case((W, UP), (W, DOWN))
def computed_value_written(w, x):
    y = w * 2.0
    if x.sum() > 0:
        y[0] = (w * x).sum()
    return y


@case(vec(1.0, -2.0, 3.0))
def masked_write(w):
    y = w * 2.0
    y[w < 0] = 0.0
    return y


@case(mat((1.0, 2.0), (3.0, 4.0)))
def matrix_items(m):
    y = m * 1.0
    for i in range(2):
        if y[i, i] > 2:
            y[i, i] = 0.0
    return y


@case(W)
def augmented_assignment(w):
    y = w * 1.0
    y += w
    y *= 2.0
    y -= 1.0
    y /= 3.0
    return y


@case(UP, DOWN)
def augmented_assignment_of_input(x):
    if x.sum() > 0:
        x += 1.0
    return x


@case(UP, DOWN)
def augmented_item(x):
    y = x * 1.0
    if x.sum() > 0:
        y[0] += 5.0
    y[1:] *= 2.0
    return y


@case(UP, DOWN)
def alias_sees_the_write(x):
    y = x * 1.0
    z = y.detach()
    if x.sum() > 0:
        y.add_(paddle.ones([3]))
    return z


@case((UP, DOWN), (DOWN, UP))
def one_of_two_inputs(x, y):
    target = x
    if x.sum() > 0:
        target.add_(y)
    else:
        y.add_(x)
    return target + y


@case([vec(1.0, 2.0)], [vec(-1.0, 2.0)])
def tensor_in_a_list(items):
    if items[0][0] > 0:
        items[0].add_(paddle.ones([2]))
    return items[0] * 2.0


@case(UP, DOWN)
class buffer_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", paddle.zeros([1]))

    def forward(self, x):
        if x.sum() > 0:
            self.count.add_(paddle.ones([1]))
        return x * self.count


@case(UP, DOWN)
class buffer_assigned_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", paddle.zeros([1]))

    def forward(self, x):
        if x.sum() > 0:
            self.count = self.count + 1.0
        else:
            self.count = self.count - 10.0
        return x * self.count


@case((UP, whole(3)), (UP, whole(0)))
class buffer_in_staged_loop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("total", paddle.zeros([3]))

    def forward(self, x, n):
        i = 0
        while i < n:
            self.total += x * i
            i += 1
        return self.total * 2.0


@case(UP, DOWN, slow=True)
class running_mean(nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", paddle.zeros([3]))
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x)
        if self.training:
            with paddle.no_grad():
                self.mean.set_value(self.mean * 0.9 + y * 0.1)
        return y - self.mean


@case(UP, DOWN, slow=True)
class batch_norm_in_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1D(3)

    def forward(self, x):
        y = paddle.stack([x, x * 2.0])
        if x.sum() > 0:
            y = self.norm(y)
        return y


@case((UP, whole(2)), (UP, whole(0)), slow=True)
class batch_norm_in_staged_loop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1D(3)

    def forward(self, x, n):
        y = paddle.stack([x, x * 2.0 + 1.0])
        for _ in range(n):
            y = self.norm(y)
        return y


captured = None


@case(UP, DOWN)
class captured_tensor:
    def __init__(self):
        self.cell = paddle.zeros([3])

    def run(self, x):
        cell = self.cell
        if x.sum() > 0:
            cell.add_(x)
        else:
            cell[0] = 7.0
        return cell * 2.0


@case(UP, DOWN)
class parameter_updated_by_hand(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([3])

    def forward(self, x):
        loss = (self.w * x).sum()
        loss.backward()
        with paddle.no_grad():
            if x.sum() > 0:
                self.w.set_value(self.w - 0.1 * self.w.grad)
            else:
                self.w.set_value(self.w * 0.5)
        self.w.clear_grad()
        return loss


@case(num(3.0), num(-3.0))
def several_in_place_operations(x):
    y = x * 1.0
    if y > 0:
        y.exp_()
        y.clip_(0.0, 5.0)
    else:
        y.abs_()
        y.sqrt_()
    return y


@case(UP, DOWN)
def assign_into(x):
    y = paddle.zeros([3])
    if x.sum() > 0:
        paddle.assign(x * 2.0, y)
    else:
        y.set_value(x)
    return y


@case(UP, DOWN)
def zero_and_fill(x):
    y = x * 1.0
    if x.sum() > 0:
        y.zero_()
    else:
        y.fill_(3.0)
    return y


@case(UP, DOWN, expect=FALLBACK)
def written_after_another_may_be_it(x):
    x = x * 1.0
    y = x * 2.0
    if x.sum() > 0:
        y = x
    x.add_(paddle.ones([3]))
    return y


@case(UP, DOWN)
def written_when_the_other_is_not_needed_any_more(x):
    x = x * 1.0
    y = x * 2.0
    if x.sum() > 0:
        y = x
    z = y + 1.0
    x.add_(paddle.ones([3]))
    return z + x


@case((UP, whole(2)), (UP, whole(0)))
def name_for_a_tensor_that_a_loop_writes(x, n):
    h, k = x * 1.0, x * 2.0
    i = 0
    while i < n:
        h.add_(paddle.ones([3]))
        k = h
        i += 1
    return k, h


@case((UP, whole(3)), expect=EITHER)
def two_tensors_swapped_and_written(x, n):
    a, b = x * 1.0, x * 2.0
    i = 0
    while i < n:
        a[0] = b[0] + 1.0
        a, b = b, a
        i += 1
    return a, b


@case(UP, DOWN)
class parameter_set_in_the_middle(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([3])

    def forward(self, x):
        self.w.set_value(self.w.clip(-0.5, 0.5) + x.detach())
        y = x * 1.0
        y.copy_(x * 2.0)
        return self.w * y


@case(UP, DOWN)
class state_dict_set_in_a_branch(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 1)
        self.saved = {name: value * 0 + 2 for name, value in self.fc.state_dict().items()}

    def forward(self, x):
        if x.sum() > 0:
            self.fc.set_state_dict(self.saved)
        return self.fc(x)


@case((num(0.0), vec(2.0, 1.0), vec(0.25, 0.5)), expect=FALLBACK)
def view_chosen_by_a_function_in_a_branch_then_written(t, x, y):
    if t < 1.0:
        t = min(x[0], y[1])
    y.add_(x)
    return t


@case((vec(2.0, 1.0), vec(0.25, 0.5)), expect=FALLBACK)
def view_chosen_by_a_function_then_written(x, y):
    t = min(x[0], y[1])
    y.add_(x)
    return t


@case(dvec(1.0, 2.0), dvec(-1.0, -2.0))
def view_made_before_and_written_in_a_branch(x):
    y = paddle.zeros([2, 2])
    row = y[0]
    if x.sum() > 0:
        row[:] = x
    else:
        y[1] = x
    return y, row


@case(dvec(1.0, 2.0), dvec(-1.0, -2.0))
def view_made_in_a_branch_of_what_is_written(x):
    if x.sum() > 0:
        y = paddle.zeros([2, 2])
        row = y[0]
        y[0] = x
    else:
        row = y = x
    return y, row * 1
