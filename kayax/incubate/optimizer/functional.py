"""Minimizing a function of a vector: BFGS and L-BFGS (Nocedal and Wright, Numerical Optimization, chapters 6, 7)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kayax.bridge.autograd import enable_grad, grad
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers.optimizer.line_search import Point, strong_wolfe


class _Search:
    """A quasi-Newton search: where it is, the value and the gradient there, and how often the function was called."""

    def __init__(self, objective: Callable[[Tensor], Tensor], start: Any, dtype: str, line_search_fn: str):
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be 'float32' or 'float64', but got {dtype!r}.")
        if line_search_fn != "strong_wolfe":
            raise NotImplementedError(f"line_search_fn must be 'strong_wolfe', but got {line_search_fn!r}.")
        array = start.storage.array if isinstance(start, Tensor) else jnp.asarray(start)
        if array.ndim != 1:
            raise ValueError(f"initial_position must have one dimension, but its shape is {list(array.shape)}.")
        self.objective, self.position = objective, array.astype(dtype)
        self.calls = 0
        self.value, self.gradient = self.evaluate(self.position)

    def evaluate(self, position: Any) -> tuple[float, Any]:
        """The function's value and gradient."""
        self.calls += 1
        x = wrap(position, False)
        with enable_grad():
            value = self.objective(x)
            found: Any = grad([value], [x])[0]
        return float(value), found.storage.array

    def run(self, direction: Callable[[], Any], learn: Callable[[Any, Any], None], max_iters: int,
            tolerance_grad: float, tolerance_change: float, max_looks: int, first_step: float) -> bool:
        """Go along `direction()` until it converges; ``learn(step, change of the gradient)`` after each step."""
        for _ in range(max_iters):
            along = direction()
            origin = self.position

            def look(step: float, origin: Any = origin, along: Any = along) -> Point:
                value, gradient = self.evaluate(origin + step * along)
                return Point(step, value, gradient, float(jnp.vdot(gradient, along)))

            start = Point(0.0, self.value, self.gradient, float(jnp.vdot(self.gradient, along)))
            size = float(jnp.abs(along).max())
            found, _ = strong_wolfe(look, start, first_step, size, 1e-8, max_looks)
            learn(found.step * along, found.gradient - self.gradient)
            self.position, self.value, self.gradient = origin + found.step * along, found.loss, found.gradient
            if float(jnp.abs(self.gradient).max()) < tolerance_grad or size < tolerance_change:
                return True
            if found.step == 0:
                return False
        return False

    def result(self, converged: bool) -> tuple[Tensor, ...]:
        """What Paddle gives: whether it converged, the calls, where it is, the value and the gradient there."""
        value = jnp.asarray(self.value, self.position.dtype)
        return (wrap(jnp.asarray([converged])), wrap(jnp.asarray([self.calls], jnp.int64)), wrap(self.position),
                wrap(value), wrap(self.gradient))


def _matrix(estimate: Any, size: int, dtype: Any) -> Any:
    if estimate is None:
        return jnp.eye(size, dtype=dtype)
    array = estimate.storage.array if isinstance(estimate, Tensor) else jnp.asarray(estimate)
    array = array.astype(dtype)
    if array.shape != (size, size) or not bool(jnp.allclose(array, array.T)) or not bool(
            jnp.isfinite(jnp.linalg.cholesky(array)).all()):
        raise ValueError("initial_inverse_hessian_estimate must be a symmetric positive definite matrix of the "
                         f"position's size {size}.")
    return array


def minimize_bfgs(objective_func: Callable[[Tensor], Tensor], initial_position: Any, max_iters: int = 50,
                  tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
                  initial_inverse_hessian_estimate: Any = None, line_search_fn: str = "strong_wolfe",
                  max_line_search_iters: int = 50, initial_step_length: float = 1.0, dtype: str = "float32",
                  name: str | None = None) -> tuple[Tensor, ...]:
    """Minimize a function of a vector by BFGS.

    Gives whether it converged, how often the function was called, the position, the value and the gradient there, and
    the estimate of the inverse Hessian.
    """
    search = _Search(objective_func, initial_position, dtype, line_search_fn)
    inverse = [_matrix(initial_inverse_hessian_estimate, search.position.size, search.position.dtype)]
    identity = jnp.eye(search.position.size, dtype=search.position.dtype)

    def learn(step: Any, change: Any) -> None:
        product = jnp.vdot(change, step)
        rho = jnp.where(product == 0, 1000.0, 1 / product)
        left = identity - rho * jnp.outer(step, change)
        inverse[0] = left @ inverse[0] @ left.T + rho * jnp.outer(step, step)

    converged = search.run(lambda: -inverse[0] @ search.gradient, learn, max_iters, tolerance_grad, tolerance_change,
                           max_line_search_iters, initial_step_length)
    return (*search.result(converged), wrap(inverse[0]))


def minimize_lbfgs(objective_func: Callable[[Tensor], Tensor], initial_position: Any, history_size: int = 100,
                   max_iters: int = 50, tolerance_grad: float = 1e-8, tolerance_change: float = 1e-8,
                   initial_inverse_hessian_estimate: Any = None, line_search_fn: str = "strong_wolfe",
                   max_line_search_iters: int = 50, initial_step_length: float = 1.0, dtype: str = "float32",
                   name: str | None = None) -> tuple[Tensor, ...]:
    """Minimize a function of a vector by L-BFGS, which remembers `history_size` steps.

    Gives whether it converged, how often the function was called, the position, and the value and the gradient there.
    """
    search = _Search(objective_func, initial_position, dtype, line_search_fn)
    start = _matrix(initial_inverse_hessian_estimate, search.position.size, search.position.dtype)
    history: list[tuple[Any, Any, Any]] = []

    def direction() -> Any:
        q, factors = search.gradient, []
        for step, change, rho in reversed(history):
            factors.append(rho * jnp.vdot(step, q))
            q = q - factors[-1] * change
        r = start @ q
        for (step, change, rho), factor in zip(history, reversed(factors), strict=True):
            r = r + step * (factor - rho * jnp.vdot(change, r))
        return -r

    def learn(step: Any, change: Any) -> None:
        product = jnp.vdot(change, step)
        history.append((step, change, jnp.where(product == 0, 1000.0, 1 / product)))
        del history[:-history_size]

    converged = search.run(direction, learn, max_iters, tolerance_grad, tolerance_change, max_line_search_iters,
                           initial_step_length)
    return search.result(converged)


__all__ = ["minimize_bfgs", "minimize_lbfgs"]
