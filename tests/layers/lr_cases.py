"""Schedulers and how they are stepped, written once for Kayax and for real Paddle: `lr` is either's optimizer.lr."""

import math

METRICS = [1.0 / (1 + 0.3 * min(t, 20)) + 0.01 * math.sin(t) for t in range(60)]
STEPS = [()] * 60
JUMPS = [(t * 7 % 40,) for t in range(20)] + [()] * 10

# name: (the scheduler, the arguments of each step)
CASES = {
    "noam": (lambda lr: lr.NoamDecay(64, 10), STEPS),
    "noam with a rate": (lambda lr: lr.NoamDecay(d_model=512, warmup_steps=30, learning_rate=2), STEPS),
    "piecewise": (lambda lr: lr.PiecewiseDecay([3, 6, 40], [1.0, 0.5, 0.1, 0.05]), STEPS),
    "natural exp": (lambda lr: lr.NaturalExpDecay(0.5, 0.1), STEPS),
    "inverse time": (lambda lr: lr.InverseTimeDecay(0.5, 0.1), STEPS),
    "polynomial": (lambda lr: lr.PolynomialDecay(0.5, 20), STEPS),
    "polynomial, power": (lambda lr: lr.PolynomialDecay(0.5, 20, end_lr=0.01, power=2.5), STEPS),
    "polynomial, cycle": (lambda lr: lr.PolynomialDecay(0.5, 20, power=2, cycle=True), STEPS),
    "warmup to a float": (lambda lr: lr.LinearWarmup(0.5, 20, 0.0, 0.5), STEPS),
    "warmup to a scheduler": (lambda lr: lr.LinearWarmup(lr.StepDecay(0.5, 10), 20, 0.1, 0.5), STEPS),
    "warmup to cosine": (lambda lr: lr.LinearWarmup(lr.CosineAnnealingDecay(0.5, 13, 0.001), 7, 0, 0.5), STEPS),
    "exponential": (lambda lr: lr.ExponentialDecay(0.5, 0.9), STEPS),
    "multi step": (lambda lr: lr.MultiStepDecay(0.5, [2, 5, 30], gamma=0.5), STEPS),
    "step": (lambda lr: lr.StepDecay(0.5, 7, gamma=0.8), STEPS),
    "lambda": (lambda lr: lr.LambdaDecay(0.5, lambda t: 0.95**t), STEPS),
    "multiplicative": (lambda lr: lr.MultiplicativeDecay(0.5, lambda t: 0.95), STEPS),
    "cosine": (lambda lr: lr.CosineAnnealingDecay(0.5, 10), STEPS),
    "cosine, eta_min": (lambda lr: lr.CosineAnnealingDecay(0.5, 7, eta_min=0.01), STEPS),
    "one cycle": (lambda lr: lr.OneCycleLR(1.0, 60), STEPS),
    "one cycle, linear": (lambda lr: lr.OneCycleLR(1.0, 60, anneal_strategy="linear", phase_pct=0.4), STEPS),
    "one cycle, three phases": (
        lambda lr: lr.OneCycleLR(1, 60, divide_factor=10, end_learning_rate=0.001, three_phase=True), STEPS),
    "one cycle, three linear": (lambda lr: lr.OneCycleLR(1, 61, anneal_strategy="linear", three_phase=True), STEPS),
    "cyclic": (lambda lr: lr.CyclicLR(0.1, 0.5, 5), STEPS),
    "cyclic, up and down": (lambda lr: lr.CyclicLR(0.1, 0.5, 5, 11, mode="triangular2"), STEPS),
    "cyclic, exp_range": (lambda lr: lr.CyclicLR(0.1, 0.5, 5, mode="exp_range", exp_gamma=0.97), STEPS),
    "cyclic, scale_fn": (lambda lr: lr.CyclicLR(0.1, 0.5, 5, scale_fn=lambda x: 0.9**x), STEPS),
    "cyclic, scale_fn of steps": (
        lambda lr: lr.CyclicLR(0.1, 0.5, 5, scale_fn=lambda x: 0.99**x, scale_mode="iterations"), STEPS),
    "linear": (lambda lr: lr.LinearLR(0.5, 20), STEPS),
    "linear, factors": (lambda lr: lr.LinearLR(0.5, 33, start_factor=0.9, end_factor=0.2), STEPS),
    "restarts": (lambda lr: lr.CosineAnnealingWarmRestarts(0.5, 7), STEPS),
    "restarts, longer each time": (lambda lr: lr.CosineAnnealingWarmRestarts(0.5, 3, 2, eta_min=0.01), STEPS),
    "plateau": (lambda lr: lr.ReduceOnPlateau(0.5, patience=2), [(m,) for m in METRICS]),
    "plateau, abs": (
        lambda lr: lr.ReduceOnPlateau(0.5, factor=0.5, patience=0, threshold=0.02, threshold_mode="abs", cooldown=3),
        [(m,) for m in METRICS]),
    "plateau, max": (
        lambda lr: lr.ReduceOnPlateau(0.5, mode="max", factor=0.3, patience=3, min_lr=0.01, cooldown=1),
        [(m,) for m in METRICS]),
    "plateau, max abs": (
        lambda lr: lr.ReduceOnPlateau(0.5, mode="max", factor=0.3, patience=1, threshold_mode="abs"),
        [(-m, i * 2) for i, m in enumerate(METRICS)]),
    "last_epoch": (lambda lr: lr.StepDecay(0.5, 7, gamma=0.8, last_epoch=10), STEPS),
    "jumps of noam": (lambda lr: lr.NoamDecay(64, 10), [(t + 1,) for (t,) in JUMPS[:20]] + JUMPS[20:]),
    "jumps of cosine": (lambda lr: lr.CosineAnnealingDecay(0.5, 10, 0.01), JUMPS),
    "jumps of polynomial": (lambda lr: lr.PolynomialDecay(0.5, 20, cycle=True), JUMPS),
    "jumps of restarts": (lambda lr: lr.CosineAnnealingWarmRestarts(0.5, 3, 2), [(t + 0.25,) for (t,) in JUMPS[:20]]
                          + JUMPS[20:]),
    "jumps of cyclic": (lambda lr: lr.CyclicLR(0.1, 0.5, 5, 11, mode="triangular2"), JUMPS),
    "jumps of warmup": (lambda lr: lr.LinearWarmup(lr.StepDecay(0.5, 10), 20, 0.1, 0.5), JUMPS),
}


