"""The optimizers, with Paddle's arguments and defaults. What they compute is in `rules.py`."""
from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from kayax.bridge.errors import ArgumentError
from kayax.bridge.tensor import Tensor
from kayax.layers.optimizer import rules
from kayax.layers.optimizer.lr_base import LRScheduler
from kayax.layers.optimizer.optimizer import Optimizer
from kayax.layers.optimizer.regularizer import WeightDecayRegularizer
from kayax.layers.optimizer.rules import Rule

Rate = float | LRScheduler


def _number(name: str, value: Any, low: float = 0.0, below: float = float("inf")) -> float:
    """The argument as a float, if it lies in ``[low, below)``."""
    if value is None:
        raise ArgumentError(f"{name} must be a number, but is None.")
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, but got {type(value).__name__}.")
    if not low <= float(value) < below:
        limit = "" if below == float("inf") else f" and less than {below:g}"
        raise ValueError(f"{name} must be at least {low:g}{limit}, but got {value}.")
    return float(value)


class SGD(Optimizer):
    """Gradient descent: ``p -= lr * g``. multi_precision: float32 master copies of half-precision parameters."""

    def __init__(self, learning_rate: Rate = 0.001, parameters: Any = None, weight_decay: Any = None,
                 grad_clip: Any = None, multi_precision: bool = False, name: str | None = None):
        self._multi_precision = multi_precision
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.SGD()


class Momentum(Optimizer):
    """``v = momentum * v + g; p -= lr * v``, or with `use_nesterov` ``p -= lr * (g + momentum * v)``.

    rescale_grad: gradients are multiplied with it after clipping, before decay (Paddle on a CPU ignores it).
    use_multi_tensor has no effect: all parameters are updated by one program anyway.
    """

    def __init__(self, learning_rate: Rate = 0.001, momentum: float = 0.9, parameters: Any = None,
                 use_nesterov: bool = False, weight_decay: Any = None, grad_clip: Any = None,
                 multi_precision: bool = False, rescale_grad: float = 1.0, use_multi_tensor: bool = False,
                 name: str | None = None):
        self._options = {"momentum": _number("momentum", momentum, float("-inf")), "use_nesterov": bool(use_nesterov),
                         "rescale_grad": float(rescale_grad)}
        self._multi_precision = multi_precision
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Momentum(options["momentum"], options["use_nesterov"])


class Adagrad(Optimizer):
    """``m += g * g; p -= lr * g / (sqrt(m) + epsilon)``, m starting from `initial_accumulator_value`."""

    def __init__(self, learning_rate: Rate, epsilon: float = 1e-06, parameters: Any = None, weight_decay: Any = None,
                 grad_clip: Any = None, name: str | None = None, initial_accumulator_value: float = 0.0):
        self._options = {"epsilon": _number("epsilon", epsilon),
                         "initial_accumulator_value": float(initial_accumulator_value)}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Adagrad(options["epsilon"], options["initial_accumulator_value"])


class Adadelta(Optimizer):
    """Steps scaled by the ratio of mean squared updates to mean squared gradients (Zeiler)."""

    def __init__(self, learning_rate: Rate = 0.001, epsilon: float = 1e-06, rho: float = 0.95, parameters: Any = None,
                 weight_decay: Any = None, grad_clip: Any = None, name: str | None = None):
        self._options = {"epsilon": _number("epsilon", epsilon), "rho": _number("rho", rho)}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Adadelta(options["rho"], options["epsilon"])


class RMSProp(Optimizer):
    """``s = rho * s + (1 - rho) * g * g; v = momentum * v + lr * g / sqrt(s + epsilon); p -= v``.

    centered: the mean gradient's square is taken off s first.
    """

    def __init__(self, learning_rate: Rate, rho: float = 0.95, epsilon: float = 1e-06, momentum: float = 0.0,
                 centered: bool = False, parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None,
                 name: str | None = None):
        self._options = {"rho": _number("rho", rho), "epsilon": _number("epsilon", epsilon),
                         "momentum": _number("momentum", momentum), "centered": bool(centered)}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.RMSProp(options["rho"], options["epsilon"], options["momentum"], options["centered"])


