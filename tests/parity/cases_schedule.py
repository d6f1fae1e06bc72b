"""Learning-rate schedulers: thirty rates, the state afterwards, and a restored one."""

from __future__ import annotations

from harness import program

SCHEDULES = {
    "NoamDecay": lambda lr: lr.NoamDecay(64, 5),
    "ExponentialDecay": lambda lr: lr.ExponentialDecay(0.5, 0.9),
    "NaturalExpDecay": lambda lr: lr.NaturalExpDecay(0.5, 0.1),
    "InverseTimeDecay": lambda lr: lr.InverseTimeDecay(0.5, 0.1),
    "PolynomialDecay": lambda lr: lr.PolynomialDecay(0.5, 8, 0.01, 2.0),
    "PolynomialDecay/cycle": lambda lr: lr.PolynomialDecay(0.5, 8, cycle=True),
    "LinearWarmup": lambda lr: lr.LinearWarmup(0.5, 6, 0.0, 0.5),
    "LinearWarmup/scheduler": lambda lr: lr.LinearWarmup(lr.StepDecay(0.5, 4, 0.5), 6, 0.1, 0.5),
    "PiecewiseDecay": lambda lr: lr.PiecewiseDecay([3, 6, 20], [0.1, 0.05, 0.02, 0.01]),
    "CosineAnnealingDecay": lambda lr: lr.CosineAnnealingDecay(0.5, 10, 0.01),
    "StepDecay": lambda lr: lr.StepDecay(0.5, 5, 0.3),
    "MultiStepDecay": lambda lr: lr.MultiStepDecay(0.5, [4, 9, 15], 0.3),
    "LambdaDecay": lambda lr: lr.LambdaDecay(0.5, lambda e: 0.95**e),
    "MultiplicativeDecay": lambda lr: lr.MultiplicativeDecay(0.5, lambda e: 0.95),
    "LinearLR": lambda lr: lr.LinearLR(0.5, 10, 0.2, 0.9),
    "OneCycleLR": lambda lr: lr.OneCycleLR(0.5, 32),
    "OneCycleLR/three-phase": lambda lr: lr.OneCycleLR(
        0.5, 32, divide_factor=10, end_learning_rate=0.01, phase_pct=0.2, anneal_strategy="linear", three_phase=True
    ),
    "CyclicLR": lambda lr: lr.CyclicLR(0.1, 0.5, 4),
    "CyclicLR/exp_range": lambda lr: lr.CyclicLR(0.1, 0.5, 3, 5, mode="exp_range", exp_gamma=0.9),
    "CyclicLR/triangular2": lambda lr: lr.CyclicLR(0.1, 0.5, 3, 5, mode="triangular2"),
    "CosineAnnealingWarmRestarts": lambda lr: lr.CosineAnnealingWarmRestarts(0.5, 4, 2, 0.01),
}
for name, make in SCHEDULES.items():

    def schedule(P, make=make):
        scheduler = make(P.optimizer.lr)
        rates = []
        for _ in range(30):
            rates.append(float(scheduler.get_lr()))
            scheduler.step()
        state = scheduler.state_dict()
        fresh = make(P.optimizer.lr)
        fresh.set_state_dict(state)
        fresh.step()
        scheduler.step()
        plain = {key: value for key, value in state.items() if isinstance(value, (int, float))}
        return {
            "rates": rates,
            "state": sorted(state),
            "values": plain,
            # Paddle's warm restarts forget their place within the period when a state is loaded.
            "restored": [float(s.last_lr) for s in (scheduler, fresh) if "Warm" not in type(s).__name__],
            "epoch": [scheduler.last_epoch, fresh.last_epoch],
        }

    schedule.__module__ = __name__
    program(f"lr.{name}", rtol=1e-6)(schedule)


@program("lr.ReduceOnPlateau")
def plateau(P):
    metrics = [1.0, 0.9, 0.9, 0.9, 0.9, 0.89999, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.1, 0.2, 0.3, 0.3]
    out = {}
    for label, options in {
        "plain": {},
        "max": {"mode": "max"},
        "abs": {"threshold_mode": "abs", "threshold": 0.2, "cooldown": 2},
        "floor": {"min_lr": 0.2, "factor": 0.5},
    }.items():
        scheduler = P.optimizer.lr.ReduceOnPlateau(0.5, patience=2, **options)
        rates = []
        for metric in metrics:
            scheduler.step(P.to_tensor(metric))
            rates.append(float(scheduler.last_lr))
        out[label] = rates
    return out


@program("lr/step-to-epoch")
def step_to_epoch(P):
    scheduler = P.optimizer.lr.StepDecay(0.5, 5, 0.3)
    rates = []
    for epoch in (3, 10, 4):
        scheduler.step(epoch)
        rates.append(float(scheduler()))
    cosine = P.optimizer.lr.CosineAnnealingDecay(0.5, 10)
    cosine.step(7)
    return rates, [float(cosine())]
