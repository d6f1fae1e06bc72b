"""The optimizer: parameters, their slots and the learning rate as cells, and one compiled program for a step."""
from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from kayax.bridge.cells import Storage, run_update
from kayax.bridge.errors import ArgumentError, ConversionError, at_user_line
from kayax.bridge.state import bump, outside_traces, state
from kayax.bridge.tensor import ZERO, Tensor
from kayax.bridge.told import ToldDict, ToldList
from kayax.layers.optimizer import state_dict as states
from kayax.layers.optimizer.clip import ClipGradBase
from kayax.layers.optimizer.groups import groups_of, regularizer_of
from kayax.layers.optimizer.lr_base import LRScheduler
from kayax.layers.optimizer.plan import PLAIN, Custom, Plan, copied, facts_of
from kayax.layers.optimizer.regularizer import WeightDecayRegularizer
from kayax.layers.optimizer.rules import Rule
from kayax.layers.optimizer.slots import Keeper, Kept
from kayax.layers.optimizer.update import Part, Update

_GUARDED = {"_grad_clip", "_param_groups", "_parameter_list"}


class _Given:
    """Keeps what an object was made with, for files of programs; not in its class, whose signature is `__init__`'s."""

    _given: tuple[tuple, dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        made._given = args, kwargs
        return made


class Optimizer(_Given):
    """The base of all optimizers: the rule of a subclass, applied to every parameter that has a gradient.

    learning_rate: a float, or a scheduler of `paddle.optimizer.lr`.
    parameters: the Parameters, or a list of dicts, each a group: "params" and what differs for them, "learning_rate" (a
        factor on the learning rate), "weight_decay", "grad_clip", and the optimizer's own options.
    weight_decay: a float (L2) or a regularizer; a parameter's own regularizer goes before it.
    grad_clip: how gradients are limited before everything else, group by group.
    name: accepted as in Paddle, no effect.
    """

    def __init__(self, learning_rate: Any, parameters: Any = None, weight_decay: Any = None, grad_clip: Any = None,
                 name: str | None = None):
        self._defaults = {"weight_decay": weight_decay, "grad_clip": grad_clip, **getattr(self, "_options", {})}
        self._check_grad_clip(grad_clip)
        self._set_decay(weight_decay)
        self._name = name
        self._multi_precision = getattr(self, "_multi_precision", False)
        self._grad_clip = grad_clip
        self._param_groups: list[dict[str, Any]] = ToldList()
        self._parameter_list: list[Tensor] = ToldList()
        self._group_of: list[int] = []
        for group in groups_of(parameters):
            self._add_param_group(group)
        self._keeper = Keeper()
        self._plans: dict[Any, Plan] = {}
        self._version = 0
        self._start_lr(learning_rate)

    def __getattr__(self, name: str) -> Any:
        """The optimizer's own options are attributes, as in Paddle: `_momentum`, `_beta1` ..."""
        options = self.__dict__.get("_options", {})
        if name.startswith("_") and name[1:] in options:
            return options[name[1:]]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        option = name[1:]
        if option not in self.__dict__.get("_options", ()) or not name.startswith("_") or "_defaults" not in vars(self):
            super().__setattr__(name, value)
            if name in _GUARDED:
                bump()
            return
        for options in (*self._param_groups, self._options):        # of the groups, those that have no other one
            if options[option] == self._defaults[option]:
                options[option] = value
        self._defaults[option] = value

    # ---- the learning rate -----------------------------------------------------------------------------------

    def _start_lr(self, learning_rate: Any) -> None:
        if learning_rate is None:
            raise ArgumentError(f"{type(self).__name__} needs a learning_rate: a float or an LRScheduler.")
        if isinstance(learning_rate, bool) or not isinstance(learning_rate, (float, int, LRScheduler)):
            raise TypeError("learning_rate must be a float or an LRScheduler, but got "
                            f"{type(learning_rate).__name__}.")
        self._lr_watched = False
        wide = any(p.storage.array.dtype == np.float64 for p in self._parameter_list)
        self._lr_dtype = np.float64 if wide else np.float32
        with outside_traces():
            self._lr_cell = Storage(np.zeros((), self._lr_dtype))
        self._lr_value: float | None = None
        self._use_lr(learning_rate if isinstance(learning_rate, LRScheduler) else float(learning_rate))

    def _use_lr(self, learning_rate: float | LRScheduler) -> None:
        old = getattr(self, "_learning_rate", None)
        if isinstance(old, LRScheduler):
            old._listeners.discard(self)
        self._learning_rate = learning_rate
        if isinstance(learning_rate, LRScheduler):
            learning_rate._listeners.add(self)
            self._receive_lr(learning_rate())
        else:
            self._receive_lr(learning_rate)

    def _receive_lr(self, value: float) -> None:
        """Take over a learning rate: into the cell that programs read."""
        if value == self._lr_value:
            return
        self._lr_value = value
        self._lr_cell.array = np.asarray(value, self._lr_dtype)
        if self._lr_watched:
            bump()

    def get_lr(self) -> float:
        """The learning rate now."""
        if state.trace is not None:
            self._lr_watched = True
            me = weakref.ref(self)
            state.trace.guard((id(self), "get_lr"), "the optimizer's get_lr()", lambda: _lr_of(me()), _lr_of(self))
        return _lr_of(self)

    def set_lr(self, value: float) -> None:
        """Set the learning rate. With a scheduler it is an error: change the scheduler instead."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"set_lr takes a float, but got {type(value).__name__}.")
        if isinstance(self._learning_rate, LRScheduler):
            raise RuntimeError("This optimizer's learning rate is set by a scheduler, which would overwrite the value. "
                               "Use set_lr_scheduler, or step the scheduler.")
        self._outside("set_lr")
        self._use_lr(float(value))

    def set_lr_scheduler(self, scheduler: LRScheduler) -> None:
        """Let a scheduler set the learning rate from now on."""
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(f"set_lr_scheduler takes an LRScheduler, but got {type(scheduler).__name__}.")
        self._outside("set_lr_scheduler")
        self._use_lr(scheduler)

    def _outside(self, method: str) -> None:
        if state.trace is not None:
            raise ConversionError(
                f"{type(self).__name__}.{method}() was called inside a function that is being converted. It would "
                f"run once, and never again when the program runs.{at_user_line()}\n"
                "Call it outside of the converted function.")

    # ---- parameters and their options ------------------------------------------------------------------------

    def _add_param_group(self, group: dict[str, Any]) -> None:
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        index = len(self._param_groups)
        known = {id(p): g for p, g in zip(self._parameter_list, self._group_of, strict=True)}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"parameters must be Tensors, but one of them is a {type(p).__name__}.")
            if known.get(id(p), index) != index:
                raise ValueError(f"The parameter {p.name} appears in more than one parameter group.")
            if id(p) in known:
                warnings.warn(f"The parameter {p.name} was given twice; it is updated once in a step.", stacklevel=4)
                continue
            known[id(p)] = index
            self._parameter_list.append(p)
            self._group_of.append(index)
            if "learning_rate" in group:
                factor = float(group["learning_rate"])
                p.optimize_attr = {**getattr(p, "optimize_attr", PLAIN), "learning_rate": factor}
        options = {**self._defaults, **{k: v for k, v in group.items() if k != "params"}}
        self._check_grad_clip(options["grad_clip"])
        self._set_decay(options["weight_decay"])
        self._param_groups.append(ToldDict({"params": params, **options}))

    @staticmethod
    def _check_grad_clip(grad_clip: Any) -> None:
        if grad_clip is not None and not isinstance(grad_clip, ClipGradBase):
            raise TypeError("grad_clip must be a ClipGradByValue, ClipGradByNorm or ClipGradByGlobalNorm, but got "
                            f"{type(grad_clip).__name__}.")

    def _set_decay(self, weight_decay: Any) -> None:
        self.regularization = regularizer_of(weight_decay)

    def _rule(self, options: dict[str, Any], param: Tensor) -> Rule:
        """The rule for one parameter of a group with these options: to be written by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no update rule.")

    def _factor(self, param: Tensor) -> float:
        return float(getattr(param, "optimize_attr", PLAIN)["learning_rate"])

    def _regularizer(self, options: dict[str, Any], param: Tensor) -> WeightDecayRegularizer | None:
        own = getattr(param, "regularizer", None)
        return own if own is not None else regularizer_of(options["weight_decay"])

    # ---- a step ----------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        params, grads = [], []
        if state.trace is None:
            for p in self._parameter_list:
                grad = p._grad
                if grad is not None and not p._stop_gradient:
                    params.append(p)
                    grads.append(grad if grad is not ZERO else p.grad)
        else:
            for p in self._parameter_list:
                if not p.stop_gradient and p.grad is not None:
                    params.append(p)
                    grads.append(p.grad)
        if params:
            self._apply(params, grads)

    def _apply(self, params: list[Tensor], grads: list[Any]) -> None:
        if isinstance(self._learning_rate, LRScheduler) and state.trace is None:
            self._receive_lr(self._learning_rate())     # a scheduler may override __call__ itself
        facts = facts_of(params, self._param_groups, self._grad_clip)
        key = tuple([id(p) for p in params])
        plan = self._plans.get(key)
        if plan is None or plan.facts != facts:
            plan = self._plans[key] = self._plan(params, copied(facts))
        if state.trace is not None:
            me, version = weakref.ref(self), self._version
            state.trace.guard((id(self), "version"), f"the state of {type(self).__name__}",
                              lambda: getattr(me(), "_version", None), version)
            state.trace.guard((id(self), "settings"), f"the settings of {type(self).__name__}",
                              lambda: getattr(me(), "_settings", int)(), copied(self._settings()))
        for custom in plan.custom:
            grads = custom(params, grads)
        run_update(plan.update, [*[p.storage for p in params], *plan.cells], [self._lr_cell], grads)

    def _settings(self) -> tuple:
        """The parameters, and what a user may change of them and of the options."""
        params = self._parameter_list
        return [*map(id, params)], facts_of(params, self._param_groups, self._grad_clip)

    def _plan(self, params: list[Tensor], facts: tuple) -> Plan:
        """Everything about a step of these parameters that does not change from step to step."""
        index = {id(p): i for i, p in enumerate(self._parameter_list)}
        groups = [self._group_of[index[id(p)]] for p in params]
        options = [self._param_groups[g] for g in groups]
        with outside_traces():
            kept = [self._keep(p, o) for p, o in zip(params, options, strict=True)]
        if self._keeper.divide(kept):
            self._plans.clear()
            self._version += 1
            bump()
        clocks = {id(k.clock): i for i, k in reversed(list(enumerate(kept)))}
        clips = [self._clip_of(g) for g in range(len(self._param_groups))]
        parts = [Part(k.rule, self._factor(p), self._regularizer(o, p), clocks[id(k.clock)], k.master is not None,
                      float(o.get("rescale_grad", 1.0)), g if getattr(p, "need_clip", True) else None)
                 for p, k, o, g in zip(params, kept, options, groups, strict=True)]
        cells = [k.master for k in kept if k.master is not None]
        cells += [cell for k in kept for cell in k.slots.values()]
        seen = {id(k.clock): k.clock for k in kept}
        cells += [cell for clock in seen.values() for cell in clock.cells.values()]
        update = Update(parts, [c if c is not None and c.is_pure else None for c in clips])
        custom = [Custom(c, g, groups) for g, c in enumerate(clips) if c is not None and not c.is_pure]
        return Plan(facts, update, cells, custom)

    def _clip_of(self, group: int) -> ClipGradBase | None:
        given = self._param_groups[group]["grad_clip"]
        return self._grad_clip if given is self._defaults["grad_clip"] else given

    def _keep(self, param: Tensor, options: dict[str, Any]) -> Kept:
        return self._keeper.of(param, self._rule(options, param), self._lr_value, self._multi_precision)

    def minimize(self, loss: Tensor, startup_program: Any = None, parameters: Any = None,
                 no_grad_set: Any = None) -> tuple[list, list[tuple[Tensor, Any]]]:
        """Update the parameters (or those given) with the gradients that ``loss.backward()`` has left.

        As in Paddle it does not run backward itself. startup_program has no effect.
        """
        if not isinstance(loss, Tensor):
            raise AssertionError(f"minimize takes the loss as a Tensor, but got {type(loss).__name__}.")
        if state.graph is not None:
            if not all(isinstance(n, int) and n == 1 for n in loss.storage.array.shape):
                raise AssertionError(f"minimize needs a loss with one element, but its shape is {loss.shape!r}.")
            pairs = self.backward(loss, startup_program, parameters, no_grad_set)
            self.apply_gradients(pairs)
            return [], pairs
        pairs = self.backward(loss, startup_program, parameters, no_grad_set)
        return self.apply_gradients(pairs), pairs

    def backward(self, loss: Tensor, startup_program: Any = None, parameters: Any = None, no_grad_set: Any = None,
                 callbacks: Any = None) -> list[tuple[Tensor, Any]]:
        """The pairs (parameter, gradient) of the parameters (or those given) that have a gradient."""
        if state.graph is not None:
            chosen = parameters if parameters is not None else self._parameter_list or None
            return state.graph.append_backward(loss, chosen, no_grad_set)
        left_out = {id(p) for p in no_grad_set or ()} | {p for p in no_grad_set or () if isinstance(p, str)}
        chosen = self._parameter_list if parameters is None else parameters
        return [(p, p.grad) for p in chosen
                if not p.stop_gradient and id(p) not in left_out and p.name not in left_out and p.grad is not None]

    def apply_gradients(self, params_grads: Iterable[tuple[Tensor, Any]]) -> list:
        """Update parameters with these gradients: pairs (parameter, gradient), all parameters of this optimizer."""
        pairs = [(p, g) for p, g in params_grads if g is not None]
        if state.graph is not None:
            if not self._parameter_list:                # in a static graph its parameters are those of the graph
                self._add_param_group({"params": [p for p, _ in pairs]})
            state.graph.apply(self, pairs)
            return []
        mine = {id(p) for p in self._parameter_list}
        for p, _ in pairs:
            if id(p) not in mine:
                raise ValueError(f"{p.name} is not one of this optimizer's parameters.")
        if pairs:
            self._apply([p for p, _ in pairs], [g for _, g in pairs])
        return []

    def clear_grad(self, set_to_zero: bool = True) -> None:
        """Forget all gradients: they read as zeros afterwards, or as None with ``set_to_zero=False``."""
        if state.trace is not None:
            for p in self._parameter_list:
                if not p.stop_gradient:
                    p.clear_gradient(set_to_zero)
            return
        empty = ZERO if set_to_zero else None
        for p in self._parameter_list:
            if p._grad is not None and not p._stop_gradient:
                p._grad = empty

    clear_gradients = zero_grad = clear_grad

    def _parameter_list_flat(self) -> list[Tensor]:
        """The parameters of all groups."""
        return self._parameter_list

    # ---- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on from here: Paddle's names and shapes, "master_weights" and "LR_Scheduler"."""
        return states.state_dict(self)

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, of this package or of Paddle. Parameters are found by their names."""
        self._outside("set_state_dict")
        states.set_state_dict(self, state_dict)
        self._plans.clear()
        self._version += 1
        bump()

    set_dict = load_state_dict = set_state_dict

    def get_opti_var_name_list(self) -> list[str]:
        """The names of the entries of the state."""
        return [key for key in self.state_dict() if key not in ("master_weights", "LR_Scheduler")]


def _lr_of(optimizer: Any) -> Any:
    if optimizer is None:
        return None
    rate = optimizer._learning_rate
    return rate() if isinstance(rate, LRScheduler) else rate