class _WithBetas(Optimizer):
    """What Adam and its kin share."""

    def _start(self, learning_rate: Any, beta1: Any, beta2: Any, epsilon: Any, parameters: Any, weight_decay: Any,
               grad_clip: Any, name: str | None, **options: Any) -> None:
        self._options = {"beta1": _number("beta1", beta1, below=1.0), "beta2": _number("beta2", beta2, below=1.0),
                         "epsilon": _number("epsilon", epsilon), **options}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    @staticmethod
    def _betas(options: dict[str, Any]) -> tuple[float, float, float]:
        return (_number("beta1", options["beta1"], below=1.0), _number("beta2", options["beta2"], below=1.0),
                _number("epsilon", options["epsilon"]))


class Adam(_WithBetas):
    """Adaptive moments (Kingma and Ba); `weight_decay` is added to the gradient.

    amsgrad: divide by the largest second moment so far. lazy_mode and use_multi_tensor have no effect: gradients are
    never sparse, and all parameters are updated by one program anyway.
    """

    def __init__(self, learning_rate: Rate = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08,
                 parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None, lazy_mode: bool = False,
                 multi_precision: bool = False, use_multi_tensor: bool = False, amsgrad: bool = False,
                 name: str | None = None):
        self._multi_precision = multi_precision
        self._start(learning_rate, beta1, beta2, epsilon, parameters, weight_decay, grad_clip, name,
                    amsgrad=bool(amsgrad))

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Adam(*self._betas(options), amsgrad=options["amsgrad"])


class AdamW(_WithBetas):
    """Adam with decoupled weight decay (Loshchilov and Hutter): ``p -= lr * weight_decay * p`` beside Adam's step.

    lr_ratio: a function of a parameter that gives a factor on its learning rate. apply_decay_param_fun: a function of a
    parameter's name that tells whether it decays. use_lowprecision_moment and lazy_mode have no effect.
    """

    def __init__(self, learning_rate: Rate = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08,
                 parameters: Any = None, weight_decay: float = 0.01, use_lowprecision_moment: bool = False,
                 lr_ratio: Callable[[Tensor], float] | None = None,
                 apply_decay_param_fun: Callable[[str], bool] | None = None, grad_clip: Any = None,
                 lazy_mode: bool = False, multi_precision: bool = False, amsgrad: bool = False,
                 name: str | None = None):
        if lr_ratio is not None and not callable(lr_ratio):
            raise AssertionError(f"lr_ratio must be a function of a parameter, but got {type(lr_ratio).__name__}.")
        if apply_decay_param_fun is not None and not callable(apply_decay_param_fun):
            raise TypeError("apply_decay_param_fun must be a function of a parameter's name, but got "
                            f"{type(apply_decay_param_fun).__name__}.")
        self._multi_precision, self._lr_ratio = multi_precision, lr_ratio
        self._start(learning_rate, beta1, beta2, epsilon, parameters, weight_decay, grad_clip, name,
                    amsgrad=bool(amsgrad), apply_decay_param_fun=apply_decay_param_fun)

    def _set_decay(self, weight_decay: Any) -> None:
        self.regularization = None
        if isinstance(weight_decay, bool) or not isinstance(weight_decay, (int, float, Tensor)):
            raise TypeError(f"weight_decay of AdamW must be a float, but got {type(weight_decay).__name__}.")

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        decays = options["apply_decay_param_fun"]
        decay = float(options["weight_decay"]) if decays is None or decays(param.name) else 0.0
        return rules.Adam(*self._betas(options), amsgrad=options["amsgrad"], decay=decay)

    def _factor(self, param: Tensor) -> float:
        return super()._factor(param) * (float(self._lr_ratio(param)) if self._lr_ratio is not None else 1.0)

    def _regularizer(self, options: dict[str, Any], param: Tensor) -> WeightDecayRegularizer | None:
        return getattr(param, "regularizer", None)


