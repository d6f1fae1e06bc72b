"""Programs of static mode, written once for real Paddle and for this package: what they compute."""
import numpy as np


def numbers(seed, *shape):
    return np.random.RandomState(seed).randn(*shape).astype("float32")


def attr(paddle, seed, *shape):
    return paddle.ParamAttr(initializer=paddle.nn.initializer.Assign(0.4 * numbers(seed, *shape)))


def batch(i):
    n = 4 + i % 2
    return {"x": numbers(i, n, 5), "y": np.random.RandomState(i).randint(0, 3, (n, 1)).astype("int64")}


def build(paddle, optimizer=None):
    """A classifier; its program, inputs, output and loss."""
    static, F = paddle.static, paddle.nn.functional
    main, startup = static.Program(), static.Program()
    with static.program_guard(main, startup):
        x, y = static.data("x", [None, 5], "float32"), static.data("y", [None, 1], "int64")
        hidden = static.nn.fc(x, 6, weight_attr=attr(paddle, 1, 5, 6), activation="tanh")
        out = static.nn.fc(hidden, 3, weight_attr=attr(paddle, 2, 6, 3), bias_attr=attr(paddle, 3, 3))
        loss = paddle.mean(F.cross_entropy(out, y))
        if optimizer is not None:
            optimizer.minimize(loss)
    exe = static.Executor(paddle.CPUPlace())
    exe.run(startup)
    return main, exe, (x, y), out, loss


def trained(paddle):
    schedule = paddle.optimizer.lr.StepDecay(0.1, 2)
    clip = paddle.nn.ClipGradByGlobalNorm(0.5)
    optimizer = paddle.optimizer.Momentum(schedule, 0.9, weight_decay=0.01, grad_clip=clip)
    main, exe, _, out, loss = build(paddle, optimizer)
    found = []
    for i in range(4):
        found.append(exe.run(main, feed=batch(i), fetch_list=[loss])[0])
        schedule.step()
    return [*found, exe.run(main, feed=batch(0), fetch_list=[out])[0]]


def adam(paddle):
    main, exe, _, _, loss = build(paddle, paddle.optimizer.AdamW(0.05))
    return [exe.run(main, feed=batch(0), fetch_list=[loss])[0] for _ in range(3)]


def gradients_of_parameters(paddle):
    main, exe, _, _, loss = build(paddle)
    with paddle.static.program_guard(main):
        pairs = paddle.static.append_backward(loss)
    pairs.sort(key=lambda pair: tuple(pair[0].shape))
    return exe.run(main, feed=batch(0), fetch_list=[g for _, g in pairs])


def gradients_of_inputs(paddle):
    main = paddle.static.Program()
    with paddle.static.program_guard(main):
        x = paddle.static.data("x", [None, 3], "float32")
        x.stop_gradient = False
        y = x * x * x
        first = paddle.static.gradients([y], [x])[0]
        second = paddle.static.gradients([first], [x])[0]
    return paddle.static.Executor().run(main, feed={"x": numbers(5, 2, 3)}, fetch_list=[y, first, second])


def layers_and_statistics(paddle):
    main, startup = paddle.static.Program(), paddle.static.Program()
    nn = paddle.nn
    with paddle.static.program_guard(main, startup):
        x = paddle.static.data("x", [None, 1, 6, 6], "float32")
        conv = nn.Conv2D(1, 2, 3, weight_attr=attr(paddle, 6, 2, 1, 3, 3))
        norm = nn.BatchNorm2D(2)
        out = nn.functional.max_pool2d(nn.functional.relu(norm(conv(x))), 2).flatten(1)
        out = out.reshape([-1, 2, 4]).sum(-1)
    exe = paddle.static.Executor()
    exe.run(startup)
    runs = [exe.run(main, feed={"x": numbers(i, 2 + i, 1, 6, 6)}, fetch_list=[out])[0] for i in range(2)]
    return [*runs, *exe.run(main, feed={"x": numbers(0, 2, 1, 6, 6)}, fetch_list=[norm._mean])]


