"""Optimizers that average weights: LookAhead, ModelAverage."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from kayax.bridge.cells import Storage, run_update
from kayax.bridge.state import outside_traces, state
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers.optimizer import Optimizer


@dataclass(frozen=True)
class _Interpolation:
    """Of a step: parameters, slow weights and the count of steps, in turn, to what they are afterwards."""

    alpha: float
    k: int

    def __call__(self, written: Sequence[Any], read: Any, grads: Any) -> list[Any]:
        *both, count = written
        n = len(both) // 2
        count = count + 1
        news, slows = [], []
        for fast, slow in zip(both[:n], both[n:], strict=True):
            slow = jnp.where(count == 1, fast, slow)
            mixed = (self.alpha * fast + (1.0 - self.alpha) * slow).astype(fast.dtype)
            due = count % self.k == 0
            news.append(jnp.where(due, mixed, fast))
            slows.append(jnp.where(due, mixed, slow))
        return [*news, *slows, count]


class LookAhead(Optimizer):
    """Every `k` steps of `inner_optimizer`, go back part of the way (Zhang, Lucas, Hinton and Ba, 2019).

    Slow weights follow the parameters by the share `alpha`, and become the parameters.
    """

    def __init__(self, inner_optimizer: Optimizer, alpha: float = 0.5, k: int = 5, name: str | None = None):
        if not isinstance(inner_optimizer, Optimizer):
            raise AssertionError(f"inner_optimizer must be an Optimizer, but got {type(inner_optimizer).__name__}.")
        if not 0.0 <= alpha <= 1.0:
            raise AssertionError(f"alpha must be in [0, 1], but got {alpha}.")
        if not isinstance(k, int) or k <= 0:
            raise AssertionError(f"k must be a positive int, but got {k!r}.")
        super().__init__(float(alpha), inner_optimizer._parameter_list, name=name)
        self.inner_optimizer, self.alpha, self.k = inner_optimizer, alpha, k
        self._update = _Interpolation(float(alpha), k)
        with outside_traces():
            self._slow = [Storage(jnp.zeros_like(p.storage.array)) for p in self._parameter_list]
            self._count = Storage(jnp.zeros((), jnp.int32))

    def step(self) -> None:
        """A step of the inner optimizer; every `k`-th time the slow weights follow."""
        self.inner_optimizer.step()
        chosen = [(p.storage, slow) for p, slow in zip(self._parameter_list, self._slow, strict=True)
                  if not p.stop_gradient and p.grad is not None]
        run_update(self._update, [*(p for p, _ in chosen), *(slow for _, slow in chosen), self._count], [], [])

    def get_lr(self) -> float:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.get_lr()

    def set_lr(self, value: float) -> None:
        """Set the learning rate of the inner optimizer."""
        self.inner_optimizer.set_lr(value)

    def minimize(self, loss: Tensor, startup_program: Any = None, parameters: Any = None,
                 no_grad_set: Any = None) -> tuple[list, list[tuple[Tensor, Any]]]:
        """A step with the gradients that ``loss.backward()`` has left."""
        pairs = self.backward(loss, startup_program, parameters, no_grad_set)
        self.step()
        return [], pairs

    def state_dict(self) -> dict[str, Any]:
        """The state of the inner optimizer, the slow weights and the count of steps."""
        own = {f"{p.name}_slow_0": wrap(s.array) for p, s in zip(self._parameter_list, self._slow, strict=True)}
        return {**self.inner_optimizer.state_dict(), **own, "lookahead_step": wrap(self._count.array)}

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self._outside("set_state_dict")
        rest = dict(state_dict)
        for p, slow in zip(self._parameter_list, self._slow, strict=True):
            slow.array = jnp.asarray(rest.pop(f"{p.name}_slow_0"), slow.array.dtype)
        self._count.array = jnp.asarray(rest.pop("lookahead_step"), jnp.int32).reshape(())
        self.inner_optimizer.set_state_dict(rest)

    set_dict = load_state_dict = set_state_dict


_MANY = 16384           # so many parameters are added up before their sum is moved on, for accuracy


@dataclass(frozen=True)
class _Accumulation:
    """Of a parameter: three sums and three counts, in turn, to what they are afterwards. `read` holds the parameter."""

    rate: float
    shortest: int
    longest: int

    def __call__(self, written: Sequence[Any], read: Sequence[Any], grads: Any) -> list[Any]:
        found: list[Any] = []
        for i, param in enumerate(read):
            found += self._one(written[6 * i:6 * i + 6], param)
        return found

    def _one(self, kept: Sequence[Any], param: Any) -> list[Any]:
        now, moved, past, count, past_count, updates = kept
        updates, count = updates + 1, count + 1
        now = now + param
        full = updates % _MANY == 0
        now, moved = jnp.where(full, 0, now), jnp.where(full, moved + now, moved)
        window = jnp.minimum(self.longest, (updates * self.rate).astype(count.dtype))
        over = (count >= self.shortest) & (count >= window)
        past, past_count = jnp.where(over, now + moved, past), jnp.where(over, count, past_count)
        now, moved, count = (jnp.where(over, 0, value) for value in (now, moved, count))
        return [now, moved, past, count, past_count, updates]


class ModelAverage(Optimizer):
    """Keeps averages of parameters that another optimizer trains: call `step` after its steps, and `apply` to use them.

    The average is over the last steps, `average_window_rate` times as many as there were, at least
    `min_average_window` and at most `max_average_window`.
    """

    def __init__(self, average_window_rate: float, parameters: Any = None, min_average_window: int = 10000,
                 max_average_window: int = 10000, name: str | None = None):
        super().__init__(0.0, parameters, name=name)
        self.average_window = average_window_rate
        self.min_average_window, self.max_average_window = min_average_window, max_average_window
        self._update = _Accumulation(float(average_window_rate), min_average_window, max_average_window)
        with outside_traces():
            self._kept = [_slots(p) for p in self._parameter_list]
        self._before: list[Any] | None = None

    def step(self) -> None:
        """Take in the parameters that have a gradient."""
        chosen = [(p, kept) for p, kept in zip(self._parameter_list, self._kept, strict=True)
                  if not p.stop_gradient and p.grad is not None]
        run_update(self._update, [cell for _, kept in chosen for cell in kept], [p.storage for p, _ in chosen], [])

    def minimize(self, loss: Tensor, startup_program: Any = None, parameters: Any = None,
                 no_grad_set: Any = None) -> tuple[list, list]:
        """The same as `step`."""
        self.step()
        return [], []

    @contextlib.contextmanager
    def apply(self, executor: Any = None, need_restore: bool = True) -> Iterator[None]:
        """Inside the block the parameters are their averages; afterwards what they were, with `need_restore`."""
        if state.trace is not None:
            self._outside("apply")
        self._before = [p.storage.array for p in self._parameter_list]
        for p, (now, moved, past, count, past_count, _) in zip(self._parameter_list, self._kept, strict=True):
            total = int(count.array) + int(past_count.array)
            if total:
                average = (now.array + moved.array + past.array) / total
                p.storage.array = average.astype(p.storage.array.dtype)
        try:
            yield
        finally:
            if need_restore:
                self.restore()

    def restore(self, executor: Any = None) -> None:
        """Make the parameters what they were before `apply`."""
        if self._before is None:
            raise RuntimeError("restore() undoes apply(), which was not called.")
        for p, array in zip(self._parameter_list, self._before, strict=True):
            p.storage.array = array
        self._before = None

    def state_dict(self) -> dict[str, Any]:
        """The sums and counts of every parameter."""
        return {f"{p.name}_{name}_0": wrap(cell.array) for p, kept in zip(self._parameter_list, self._kept, strict=True)
                for name, cell in zip(_SLOTS, kept, strict=True)}

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self._outside("set_state_dict")
        for p, kept in zip(self._parameter_list, self._kept, strict=True):
            for name, cell in zip(_SLOTS, kept, strict=True):
                value = jnp.asarray(state_dict[f"{p.name}_{name}_0"], cell.array.dtype)
                cell.array = value.reshape(cell.array.shape)

    set_dict = load_state_dict = set_state_dict


_SLOTS = ("sum_1", "sum_2", "sum_3", "num_accumulates", "old_num_accumulates", "num_updates")


def _slots(param: Tensor) -> list[Storage]:
    array = param.storage.array
    sums = [Storage(jnp.zeros(array.shape, jnp.promote_types(array.dtype, jnp.float32))) for _ in range(3)]
    return sums + [Storage(jnp.zeros((), jnp.int64)) for _ in range(3)]
