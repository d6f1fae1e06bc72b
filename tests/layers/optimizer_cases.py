"""Steps of every optimizer on given gradients, written once for Kayax and for real Paddle (`P` is either)."""

from __future__ import annotations

import numpy as np

SAVED, STEPS = 20, 25
SHAPES = {"w": (3, 4), "b": (4,), "s": (1,)}


def grads(step: int, name: str) -> np.ndarray:
    """Gradients of changing size, with zeros among them, that turn their sign now and then."""
    random = np.random.RandomState(step * 31 + ord(name))
    g = random.standard_normal(SHAPES[name]) * (0.1 if step % 7 else 3.0) + (0.2 if step < 9 else -0.3)
    return np.where(random.uniform(size=g.shape) < 0.1, 0.0, g).astype("float32")


def parameters(P, dtype="float32", attributes=None):
    """Three parameters named w, b and s, with attributes for some."""
    made = []
    for name, shape in SHAPES.items():
        attr = P.ParamAttr(name=name, **(attributes or {}).get(name, {}))
        p = P.create_parameter(list(shape), dtype, attr=attr)
        p.set_value(np.random.RandomState(ord(name)).standard_normal(shape).astype(dtype))
        made.append(p)
    return made


def run(name: str, P) -> dict[str, np.ndarray]:
    """The parameters after some steps, and the state after twenty."""
    params, optimizer = build(name, P)
    found = {}
    for step in range(1, STEPS + 1):
        take_step(name, P, params, optimizer, step)
        if step in (2, SAVED, STEPS):
            found |= {f"{step}/{p.name}": p.numpy() for p in params}
        if step == SAVED:
            found |= {f"state/{key.rstrip('0123456789')}": value.numpy().copy()
                      for key, value in optimizer.state_dict().items() if hasattr(value, "numpy")}
    return found


def build(name: str, P):
    make, options = CASES[name]
    params = parameters(P, options.get("dtype", "float32"), options.get("attributes"))
    return params, make(P, params)


def take_step(name: str, P, params, optimizer, step: int) -> None:
    options = CASES[name][1]
    for p in params:
        if step in options.get("missing", {}).get(p.name, ()):
            p.clear_gradient(False)
        else:
            p.grad = P.to_tensor(grads(step, p.name).astype(options.get("dtype", "float32")))
    optimizer.step()
    if isinstance(optimizer._learning_rate, P.optimizer.lr.LRScheduler):
        optimizer._learning_rate.step()


def simple(kind, *args, **options):
    return (lambda P, params: getattr(P.optimizer, kind)(*args, parameters=params, **options)), {}


def with_clip(kind, clip, *limits, **options):
    return (lambda P, params: getattr(P.optimizer, kind)(
        0.1, parameters=params, grad_clip=getattr(P.nn, clip)(*limits), **options)), {}


def with_decay(kind, decay, coeff, **options):
    return (lambda P, params: getattr(P.optimizer, kind)(
        0.1, parameters=params, weight_decay=getattr(P.regularizer, decay)(coeff), **options)), {}


def some_missing(case, **options):
    return case[0], {"missing": {"b": range(3, 6), "s": range(1, 8)}, **options}


def in_groups(kind, *args, first, second, **options):
    return (lambda P, params: getattr(P.optimizer, kind)(
        *args, parameters=[{"params": params[:1], **first(P)}, {"params": params[1:], **second(P)}], **options)), {}


def nothing(P):
    return {}