def choices_and_loops(paddle):
    main = paddle.static.Program()
    with paddle.static.program_guard(main):
        x = paddle.static.data("x", [3], "float32")
        chosen = paddle.static.nn.cond(x.sum() > 0, lambda: x * 2, lambda: x - 1)
        i, total = paddle.static.nn.while_loop(
            lambda i, s: i < 5, lambda i, s: [i + 1, s + x],
            [paddle.full([1], 0, "int64"), paddle.zeros([3])])
    exe = paddle.static.Executor()
    return [v for sign in (1, -1) for v in exe.run(main, feed={"x": sign * np.float32([1, 2, 3])},
                                                   fetch_list=[chosen, i, total])]


def fill(paddle, main):
    """Give the parameters values that depend on their names."""
    for parameter in main.global_block().all_parameters():
        held = paddle.static.global_scope().find_var(parameter.name).get_tensor()
        held.set(0.4 * numbers(len(parameter.name), *parameter.shape), paddle.CPUPlace())


def parameters_in_branches_and_loops(paddle):
    static = paddle.static
    main, startup = static.Program(), static.Program()
    with static.program_guard(main, startup):
        x = static.data("x", [None, 3], "float32")
        first, second, step = (paddle.nn.Linear(n, 4, weight_attr=paddle.ParamAttr(name=name), bias_attr=False)
                               for n, name in ((3, "chosen"), (3, "otherwise"), (4, "repeated")))
        out = static.nn.cond(x.sum() > 0, lambda: first(x), lambda: second(x) * 2)
        variables = [paddle.full([1], 0, "int64"), out * 1.0]
        total = static.nn.while_loop(lambda i, s: i < 3, lambda i, s: [i + 1, s + paddle.tanh(step(s))], variables)[1]
        loss = paddle.mean(total * total)
        paddle.optimizer.SGD(0.1).minimize(loss)
    exe = static.Executor()
    exe.run(startup)
    fill(paddle, main)
    return [v for k in range(3) for v in exe.run(main, feed={"x": numbers(k, 2, 3)}, fetch_list=[loss, out])]


def one_value_in_two_programs(paddle):
    static = paddle.static

    def network():
        x = static.data("x", [None, 4], "float32")
        return static.nn.fc(x, 3, weight_attr=paddle.ParamAttr(name="mine"), bias_attr=paddle.ParamAttr(name="ours"))

    main, startup, test, nothing = (static.Program() for _ in range(4))
    with static.program_guard(main, startup):
        paddle.optimizer.SGD(0.5).minimize(network().mean())
    with static.program_guard(test, nothing):
        out = network()
    exe = static.Executor()
    exe.run(startup)
    fill(paddle, main)
    found = exe.run(test, feed={"x": numbers(0, 2, 4)}, fetch_list=[out])
    exe.run(main, feed={"x": numbers(1, 2, 4)})
    return found + exe.run(test, feed={"x": numbers(0, 2, 4)}, fetch_list=[out])


def constants_that_are_written(paddle):
    main = paddle.static.Program()
    with paddle.static.program_guard(main):
        i = paddle.full([1], 0, "float32")
        j = paddle.to_tensor(np.float32([2]))
        paddle.increment(i)
        paddle.assign(i + j, j)
    exe = paddle.static.Executor()
    return [v for _ in range(2) for v in exe.run(main, fetch_list=[i, j])]


def sizes_that_values_decide(paddle):
    main = paddle.static.Program()
    with paddle.static.program_guard(main):
        x = paddle.static.data("x", [None, 3], "float32")
        x.stop_gradient = False
        chosen = paddle.masked_select(x, x > 0)
        total = (chosen * paddle.arange(paddle.shape(chosen)[0]).astype("float32")).sum()
        grad, = paddle.static.gradients([total], [x])
        wanted = [chosen, total, grad, paddle.nonzero(x), paddle.zeros([paddle.shape(x)[0], 2])]
    exe = paddle.static.Executor()
    return [v for rows in (2, 4) for v in exe.run(main, feed={"x": numbers(rows, rows, 3)}, fetch_list=wanted)]


CASES = [trained, adam, gradients_of_parameters, gradients_of_inputs, layers_and_statistics, choices_and_loops,
         parameters_in_branches_and_loops, one_value_in_two_programs, constants_that_are_written,
         sizes_that_values_decide]
