"""Optimizers: twenty steps on a small net, eagerly and as a whole converted step; their state afterwards."""

from __future__ import annotations

import re

import numpy as np
from harness import fill_layer, name_pattern, program, random_state

STEPS = 20


def train(P, make, converted):
    """Train two Linear layers with the optimizer `make(P, net)`; gives parameters, losses, state."""
    net = P.nn.Sequential(P.nn.Linear(3, 4), P.nn.Tanh(), P.nn.Linear(4, 2))
    fill_layer(P, net, "optimizer")
    optimizer = make(P, net)

    def step(x, y):
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    run, losses = (P.jit.to_static(step) if converted else step), []
    for i in range(STEPS):
        state = random_state("optimizer", "batch", i)
        x, y = (P.to_tensor(state.standard_normal(shape).astype("float32")) for shape in ((5, 3), (5, 2)))
        losses.append(float(run(x, y)))
        scheduler = optimizer._learning_rate
        if not isinstance(scheduler, (float, int)):
            scheduler.step()
    return {
        "parameters": dict(net.named_parameters()),
        "losses": np.array(losses, "float32"),
        "lr": optimizer.get_lr(),
        "state": state_of(P, optimizer),
    }


def numbers_in_order(item):
    """linear_9 before linear_10: which numbers come up depends on the tests that ran before."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", item[0])]


def state_of(P, optimizer):
    """The state_dict with running numbers taken out of its keys (they depend on what was made before)."""
    state = {}
    for key, value in sorted(optimizer.state_dict().items(), key=numbers_in_order):
        name = name_pattern(key)
        while name in state:
            name += "+"
        state[name] = dict(value) if isinstance(value, dict) else value
    return state


def clip(kind, *args):
    return lambda P: {"grad_clip": getattr(P.nn, kind)(*args)}


def groups(P, net):
    return {
        "parameters": [
            {"params": net[0].parameters(), "learning_rate": 0.5, "weight_decay": 0.05},
            {"params": net[2].parameters()},
        ]
    }


L2 = lambda P: {"weight_decay": P.regularizer.L2Decay(0.1)}  # noqa: E731
L1 = lambda P: {"weight_decay": P.regularizer.L1Decay(0.1)}  # noqa: E731
NORM = clip("ClipGradByGlobalNorm", 0.1)

# name -> (class, keyword arguments, functions of P that give further ones)
OPTIMIZERS = {
    "SGD": ("SGD", {"learning_rate": 0.1}),
    "SGD/decay": ("SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
    "SGD/l1": ("SGD", {"learning_rate": 0.1}, L1),
    "SGD/l2": ("SGD", {"learning_rate": 0.1}, L2),
    "SGD/norm-clip": ("SGD", {"learning_rate": 0.1}, NORM),
    "SGD/clip-by-norm": ("SGD", {"learning_rate": 0.1}, clip("ClipGradByNorm", 0.1)),
    "SGD/clip-by-value": ("SGD", {"learning_rate": 0.1}, clip("ClipGradByValue", 0.05)),
    "SGD/clip-by-value-range": ("SGD", {"learning_rate": 0.1}, clip("ClipGradByValue", 0.02, -0.05)),
    "Momentum": ("Momentum", {"learning_rate": 0.1, "momentum": 0.8}),
    "Momentum/nesterov": ("Momentum", {"learning_rate": 0.1, "use_nesterov": True, "weight_decay": 0.01}),
    "Momentum/l1-clip": ("Momentum", {"learning_rate": 0.1}, L1, NORM),
    "Momentum/rescale": ("Momentum", {"learning_rate": 0.1, "rescale_grad": 1.0}),
    "Adam": ("Adam", {"learning_rate": 0.01}),
    "Adam/betas": ("Adam", {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6}),
    "Adam/decay-clip": ("Adam", {"learning_rate": 0.01, "weight_decay": 0.1}, NORM),
    "Adam/amsgrad": ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    "AdamW": ("AdamW", {"learning_rate": 0.01}),
    "AdamW/decay": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.3}),
    "AdamW/clip": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.3}, NORM),
    "AdamW/decay-some": (
        "AdamW",
        {"learning_rate": 0.01, "weight_decay": 0.3, "apply_decay_param_fun": lambda name: "w_" in name},
    ),
    "AdamW/amsgrad": ("AdamW", {"learning_rate": 0.01, "amsgrad": True}),
    "Adagrad": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.1, "weight_decay": 0.01}),
    "RMSProp": ("RMSProp", {"learning_rate": 0.01}),
    "RMSProp/centered": (
        "RMSProp",
        {"learning_rate": 0.01, "rho": 0.9, "momentum": 0.5, "centered": True, "epsilon": 1e-4},
    ),
    "Adamax": ("Adamax", {"learning_rate": 0.01, "weight_decay": 0.01}),
    "Adadelta": ("Adadelta", {"learning_rate": 0.5, "rho": 0.9}),
    "Lamb": ("Lamb", {"learning_rate": 0.01, "lamb_weight_decay": 0.05}),
    "Lamb/exclude": ("Lamb", {"learning_rate": 0.01, "exclude_from_weight_decay_fn": lambda p: len(p.shape) == 1}),
    "NAdam": ("NAdam", {"learning_rate": 0.01}),
    "RAdam": ("RAdam", {"learning_rate": 0.01}),
    "Rprop": ("Rprop", {"learning_rate": 0.01}),
    "ASGD": ("ASGD", {"learning_rate": 0.01, "batch_num": 2}),
    "SGD/schedule": ("SGD", {}, lambda P: {"learning_rate": P.optimizer.lr.StepDecay(0.1, 2, 0.5)}),
    "Adam/schedule": (
        "Adam",
        {},
        lambda P: {
            "learning_rate": P.optimizer.lr.LinearWarmup(P.optimizer.lr.CosineAnnealingDecay(0.05, 10), 3, 0.0, 0.05)
        },
    ),
}
for label in ("SGD", "Momentum", "Adam", "AdamW"):
    OPTIMIZERS[label + "/groups"] = (label, {"learning_rate": 0.1, "weight_decay": 0.01}, groups)


def maker(entry):
    kind, options, *further = entry

    def make(P, net):
        given = {"parameters": net.parameters()} | options
        for more in further:
            given |= more(P, net) if more is groups else more(P)
        return getattr(P.optimizer, kind)(**given)

    return make


for label, entry in OPTIMIZERS.items():
    make = maker(entry)
    for converted in (False, True):

        def run(P, make=make, converted=converted):
            # Real Paddle is the oracle for the eager step; its converted step is not asked.
            return train(P, make, converted and P.__name__ != "paddle")

        run.__module__ = __name__
        program(f"optimizer.{label}/{'converted' if converted else 'eager'}", rtol=2e-4)(run)


@program("optimizer/attributes-of-parameters")
def parameter_attributes(P):
    decay = P.regularizer.L2Decay(0.5)
    net = P.nn.Linear(
        2, 2, weight_attr=P.ParamAttr(learning_rate=0.1, regularizer=decay), bias_attr=P.ParamAttr(trainable=False)
    )
    fill_layer(P, net, "attributes")
    optimizer = P.optimizer.SGD(0.5, parameters=net.parameters(), weight_decay=0.1)
    for _ in range(2):
        net(P.ones([3, 2])).square().mean().backward()
        optimizer.step()
        optimizer.clear_grad()
    return {"weight": net.weight, "bias": net.bias}


@program("optimizer/need-clip")
def need_clip(P):
    net = P.nn.Linear(2, 2, weight_attr=P.ParamAttr(need_clip=False))
    fill_layer(P, net, "attributes")
    optimizer = P.optimizer.SGD(0.5, parameters=net.parameters(), grad_clip=P.nn.ClipGradByGlobalNorm(0.01))
    net(P.ones([3, 2])).square().mean().backward()
    optimizer.step()
    return {"weight": net.weight, "bias": net.bias}


@program("optimizer/state-dict-restored")
def restored(P):
    data = P.to_tensor(np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3))

    def build():
        net = P.nn.Linear(3, 2)
        return net, P.optimizer.Adam(P.optimizer.lr.StepDecay(0.1, 1, 0.5), parameters=net.parameters())

    def step(net, optimizer):
        net(data).square().mean().backward()
        optimizer.step()
        optimizer.clear_grad()
        optimizer._learning_rate.step()

    # The names of the moments are numbered when they are made, so a second optimizer needs the counters of the first.
    with P.utils.unique_name.guard():
        net, first = build()
        fill_layer(P, net, "restored")
        step(net, first)
        step(net, first)
    with P.utils.unique_name.guard():
        other, second = build()
        other.set_state_dict(net.state_dict())
        second.set_state_dict(first.state_dict())
        rates = [second.get_lr()]
        step(other, second)
    return rates, other.weight, other.bias, sorted(first.state_dict())


@program("optimizer/minimize-set_lr-no-grad")
def minimize(P):
    net, other = P.nn.Linear(2, 1), P.nn.Linear(2, 1)
    fill_layer(P, net, "minimize")
    fill_layer(P, other, "other")
    optimizer = P.optimizer.SGD(0.1, parameters=net.parameters() + other.parameters())
    optimizer.set_lr(0.3)
    loss = net(P.ones([1, 2])).sum()
    loss.backward()
    optimizer.minimize(loss)
    optimizer.clear_grad()
    return [optimizer.get_lr()], net.weight, other.weight, net.weight.grad is None


@program("clip_grad_norm_")
def clip_grad_norm(P):
    net = P.nn.Linear(3, 2)
    fill_layer(P, net, "clip")
    net(P.ones([2, 3])).square().sum().backward()
    norm = P.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    first = [p.grad.clone() for p in net.parameters()]
    P.nn.utils.clip_grad_value_(net.parameters(), 0.1)
    vector = P.nn.utils.parameters_to_vector(net.parameters())
    P.nn.utils.vector_to_parameters(vector * 2, net.parameters())
    return norm.detach(), first, [p.grad for p in net.parameters()], vector.detach(), net.weight


def rosenbrock(P, x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


LBFGS = {
    "fixed-step": {"learning_rate": 0.01, "max_iter": 6},
    "strong-wolfe": {"line_search_fn": "strong_wolfe", "max_iter": 8},
    "short-history": {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 4, "max_eval": 7},
    "until-flat": {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2, "max_iter": 50},
}
for label, options in LBFGS.items():

    # A long line search makes more of a difference in the last bits.
    @program(f"optimizer.LBFGS/{label}", rtol=1e-2 if label == "strong-wolfe" else 2e-3, atol=1e-4)
    def lbfgs(P, options=options):
        net = P.nn.Linear(2, 2)
        net.weight.set_value(np.array([[-1.2, 1.0], [0.5, 1.5]], "float32"))
        net.bias.set_value(np.array([0.3, -0.4], "float32"))
        optimizer = P.optimizer.LBFGS(parameters=net.parameters(), **options)

        def closure():
            optimizer.clear_grad()
            loss = rosenbrock(P, P.concat([net.weight.reshape([-1]), net.bias]))
            loss.backward()
            return loss

        losses = [float(optimizer.step(closure)) for _ in range(3)]
        held = optimizer.state_dict()["state"]
        counts = {key: held[key] for key in ("func_evals", "n_iter")}
        return {"losses": np.array(losses, "float32"), **dict(net.named_parameters()), **counts, "d": held["d"],
                "history": len(held["old_yk"]), "H_diag": held["H_diag"]}