CASES = {
    "SGD": simple("SGD", 0.1),
    "SGD, decay": simple("SGD", 0.1, weight_decay=0.1),
    "SGD, int decay": simple("SGD", 0.1, weight_decay=0.5),
    "SGD, float64": (simple("SGD", 0.1)[0], {"dtype": "float64"}),
    "Momentum": simple("Momentum", 0.1, 0.9),
    "Momentum, nesterov": simple("Momentum", 0.1, 0.8, use_nesterov=True, weight_decay=0.05),
    "Momentum, some missing": some_missing(simple("Momentum", 0.1, 0.9)),
    "Adagrad": simple("Adagrad", 0.1),
    "Adagrad, initial": simple("Adagrad", 0.1, epsilon=1e-2, initial_accumulator_value=0.5, weight_decay=0.1),
    "Adadelta": simple("Adadelta", 0.5),
    "Adadelta, rho": simple("Adadelta", 0.5, epsilon=1e-3, rho=0.7, weight_decay=0.1),
    "RMSProp": simple("RMSProp", 0.01),
    "RMSProp, momentum": simple("RMSProp", 0.01, rho=0.8, epsilon=1e-3, momentum=0.9),
    "RMSProp, centered": simple("RMSProp", 0.01, rho=0.8, epsilon=1e-3, momentum=0.5, centered=True, weight_decay=0.1),
    "Adam": simple("Adam", 0.1),
    "Adam, betas": simple("Adam", 0.1, beta1=0.5, beta2=0.9, epsilon=1e-2),
    "Adam, beta1 0": simple("Adam", 0.1, beta1=0.0, beta2=0.9),
    "Adam, amsgrad": simple("Adam", 0.1, amsgrad=True, epsilon=1e-3),
    "Adam, decay": simple("Adam", 0.1, weight_decay=0.1),
    "Adam, lazy_mode": simple("Adam", 0.1, lazy_mode=True),
    "Adam, float64": (simple("Adam", 0.1)[0], {"dtype": "float64"}),
    "Adam, some missing": some_missing(simple("Adam", 0.1)),
    "AdamW": simple("AdamW", 0.1),
    "AdamW, amsgrad": simple("AdamW", 0.1, amsgrad=True, weight_decay=0.2),
    "AdamW, decay of some": simple("AdamW", 0.1, weight_decay=0.3, apply_decay_param_fun=lambda name: name == "w"),
    "AdamW, attributes": (
        simple("AdamW", 0.1, weight_decay=0.3)[0], {"attributes": {"w": {"learning_rate": 0.1}}}),
    "Adamax": simple("Adamax", 0.1),
    "Adamax, epsilon": simple("Adamax", 0.1, beta1=0.7, beta2=0.8, epsilon=0.1, weight_decay=0.1),
    "Adamax, some missing": some_missing(simple("Adamax", 0.1)),
    "NAdam": simple("NAdam", 0.1),
    "NAdam, momentum_decay": simple("NAdam", 0.1, beta1=0.7, beta2=0.9, epsilon=1e-2, momentum_decay=0.1),
    "NAdam, decay": simple("NAdam", 0.1, weight_decay=0.1),
    "NAdam, some missing": some_missing(simple("NAdam", 0.1)),
    "RAdam": simple("RAdam", 0.1),
    "RAdam, betas": simple("RAdam", 0.1, beta1=0.7, beta2=0.9, epsilon=1e-2, weight_decay=0.1),
    "RAdam, some missing": some_missing(simple("RAdam", 0.1)),
    "Lamb": simple("Lamb", 0.1),
    "Lamb, decay": simple("Lamb", 0.1, lamb_weight_decay=0.2, epsilon=1e-2),
    "Lamb, exclude": simple("Lamb", 0.1, exclude_from_weight_decay_fn=lambda p: p.name == "w"),
    "Lamb, always_adapt": simple("Lamb", 0.1, lamb_weight_decay=0.0, always_adapt=True),
    "Lamb, no decay": simple("Lamb", 0.1, lamb_weight_decay=0.0),
    "Rprop": simple("Rprop", 0.01),
    "Rprop, range": simple("Rprop", 0.01, learning_rate_range=(0.008, 0.02), etas=(0.3, 1.5)),
    "ASGD": simple("ASGD", 0.01),
    "ASGD, batches": simple("ASGD", 0.05, batch_num=3),
    "ASGD, some missing": some_missing(simple("ASGD", 0.05, batch_num=4, weight_decay=0.1)),
    "L1": with_decay("SGD", "L1Decay", 0.1),
    "L2": with_decay("Adam", "L2Decay", 0.1),
    "clip by value": with_clip("SGD", "ClipGradByValue", 0.2),
    "clip by value, range": with_clip("Adam", "ClipGradByValue", 0.3, -0.1),
    "clip by norm": with_clip("Momentum", "ClipGradByNorm", 0.5),
    "clip by global norm": with_clip("Adam", "ClipGradByGlobalNorm", 0.7),
    "clip, then decay": with_clip("SGD", "ClipGradByGlobalNorm", 0.7, weight_decay=0.3),
    "clip, AdamW": with_clip("AdamW", "ClipGradByGlobalNorm", 0.7, weight_decay=0.3),
    "clip, some missing": some_missing(with_clip("SGD", "ClipGradByGlobalNorm", 0.7)),
    "clip, need_clip": (with_clip("SGD", "ClipGradByGlobalNorm", 0.7)[0], {"attributes": {"b": {"need_clip": False}}}),
    "attributes": (simple("Adam", 0.1)[0], {"attributes": {"w": {"learning_rate": 0.1}, "b": {"learning_rate": 0.0}}}),
    "frozen": (simple("Adam", 0.1)[0], {"attributes": {"w": {"trainable": False}}}),
    "groups": in_groups("Adam", 0.1, first=lambda P: {"learning_rate": 0.1, "weight_decay": 0.2}, second=nothing),
    "groups, betas": in_groups(
        "Adam", 0.1, first=lambda P: {"beta1": 0.5}, second=lambda P: {"beta2": 0.9, "epsilon": 0.1}),
    "groups, AdamW": in_groups(
        "AdamW", 0.1, first=lambda P: {"weight_decay": 0.5}, second=lambda P: {"weight_decay": 0.0}),
    "groups, momentum": in_groups(
        "Momentum", 0.1, 0.9, first=lambda P: {"momentum": 0.5, "learning_rate": 0.5}, second=nothing),
    "groups, clip": in_groups(
        "SGD", 0.1, first=nothing, second=lambda P: {"grad_clip": P.nn.ClipGradByNorm(0.1)}),
    "groups, one clip": (lambda P, params: P.optimizer.SGD(
        0.1, parameters=[{"params": params[:1]}, {"params": params[1:]}],
        grad_clip=P.nn.ClipGradByGlobalNorm(0.5)), {}),
    "regularizer of a parameter": (lambda P, params: _regularized(P, params, "SGD"), {}),
    "regularizer of a parameter, AdamW": (lambda P, params: _regularized(P, params, "AdamW"), {}),
    "regularizer of a parameter, Lamb": (lambda P, params: _regularized(P, params, "Lamb"), {}),
    "scheduler": (lambda P, params: P.optimizer.Momentum(
        P.optimizer.lr.LinearWarmup(P.optimizer.lr.StepDecay(0.1, 3), 5, 0.0, 0.1), parameters=params), {}),
}