class Adamax(_WithBetas):
    """Adam with the infinity norm in place of the second moment."""

    def __init__(self, learning_rate: Rate = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08,
                 parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None, name: str | None = None):
        self._start(learning_rate, beta1, beta2, epsilon, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Adamax(*self._betas(options))


class NAdam(_WithBetas):
    """Adam with Nesterov momentum on a schedule (Dozat). momentum_decay: how fast the schedule rises."""

    def __init__(self, learning_rate: Rate = 0.002, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08,
                 momentum_decay: float = 0.004, parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None,
                 name: str | None = None):
        self._start(learning_rate, beta1, beta2, epsilon, parameters, weight_decay, grad_clip, name,
                    momentum_decay=_number("momentum_decay", momentum_decay))

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.NAdam(*self._betas(options), momentum_decay=options["momentum_decay"])


class RAdam(_WithBetas):
    """Rectified Adam (Liu and others): plain momentum until the second moment can be trusted."""

    def __init__(self, learning_rate: Rate = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08,
                 parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None, name: str | None = None):
        self._start(learning_rate, beta1, beta2, epsilon, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.RAdam(*self._betas(options))


class Lamb(_WithBetas):
    """Adam with decoupled decay, each parameter's step scaled to its norm: for large batches (You and others).

    exclude_from_weight_decay_fn: a function of a parameter that tells whether it does not decay. always_adapt: scale
    the steps of those too.
    """

    def __init__(self, learning_rate: Rate = 0.001, lamb_weight_decay: float = 0.01, beta1: float = 0.9,
                 beta2: float = 0.999, epsilon: float = 1e-06, parameters: Any = None, grad_clip: Any = None,
                 exclude_from_weight_decay_fn: Callable[[Tensor], bool] | None = None, multi_precision: bool = False,
                 always_adapt: bool = False, name: str | None = None):
        self._multi_precision = multi_precision
        self._start(learning_rate, beta1, beta2, epsilon, parameters, None, grad_clip, name,
                    lamb_weight_decay=_number("lamb_weight_decay", lamb_weight_decay, float("-inf")),
                    always_adapt=bool(always_adapt), exclude_from_weight_decay_fn=exclude_from_weight_decay_fn)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        excluded = options["exclude_from_weight_decay_fn"]
        decay = 0.0 if excluded is not None and excluded(param) else float(options["lamb_weight_decay"])
        return rules.Lamb(*self._betas(options), decay=decay, always_adapt=options["always_adapt"])


class Rprop(Optimizer):
    """Steps by the gradient's sign alone, each element with a rate of its own; for full batches.

    learning_rate_range: the smallest and largest rate. etas: factors when the sign turns, and when it stays.
    """

    def __init__(self, learning_rate: Rate = 0.001, learning_rate_range: tuple[float, float] = (1e-5, 50),
                 parameters: Any = None, etas: tuple[float, float] = (0.5, 1.2), grad_clip: Any = None,
                 multi_precision: bool = False, name: str | None = None):
        low, high = learning_rate_range
        rate = learning_rate() if isinstance(learning_rate, LRScheduler) else learning_rate
        if learning_rate is None or not 0.0 < low <= rate <= high:
            raise ValueError("Rprop needs 0 < learning_rate_range[0] <= learning_rate <= learning_rate_range[1], but "
                             f"got {tuple(learning_rate_range)} and {rate}.")
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Rprop needs 0 < etas[0] < 1 < etas[1], but got {tuple(etas)}.")
        self._options = {"learning_rate_range": (float(low), float(high)), "etas": (float(etas[0]), float(etas[1]))}
        self._multi_precision = multi_precision
        super().__init__(learning_rate, parameters, None, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.Rprop(*options["learning_rate_range"], *options["etas"])


class ASGD(Optimizer):
    """Steps by the mean of the last gradients of all `batch_num` batches (stochastic average gradient)."""

    def __init__(self, learning_rate: Rate = 0.001, batch_num: int = 1, parameters: Any = None,
                 weight_decay: Any = None, grad_clip: Any = None, multi_precision: bool = False,
                 name: str | None = None):
        if batch_num is None or batch_num <= 0:
            raise ValueError(f"batch_num must be a positive integer, but got {batch_num}.")
        self._options = {"batch_num": int(batch_num)}
        self._multi_precision = multi_precision
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        return rules.ASGD(options["batch_num"])
