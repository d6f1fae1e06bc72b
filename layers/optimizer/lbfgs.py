"""L-BFGS: a quasi-Newton method that evaluates the loss as often as it needs to."""
from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NoReturn

import jax.numpy as jnp

from kayax.bridge.autograd import enable_grad, no_grad
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.state import state as engine
from kayax.bridge.tensor import ZERO, Tensor, wrap
from kayax.layers.optimizer.line_search import Point, strong_wolfe
from kayax.layers.optimizer.optimizer import Optimizer

_TENSORS, _LISTS = ("d", "H_diag", "prev_flat_grad"), ("old_yk", "old_sk", "ro")


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5), on all parameters as one vector.

    ``step(closure)`` takes a function that clears the gradients, computes the loss, calls ``backward()`` on it and
    returns it. It makes up to `max_iter` iterations with up to `max_eval` evaluations (5/4 of `max_iter` if None).

    learning_rate: a float; a factor on each step, or the line search's first step. tolerance_grad: stop at a gradient
    without a larger element. tolerance_change: stop at a change of the parameters or the loss below this.
    history_size: how many past steps the curvature is estimated from. line_search_fn: None or "strong_wolfe".
    weight_decay and grad_clip have no effect, as in Paddle (a warning says so). Of several parameter groups all are
    optimized; Paddle takes the last alone. A step cannot be converted: how often it evaluates depends on values.
    """

    def __init__(self, learning_rate: float = 1.0, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None, parameters: Any = None, weight_decay: Any = None,
                 grad_clip: Any = None, name: str | None = None):
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError(f"line_search_fn must be None or 'strong_wolfe', but got {line_search_fn!r}.")
        if weight_decay is not None or grad_clip is not None:
            warnings.warn("LBFGS ignores weight_decay and grad_clip: add the decay to the loss that the closure gives.",
                          stacklevel=2)
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self.max_iter = max_iter
        self.max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        self.tolerance_grad, self.tolerance_change = tolerance_grad, tolerance_change
        self.history_size, self.line_search_fn = history_size, line_search_fn
        self.state: dict[str, Any] = defaultdict(dict)

    # ---- the parameters as one vector ------------------------------------------------------------------------

    def _gradient(self) -> Any:
        parts = []
        for p in self._parameter_list:
            grad = p._grad
            missing = grad is None or grad is ZERO
            parts.append(jnp.zeros(math.prod(p.shape), p.dtype.numpy) if missing else grad.storage.array.ravel())
        return jnp.concatenate(parts)

    def _values(self) -> Any:
        return jnp.concatenate([p.storage.array.ravel() for p in self._parameter_list])

    def _write(self, vector: Any) -> None:
        start = 0
        for p in self._parameter_list:
            old = p.storage.array
            p.storage.array = vector[start:start + old.size].reshape(old.shape).astype(old.dtype)
            start += old.size

    # ---- a step ----------------------------------------------------------------------------------------------

    @no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:           # type: ignore[override]
        """Minimize the loss that `closure` computes for some iterations; gives the loss before them."""
        if engine.trace is not None:
            raise ConversionError("LBFGS.step() computes the loss as often as its values demand, which a program "
                                  f"cannot express.{at_user_line()}\nKeep the function that calls it eager, and "
                                  "convert the model that the closure calls (`paddle.jit.to_static(model)`).")
        if not callable(closure):
            raise TypeError("LBFGS.step takes a function that clears the gradients, computes the loss, calls "
                            f"backward() on it and returns it, but got {type(closure).__name__}.")
        evaluate = enable_grad()(closure)
        held = self.state
        held.setdefault("func_evals", 0)
        held.setdefault("n_iter", 0)
        first = evaluate()
        loss, gradient, evaluations = float(first), self._gradient(), 1
        held["func_evals"] += 1
        if self._is_flat(gradient):
            return first
        for i in range(1, self.max_iter + 1):
            direction = self._direction(gradient)
            rate = self.get_lr()
            step = min(1.0, 1.0 / float(jnp.abs(gradient).sum())) * rate if held["n_iter"] == 1 else rate
            before = loss
            held.update(d=wrap(direction), alpha=step, prev_flat_grad=wrap(gradient), prev_loss=loss)
            slope = float(jnp.vdot(gradient, direction))
            if slope > -self.tolerance_change:
                break
            loss, gradient, step, more = self._advance(evaluate, Point(0.0, loss, gradient, slope), direction, step,
                                                       last=i == self.max_iter)
            held["alpha"] = step
            evaluations += more
            held["func_evals"] += more
            if (self._is_flat(gradient) or float(jnp.abs(direction).max()) * step <= self.tolerance_change
                    or abs(loss - before) < self.tolerance_change or evaluations >= self.max_eval):
                break
        return first

    def _is_flat(self, gradient: Any) -> bool:
        return float(jnp.abs(gradient).max()) <= self.tolerance_grad

    def _advance(self, evaluate: Callable[[], Tensor], start: Point, direction: Any, step: float,
                 last: bool) -> tuple[float, Any, float, int]:
        """Go along the direction: the loss and the gradient there, the step, and how often the loss was computed."""
        origin = self._values()

        def look(step: float) -> Point:
            self._write(origin + step * direction)
            loss = float(evaluate())
            gradient = self._gradient()
            return Point(step, loss, gradient, float(jnp.vdot(gradient, direction)))

        if self.line_search_fn is None:
            if last:                    # nobody would use the evaluation
                self._write(origin + step * direction)
                return start.loss, start.gradient, step, 0
            found, looks = look(step), 1
        else:
            found, looks = strong_wolfe(look, start, step, float(jnp.abs(direction).max()))
            self._write(origin + found.step * direction)
        return found.loss, found.gradient, found.step, looks

    def _direction(self, gradient: Any) -> Any:
        """Minus the gradient, times the estimated inverse Hessian."""
        held = self.state
        held["n_iter"] += 1
        if held["n_iter"] == 1:
            held.update(old_yk=[], old_sk=[], ro=[], H_diag=wrap(jnp.ones((), gradient.dtype)))
            return -gradient
        self._remember(gradient)
        y, s, ro = ([t.storage.array for t in held[name]] for name in _LISTS)
        factors = []
        q = -gradient
        for i in reversed(range(len(y))):
            factors.append(jnp.vdot(s[i], q) * ro[i])
            q = q - factors[-1] * y[i]
        r = q * held["H_diag"].storage.array
        for i, factor in enumerate(reversed(factors)):
            r = r + s[i] * (factor - jnp.vdot(y[i], r) * ro[i])
        return r

    def _remember(self, gradient: Any) -> None:
        """Add the last step to the history, if the loss is curved upwards along it."""
        held = self.state
        change = gradient - held["prev_flat_grad"].storage.array
        step = held["d"].storage.array * held["alpha"]
        product = jnp.vdot(change, step)
        if not float(product) > 1e-10:
            return
        for name, value in zip(_LISTS, (change, step, 1.0 / product), strict=True):
            held[name] = [*held[name], wrap(value)][-self.history_size:]
        held["H_diag"] = wrap(product / jnp.vdot(change, change))

    def minimize(self, loss: Any, startup_program: Any = None, parameters: Any = None,
                 no_grad_set: Any = None) -> NoReturn:
        """An error: LBFGS evaluates the loss itself. Use ``step(closure)``."""
        raise NotImplementedError("LBFGS computes the loss as often as it needs to: call step(closure), where closure "
                                  "clears the gradients, computes the loss, calls backward() and returns it.")

    # ---- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """``{"state": ...}``: the counts, the last step and the history of steps."""
        return {"state": dict(self.state)}

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self._outside("set_state_dict")
        given = state_dict.get("state") if isinstance(state_dict, dict) else None
        if not isinstance(given, dict):
            raise ValueError("LBFGS.set_state_dict takes the dict that state_dict() gave, with the entry 'state'.")
        new = {key: value for key, value in given.items() if key != "al"}
        new |= {key: _tensor(new[key]) for key in _TENSORS if new.get(key) is not None}
        new |= {key: [_tensor(v) for v in new[key]] for key in _LISTS if new.get(key) is not None}
        size = sum(math.prod(p.shape) for p in self._parameter_list)
        if "d" in new and math.prod(new["d"].shape) != size:
            raise ValueError(f"The state is of {math.prod(new['d'].shape)} parameters, but this optimizer has {size}.")
        if "alpha" in new:
            new["alpha"] = float(new["alpha"])
        self.state = defaultdict(dict, new)

    set_dict = load_state_dict = set_state_dict


def _tensor(value: Any) -> Tensor:
    return wrap(value.storage.array if isinstance(value, Tensor) else jnp.asarray(value))