def _regularized(P, params, kind):
    params[0].regularizer = P.regularizer.L1Decay(0.3)
    decay = {} if kind == "Lamb" else {"weight_decay": 0.1}
    return getattr(P.optimizer, kind)(0.1, parameters=params, **decay)


# Each is an error of the same type in Paddle; p is a list of parameters.
WRONG = {
    "no parameters": lambda P, p: P.optimizer.SGD(0.1),
    "a Tensor": lambda P, p: P.optimizer.SGD(0.1, parameters=p[0]),
    "a dict": lambda P, p: P.optimizer.SGD(0.1, parameters={"params": p}),
    "a group without params": lambda P, p: P.optimizer.SGD(0.1, parameters=[{"a": 1}]),
    "groups and Tensors": lambda P, p: P.optimizer.SGD(0.1, parameters=[{"params": p[:1]}, p[1]]),
    "in two groups": lambda P, p: P.optimizer.SGD(0.1, parameters=[{"params": p}, {"params": p}]),
    "rate not a number": lambda P, p: P.optimizer.SGD("a", parameters=p),
    "rate None": lambda P, p: P.optimizer.SGD(None, parameters=p),
    "grad_clip": lambda P, p: P.optimizer.SGD(0.1, parameters=p, grad_clip=1),
    "beta1": lambda P, p: P.optimizer.Adam(0.1, beta1=1.0, parameters=p),
    "epsilon": lambda P, p: P.optimizer.Adam(0.1, epsilon=-1.0, parameters=p),
    "AdamW decay": lambda P, p: P.optimizer.AdamW(0.1, weight_decay="a", parameters=p),
    "AdamW lr_ratio": lambda P, p: P.optimizer.AdamW(0.1, lr_ratio=3, parameters=p),
    "momentum None": lambda P, p: P.optimizer.Momentum(0.1, None, parameters=p),
    "RMSProp rho": lambda P, p: P.optimizer.RMSProp(0.1, rho=-1, parameters=p),
    "RMSProp momentum": lambda P, p: P.optimizer.RMSProp(0.1, momentum=-1, parameters=p),
    "Adadelta epsilon": lambda P, p: P.optimizer.Adadelta(0.1, None, parameters=p),
    "Adamax beta": lambda P, p: P.optimizer.Adamax(0.1, beta2=3.0, parameters=p),
    "NAdam beta": lambda P, p: P.optimizer.NAdam(0.1, beta1=3.0, parameters=p),
    "NAdam momentum_decay": lambda P, p: P.optimizer.NAdam(0.1, momentum_decay=-3.0, parameters=p),
    "RAdam beta": lambda P, p: P.optimizer.RAdam(0.1, beta1=3.0, parameters=p),
    "Rprop range": lambda P, p: P.optimizer.Rprop(0.1, learning_rate_range=(1, 0.01), parameters=p),
    "Rprop etas": lambda P, p: P.optimizer.Rprop(0.1, etas=(1.5, 0.01), parameters=p),
    "ASGD batch_num": lambda P, p: P.optimizer.ASGD(0.1, batch_num=0, parameters=p),
    "set_lr with a scheduler": lambda P, p: P.optimizer.SGD(P.optimizer.lr.StepDecay(0.1, 2), parameters=p).set_lr(0.3),
    "set_lr of a string": lambda P, p: P.optimizer.SGD(parameters=p).set_lr("a"),
    "set_lr_scheduler": lambda P, p: P.optimizer.SGD(parameters=p).set_lr_scheduler(3),
    "minimize": lambda P, p: P.optimizer.SGD(parameters=p).minimize(3),
    "clip by value": lambda P, p: P.nn.ClipGradByValue(-1),
    "clip by norm": lambda P, p: P.nn.ClipGradByNorm("a"),
}


def error_of(name: str, P) -> list[str]:
    """The names of the types that catch the error, its own first."""
    with P.utils.unique_name.guard():
        params = parameters(P)
    try:
        WRONG[name](P, params)
    except Exception as error:
        return [kind.__name__ for kind in type(error).__mro__[:-2]]
    return ["no error"]
