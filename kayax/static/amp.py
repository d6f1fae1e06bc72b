"""``paddle.static.amp``: mixed precision for programs. What a decorated optimizer minimizes runs under `auto_cast`."""
from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kayax.bridge.amp import WHITE, Policy, _policy
from kayax.bridge.graph import Graph, Instruction
from kayax.bridge.staging import suspended
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.layers import ops
from kayax.layers.grad_scaler import GradScaler
from kayax.spec import tree

_guarded: weakref.WeakKeyDictionary[Graph, list[Instruction]] = weakref.WeakKeyDictionary()


class AutoMixedPrecisionLists:
    """Names of operations to run in the low precision or in float32, besides the built-in lists of `auto_cast`.

    custom_black_varnames: operations that take a variable of these names run in float32, too.
    """

    def __init__(self, custom_white_list: Iterable[str] | None = None, custom_black_list: Iterable[str] | None = None,
                 custom_black_varnames: Iterable[str] | None = None, dtype: str = "float16"):
        self.white_list, self.black_list = frozenset(custom_white_list or ()), frozenset(custom_black_list or ())
        self.black_varnames, self.amp_dtype = frozenset(custom_black_varnames or ()), dtype
        both = self.white_list & self.black_list
        if both:
            raise ValueError(f"An operation cannot be on both lists: {', '.join(sorted(both))}.")

    def policy(self, level: str, dtype: str, promote: bool) -> Policy:
        """The policy of `auto_cast` with these lists."""
        return _policy(level, dtype, self.white_list, self.black_list, promote)


CustomOpLists = AutoMixedPrecisionLists


@contextlib.contextmanager
def fp16_guard() -> Iterator[None]:
    """With `use_fp16_guard`, only what is noted inside of it runs in the low precision."""
    graph = state.graph
    before = len(graph.instructions) if graph is not None else 0
    yield
    if graph is not None:
        _guarded.setdefault(graph, []).extend(graph.instructions[before:])


def _apply_policy(graph: Graph, lists: AutoMixedPrecisionLists, policy: Policy, guarded: bool = False) -> None:
    """Give the noted operations this policy, unless they have one: outside of guards and of black variables float32."""
    in_float32 = _policy("OD", policy.dtype, frozenset(), WHITE, True)
    inside = set(map(id, _guarded.get(graph, ()) if guarded else graph.instructions))
    for instruction in graph.instructions:
        if instruction.amp is None:
            leaves = tree.flatten((instruction.args, instruction.kwargs), lambda v: isinstance(v, Tensor))[0]
            black = any(t.name in lists.black_varnames for t in leaves)
            instruction.amp = policy if id(instruction) in inside and not black else in_float32


class OptimizerWithMixedPrecision:
    """An optimizer whose `minimize` lets the program run in mixed precision, and scales the loss if asked to."""

    def __init__(self, optimizer: Any, lists: AutoMixedPrecisionLists, policy: Policy | None, scaler: GradScaler,
                 guarded: bool):
        self._optimizer, self._lists, self._policy = optimizer, lists, policy
        self._scaler, self._only_guarded = scaler, guarded

    def __getattr__(self, name: str) -> Any:
        if name == "_optimizer":
            raise AttributeError(name)
        return getattr(self._optimizer, name)

    def get_loss_scaling(self) -> Tensor:
        """The present factor of the loss, 1 if it is not scaled."""
        with suspended():
            return self._scaler.scale(ops.ones([1], "float32"))

    def backward(self, loss: Tensor, startup_program: Any = None, parameter_list: Any = None, no_grad_set: Any = None,
                 callbacks: Any = None) -> list[tuple[Tensor, Any]]:
        """Note the gradients of the scaled loss, and give the pairs (parameter, scaled gradient)."""
        graph = _graph("backward")
        if self._policy is not None:
            _apply_policy(graph, self._lists, self._policy, self._only_guarded)
        scaled = graph.record(self._scaler.scale, (loss,), {}) if self._scaler.is_enable() else loss
        return graph.append_backward(scaled, parameter_list or self._optimizer._parameter_list or None, no_grad_set)

    def apply_gradients(self, params_grads: Sequence[tuple[Tensor, Any]]) -> list:
        """Note an update with these scaled gradients; it is left out where they overflow."""
        pairs = [(p, g) for p, g in params_grads if g is not None]
        if state.graph is not None:
            if not self._optimizer._parameter_list:
                self._optimizer._add_param_group({"params": [p for p, _ in pairs]})
            state.graph.apply(self, pairs)
            return []
        for parameter, gradient in pairs:           # as the program runs
            parameter.grad = gradient
        self._scaler.step(self._optimizer)
        self._scaler.update()
        for parameter, _ in pairs:
            parameter.grad = None
        return []

    def apply_optimize(self, loss: Tensor, startup_program: Any, params_grads: Sequence[tuple[Tensor, Any]]) -> list:
        """As `apply_gradients`."""
        return self.apply_gradients(params_grads)

    def minimize(self, loss: Tensor, startup_program: Any = None, parameter_list: Any = None,
                 no_grad_set: Any = None) -> tuple[list, list[tuple[Tensor, Any]]]:
        """`backward` and `apply_gradients`."""
        pairs = self.backward(loss, startup_program, parameter_list, no_grad_set)
        return self.apply_gradients(pairs), pairs

    def amp_init(self, place: Any = None, scope: Any = None, test_program: Any = None,
                 use_fp16_test: bool = False) -> None:
        """Let `test_program` run in the low precision, with `use_fp16_test`. Parameters are float32 and stay so: they
        are cast where they are used."""
        if test_program is not None and use_fp16_test and self._policy is not None:
            _apply_policy(test_program.graph, self._lists, self._policy)


