"""Runs of the high-level API, written once for real Paddle and for this package: what they print and compute."""
import contextlib
import io
import os
import re
import tempfile

import numpy as np

FREE = [(r"\d+(\.\d+)?[um]?s/step *", "T/step"), (r"cost: \d+\.\d+", "cost: T"), (r"ips: \d+\.\d+", "ips: T"),
        (r"ETA: [\d:]+s?", "ETA: T"), (r"<class '[\w.]+\.(\w+)'>", r"<class \1>"), (r"\x08+", "<back>"),
        (r" +\n", "\n")]


def data(paddle, samples=12):
    class Numbers(paddle.io.Dataset):
        def __init__(self):
            random = np.random.RandomState(samples)
            self.x = random.randn(samples, 4).astype("float32")
            self.y = random.randint(0, 3, (samples, 1)).astype("int64")

        def __getitem__(self, index):
            return self.x[index], self.y[index]

        def __len__(self):
            return samples

    return Numbers()


def network(paddle):
    nn = paddle.nn
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    random = np.random.RandomState(7)
    for p in net.parameters():
        p.set_value(random.randn(*p.shape).astype("float32"))
    return net


def model(paddle, rate=0.05, metrics=True, kind="Adam"):
    made = paddle.Model(network(paddle))
    optimizer = getattr(paddle.optimizer, kind)(rate, parameters=made.parameters())
    made.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy((1, 2)) if metrics else None)
    return made


def values(made):
    return [p.numpy().tolist() for p in made.parameters()]


def fit_with_lines(paddle):
    made = model(paddle)
    made.fit(data(paddle), data(paddle, 8), batch_size=4, epochs=2, log_freq=2, verbose=2)
    return {"parameters": values(made), "evaluated": made.evaluate(data(paddle, 8), batch_size=4, verbose=0)}


def fit_with_a_bar(paddle):
    made = model(paddle)
    made.fit(data(paddle), batch_size=4, epochs=1, log_freq=1, verbose=1)
    outputs = made.predict(data(paddle, 8), batch_size=4, stack_outputs=True)
    return {"outputs": outputs[0].tolist()}


def accumulated_and_limited(paddle):
    made = model(paddle, kind="SGD", metrics=False)
    made.fit(data(paddle), batch_size=4, verbose=3, accumulate_grad_batches=2, shuffle=False)
    first = values(made)
    made.fit(data(paddle), batch_size=4, epochs=3, verbose=2, num_iters=4)
    return {"first": first, "then": values(made)}


def order_of_callbacks(paddle):
    seen = []

    class Notes(paddle.callbacks.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda *args: seen.append([name, *[a if isinstance(a, int) else sorted(a or ()) for a in args]])
            return super().__getattribute__(name)

    made = model(paddle, metrics=False)
    made.fit(data(paddle), data(paddle, 8), batch_size=4, epochs=2, verbose=0, callbacks=Notes(), eval_freq=2)
    made.predict(data(paddle, 8), batch_size=4, verbose=0, callbacks=[Notes()])
    return {"names": [s[0] for s in seen], "steps": [s[1] for s in seen if isinstance(s[1], int)]}


def stopped_early(paddle):
    made = model(paddle, rate=3.0, kind="SGD")
    stop = paddle.callbacks.EarlyStopping("loss", patience=2, min_delta=0.01)
    with tempfile.TemporaryDirectory() as folder:
        made.fit(data(paddle), data(paddle, 8), batch_size=4, epochs=20, verbose=0, callbacks=[stop], save_dir=folder,
                 save_freq=2)
        files = sorted(os.listdir(folder))
    return {"epochs": stop.stopped_epoch, "best": float(stop.best_value), "files": files}


def learning_rate_reduced(paddle):
    made = model(paddle, rate=2.0, kind="SGD")
    plateau = paddle.callbacks.ReduceLROnPlateau("acc_top1", factor=0.5, patience=1, cooldown=1, min_lr=0.3)
    made.fit(data(paddle), data(paddle, 8), batch_size=4, epochs=6, verbose=0, callbacks=plateau)
    return {"rate": made._optimizer.get_lr()}


def learning_rate_scheduled(paddle):
    made = paddle.Model(network(paddle))
    schedule = paddle.optimizer.lr.StepDecay(0.5, step_size=2)
    made.prepare(paddle.optimizer.SGD(schedule, parameters=made.parameters()), paddle.nn.CrossEntropyLoss())
    made.fit(data(paddle), batch_size=4, epochs=2, verbose=0)
    by_step = schedule.last_epoch
    made.fit(data(paddle), batch_size=4, epochs=2, verbose=0, callbacks=[paddle.callbacks.LRScheduler(False, True)])
    return {"by_step": by_step, "by_epoch": schedule.last_epoch - by_step, "parameters": values(made)}


def single_batches(paddle):
    made, batch = model(paddle), data(paddle, 8)
    one = [paddle.to_tensor(batch.x)], [batch.y]
    found = {"train": made.train_batch(*one), "kept": made.train_batch(*one, update=False),
             "eval": made.eval_batch(*one), "predict": made.predict_batch([batch.x])}
    flat = {k: [*r[0], *r[1]] if isinstance(r, tuple) else r for k, r in found.items()}
    return {k: [np.asarray(v).tolist() for v in r] for k, r in flat.items()}


def summaries(paddle):
    nn = paddle.nn

    class Two(nn.Layer):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = nn.LSTM(4, 3), nn.Linear(3, 2)

        def forward(self, x, extra):
            return self.out(self.lstm(x)[0]) + extra

    with paddle.utils.unique_name.guard():              # the numbers of layers are printed
        images = nn.Sequential(nn.Conv2D(1, 2, 3, padding=1), nn.BatchNorm2D(2), nn.ReLU(), nn.MaxPool2D(2, 2),
                               nn.Flatten(), nn.Linear(32, 5))
        for p in images[0].parameters():
            p.stop_gradient = True
        found = [paddle.summary(images, (-1, 1, 8, 8)), paddle.summary(Two(), [(1, 5, 4), (1, 5, 2)]),
                 paddle.summary(nn.Linear(4, 2), input=paddle.zeros([3, 4])),
                 paddle.summary(nn.Embedding(10, 4), (2, 3), dtypes="int64")]
    return {"counts": [[int(f["total_params"]), int(f["trainable_params"])] for f in found]}


def operations(paddle):
    nn = paddle.nn
    with paddle.utils.unique_name.guard():
        net = nn.Sequential(nn.Conv2D(2, 4, 3, padding=1, groups=2), nn.BatchNorm2D(4), nn.LeakyReLU(), nn.AvgPool2D(2),
                            nn.AdaptiveAvgPool2D(2), nn.Flatten(), nn.Linear(16, 5), nn.Sigmoid())

    def count(layer, x, y):
        layer.total_ops += int(x[0].numel())

    return {"flops": paddle.flops(net, [1, 2, 8, 8], custom_ops={nn.Sigmoid: count}, print_detail=True)}


CASES = [fit_with_lines, fit_with_a_bar, accumulated_and_limited, order_of_callbacks, stopped_early,
         learning_rate_reduced, learning_rate_scheduled, single_batches, summaries, operations]


def run(case, paddle):
    """What a case computes, and under "printed" what it prints, without what differs from run to run."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        found = case(paddle)
    text = printed.getvalue()
    for pattern, stands_for in FREE:
        text = re.sub(pattern, stands_for, text)
    return {**found, "printed": re.sub(r"(at|in) \S*/(\w+)\n", r"\1 <folder>/\2\n", text)}