def run(name: str, lr) -> dict:
    """The rates after the start and after every step, and the state at the end."""
    make, steps = CASES[name]
    scheduler = make(lr)
    rates = [scheduler()]
    for arguments in steps:
        scheduler.step(*arguments)
        rates.append(scheduler())
    return {"rates": rates, "state": scheduler.state_dict()}


# A wrong construction, or a wrong call of what was constructed; each is an error of the same type in Paddle.
WRONG = {
    "abstract": lambda lr: lr.LRScheduler(0.1),
    "negative rate": lambda lr: lr.StepDecay(-1.0, 2),
    "rate not a number": lambda lr: lr.StepDecay("a", 2),
    "noam, d_model": lambda lr: lr.NoamDecay(0, 1),
    "piecewise, no boundaries": lambda lr: lr.PiecewiseDecay([], [1]),
    "piecewise, too few values": lambda lr: lr.PiecewiseDecay([3], [1.0]),
    "natural exp, gamma": lambda lr: lr.NaturalExpDecay(0.1, -1),
    "exponential, gamma 0": lambda lr: lr.ExponentialDecay(0.1, 0),
    "exponential, gamma 1.5": lambda lr: lr.ExponentialDecay(0.1, 1.5),
    "polynomial, steps": lambda lr: lr.PolynomialDecay(0.1, 2.5),
    "polynomial, power": lambda lr: lr.PolynomialDecay(0.1, 5, power=-1),
    "warmup, steps": lambda lr: lr.LinearWarmup(0.1, 0, 0, 0.1),
    "warmup, falling": lambda lr: lr.LinearWarmup(0.1, 5, 0.2, 0.1),
    "warmup, rate": lambda lr: lr.LinearWarmup("a", 5, 0.2, 0.3),
    "multi step, order": lambda lr: lr.MultiStepDecay(0.1, [5, 3]),
    "multi step, gamma": lambda lr: lr.MultiStepDecay(0.1, (5, 9), gamma=1),
    "multi step, milestones": lambda lr: lr.MultiStepDecay(0.1, 5),
    "step, size": lambda lr: lr.StepDecay(0.1, 0),
    "step, float size": lambda lr: lr.StepDecay(0.1, 2.5),
    "step, gamma": lambda lr: lr.StepDecay(0.1, 2, 1.0),
    "lambda": lambda lr: lr.LambdaDecay(0.1, 3),
    "multiplicative": lambda lr: lr.MultiplicativeDecay(0.1, 1),
    "plateau, mode": lambda lr: lr.ReduceOnPlateau(0.1, "x"),
    "plateau, factor": lambda lr: lr.ReduceOnPlateau(0.1, factor=1.0),
    "plateau, threshold_mode": lambda lr: lr.ReduceOnPlateau(0.1, threshold_mode="x"),
    "plateau, rate": lambda lr: lr.ReduceOnPlateau("a"),
    "plateau, metric": lambda lr: lr.ReduceOnPlateau(0.1).step("a"),
    "cosine, T_max 0": lambda lr: lr.CosineAnnealingDecay(0.1, 0),
    "cosine, T_max float": lambda lr: lr.CosineAnnealingDecay(0.1, 2.0),
    "cosine, eta_min": lambda lr: lr.CosineAnnealingDecay(0.1, 5, "a"),
    "one cycle, rate": lambda lr: lr.OneCycleLR("a", 10),
    "one cycle, negative": lambda lr: lr.OneCycleLR(-1, 10),
    "one cycle, float steps": lambda lr: lr.OneCycleLR(1, 10.0),
    "one cycle, no steps": lambda lr: lr.OneCycleLR(1, 0),
    "one cycle, divide_factor": lambda lr: lr.OneCycleLR(1, 10, divide_factor="a"),
    "one cycle, end": lambda lr: lr.OneCycleLR(1, 10, end_learning_rate=-1),
    "one cycle, phase_pct": lambda lr: lr.OneCycleLR(1, 10, phase_pct=2),
    "one cycle, phases": lambda lr: lr.OneCycleLR(1, 10, phase_pct=0.6, three_phase=True),
    "one cycle, strategy": lambda lr: lr.OneCycleLR(1, 10, anneal_strategy="x"),
    "one cycle, too long": lambda lr: lr.OneCycleLR(1, 3).step(4),
    "cyclic, steps": lambda lr: lr.CyclicLR(0.1, 0.2, 0),
    "cyclic, float steps": lambda lr: lr.CyclicLR(0.1, 0.2, 1.5),
    "cyclic, down": lambda lr: lr.CyclicLR(0.1, 0.2, 2, 0),
    "cyclic, max": lambda lr: lr.CyclicLR(0.1, "a", 2),
    "cyclic, mode": lambda lr: lr.CyclicLR(0.1, 0.2, 2, mode="x"),
    "cyclic, exp_gamma": lambda lr: lr.CyclicLR(0.1, 0.2, 2, exp_gamma=-1),
    "cyclic, scale_mode": lambda lr: lr.CyclicLR(0.1, 0.2, 2, scale_mode="x"),
    "cyclic, scale_fn": lambda lr: lr.CyclicLR(0.1, 0.2, 2, scale_fn=3),
    "linear, steps": lambda lr: lr.LinearLR(0.1, 0),
    "linear, start": lambda lr: lr.LinearLR(0.1, 3, 0),
    "linear, end": lambda lr: lr.LinearLR(0.1, 3, 0.5, 2),
    "restarts, T_0": lambda lr: lr.CosineAnnealingWarmRestarts(0.1, 2.0),
    "restarts, T_mult": lambda lr: lr.CosineAnnealingWarmRestarts(0.1, 2, 0),
    "restarts, epoch": lambda lr: lr.CosineAnnealingWarmRestarts(0.1, 2, 2).step(-1),
    "state lacks an entry": lambda lr: lr.StepDecay(0.1, 2).set_state_dict({"last_epoch": 3}),
}


def error_of(name: str, lr) -> list[str]:
    """The names of the types that catch the error, its own first."""
    try:
        WRONG[name](lr)
    except Exception as error:
        return [kind.__name__ for kind in type(error).__mro__[:-2]]
    return ["no error"]