def _graph(name: str) -> Graph:
    if state.graph is None:
        raise RuntimeError(f"static.amp's {name} adds to a program, and static mode is off. Call paddle.enable_static()"
                           " first, or use paddle.amp.auto_cast and GradScaler.")
    return state.graph


def decorate(optimizer: Any, amp_lists: AutoMixedPrecisionLists | None = None, level: str = "O1",
             dtype: str = "float16", master_weight: bool | None = None, master_grad: bool = False,
             init_loss_scaling: float | None = None, incr_every_n_steps: int = 2000, decr_every_n_nan_or_inf: int = 2,
             incr_ratio: float = 2.0, decr_ratio: float = 0.8, use_dynamic_loss_scaling: bool | None = None,
             use_amp_guard: bool = False, use_promote: bool = False, *, use_pure_fp16: bool = False,
             use_fp16_guard: bool | None = None, use_bf16: bool = False) -> OptimizerWithMixedPrecision:
    """An optimizer for mixed precision in static mode.

    level, dtype, use_promote: as of `paddle.amp.auto_cast`, with the lists `amp_lists`. Under float16 the loss is
    scaled by a factor that follows overflows, unless `use_dynamic_loss_scaling` is False (see `paddle.amp.GradScaler`).
    use_amp_guard or use_fp16_guard: only what is noted inside of `fp16_guard` runs in the low precision.
    use_pure_fp16: level "O2". use_bf16: dtype "bfloat16". master_weight, master_grad: accepted; parameters are float32
    in any case.
    """
    level, dtype = "O2" if use_pure_fp16 else level, "bfloat16" if use_bf16 else dtype
    if level not in ("O0", "OD", "O1", "O2"):
        raise ValueError(f"level must be 'O0', 'OD', 'O1' or 'O2', but got {level!r}.")
    if dtype not in ("float16", "bfloat16"):
        raise ValueError(f"dtype must be 'float16' or 'bfloat16', but got {dtype!r}.")
    lists = amp_lists or AutoMixedPrecisionLists(dtype=dtype)
    scaled = level != "O0" and (dtype == "float16" or bool(use_dynamic_loss_scaling) or init_loss_scaling is not None)
    scaler = GradScaler(scaled, 2.0 ** 16 if init_loss_scaling is None else init_loss_scaling, incr_ratio, decr_ratio,
                        incr_every_n_steps, decr_every_n_nan_or_inf,
                        dtype == "float16" if use_dynamic_loss_scaling is None else use_dynamic_loss_scaling)
    policy = None if level == "O0" else lists.policy(level, dtype, use_promote)
    return OptimizerWithMixedPrecision(optimizer, lists, policy, scaler, bool(use_amp_guard or use_fp16_guard))


__all__ = ["AutoMixedPrecisionLists", "CustomOpLists", "OptimizerWithMixedPrecision", "decorate", "fp16_guard"]
