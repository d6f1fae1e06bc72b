"""A call: an operation with its Python arguments fixed, compiled; and the gradient of a call, which is a call again."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp


def is_inexact(array: Any) -> bool:
    """Whether gradients exist for this array (floating or complex, bfloat16 included)."""
    return array.dtype.kind in "fcV"


class Call:
    """A pure function ``fn(*arrays) -> array or tuple of arrays`` with its compiled forward and its gradients.

    `residuals` says what the backward program starts from: False, the inputs (XLA drops what of the forward it does
    not need: right for small operations); True, what `jax.vjp` saved (right for heavy ones). `folds` says whether it
    may be run while a program is made, of inputs that are known then (`kayax.bridge.known`): "values", or "shape" if it
    needs no more than their shapes; it must close over no tracer.
    """

    __slots__ = ("fn", "name", "forward", "random", "folds", "_gradients", "_saving", "residuals", "_needed")

    def __init__(self, fn: Callable, name: str, random: bool = False, residuals: bool = False, folds: str = ""):
        self.fn, self.name, self.random, self.residuals, self.folds = fn, name, random, residuals, folds
        self.forward = jax.jit(fn)
        self._gradients: dict[Any, Call] = {}
        self._saving: dict[Any, Saving] = {}
        self._needed: dict[Any, list[bool]] = {}

    def needed(self, wanted: tuple[bool, ...], arrays: Sequence[Any]) -> list[bool]:
        """For each input, whether the gradient depends on its value: a product's does, a sum's does not."""
        avals = tuple([jax.ShapeDtypeStruct(jnp.shape(a), jnp.result_type(a)) for a in arrays])
        found = self._needed.get((wanted, avals))
        if found is None:
            found = self._needed[wanted, avals] = _inputs_used(self, wanted, avals)
        return found

    def gradient(self, wanted: tuple[bool, ...], given: tuple[bool, ...]) -> Call:
        """The call (*inputs, *cotangents that are given) -> the gradients of the inputs that are wanted."""
        call = self._gradients.get((wanted, given))
        if call is None:
            fn = functools.partial(_pullback, self.fn, wanted, given)
            call = self._gradients[wanted, given] = Call(fn, f"{self.name}_grad")
        return call

    def saving(self, wanted: tuple[bool, ...], avals: tuple) -> Saving:
        """The pair of programs that computes outputs and residuals, and gradients from residuals."""
        pair = self._saving.get((wanted, avals))
        if pair is None:
            pair = self._saving[wanted, avals] = Saving(self.fn, wanted)
        return pair


def _inputs_used(call: Call, wanted: tuple[bool, ...], avals: tuple) -> list[bool]:
    """Which inputs of the gradient's program reach its outputs, walking its equations backwards."""
    outs = jax.eval_shape(call.fn, *avals)
    flat = outs if isinstance(outs, (tuple, list)) else (outs,)
    given = tuple(is_inexact(o) for o in flat)
    cotangents = [jax.ShapeDtypeStruct(o.shape, o.dtype) for o in flat if is_inexact(o)]
    jaxpr = jax.make_jaxpr(call.gradient(wanted, given).fn)(*avals, *cotangents).jaxpr
    live = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    for eqn in reversed(jaxpr.eqns):
        if any(v in live for v in eqn.outvars):
            live.update(v for v in eqn.invars if not hasattr(v, "val"))
    return [v in live for v in jaxpr.invars[:len(avals)]]


def split_vjp(fn: Callable, wanted: Sequence[bool], arrays: Sequence[Any]) -> tuple[Any, Callable]:
    """`jax.vjp` of `fn` with respect to the wanted arrays only, for cotangents of its inexact outputs only.

    (JAX's zero cotangents of integers are NumPy arrays, which have no open sizes.)
    """
    def of_wanted(*some: Any) -> tuple[list[Any], Any]:
        rest = iter(some)
        outs = fn(*(next(rest) if w else a for w, a in zip(wanted, arrays, strict=True)))
        return [o for o in (outs if isinstance(outs, (tuple, list)) else (outs,)) if is_inexact(o)], outs

    _, vjp, outs = jax.vjp(of_wanted, *(a for w, a in zip(wanted, arrays, strict=True) if w), has_aux=True)
    return outs, vjp


def pull_back(vjp: Callable, outs: Any, given: Sequence[bool], cotangents: Sequence[Any]) -> tuple:
    """Apply what `split_vjp` gave to the cotangents that arrived (`given` says for which outputs).

    Missing ones are zeros. A complex gradient is ``dL/dRe + i dL/dIm``, as in Paddle: the conjugate of JAX's, on the
    way in and on the way out.
    """
    rest = iter(cotangents)
    full = []
    for out, has in zip(outs if isinstance(outs, (tuple, list)) else (outs,), given, strict=True):
        cotangent = next(rest) if has else None
        if not is_inexact(out):
            continue
        if cotangent is None:
            cotangent = jnp.zeros(out.shape, out.dtype)
        else:
            cotangent = cotangent.astype(out.dtype) if cotangent.dtype != out.dtype else cotangent
            cotangent = _conjugate(cotangent)
        full.append(cotangent)
    return tuple([_conjugate(g) for g in vjp(full)])


def _conjugate(array: Any) -> Any:
    return jnp.conj(array) if array.dtype.kind == "c" else array


def _pullback(fn: Callable, wanted: tuple[bool, ...], given: tuple[bool, ...], *arrays: Any) -> tuple:
    inputs, cotangents = arrays[:len(wanted)], arrays[len(wanted):]
    outs, vjp = split_vjp(fn, wanted, inputs)
    return pull_back(vjp, outs, given, cotangents)


class Saving:
    """`fn` compiled together with what its gradient needs, for one set of shapes.

    The residuals leave the forward program as outputs. An output never shares memory with an input, so those residuals
    that *are* inputs (a matmul's weight) stay behind and are put back when the gradient is computed.
    """

    def __init__(self, fn: Callable, wanted: tuple[bool, ...], donate: tuple[int, ...] = (),
                 compiler_options: dict[str, Any] | None = None):
        self.fn, self.wanted, self.donated = fn, wanted, frozenset(donate)
        self.options = compiler_options
        self.forward = jax.jit(self._forward, donate_argnums=donate, compiler_options=compiler_options)
        self._backward: dict[tuple[bool, ...], Callable] = {}

    def _forward(self, *arrays: Any) -> tuple[Any, list[Any]]:
        outs, vjp = split_vjp(self.fn, self.wanted, arrays)
        leaves, self.tree = jax.tree.flatten(vjp)
        position = {id(a): i for i, a in enumerate(arrays) if i not in self.donated}
        self.source = [position.get(id(leaf)) for leaf in leaves]
        single = not isinstance(outs, (tuple, list))
        self.out_avals = [jax.ShapeDtypeStruct(o.shape, o.dtype) for o in ((outs,) if single else outs)]
        self.single = single
        return outs, [leaf for leaf, i in zip(leaves, self.source, strict=True) if i is None]

    def backward(self, given: tuple[bool, ...], residuals: list[Any], arrays: Sequence[Any],
                 cotangents: Sequence[Any]) -> tuple:
        program = self._backward.get(given)
        if program is None:
            program = self._backward[given] = jax.jit(functools.partial(self._run_backward, given),
                                                            compiler_options=self.options)
        needed = {i: arrays[i] for i in set(self.source) if i is not None}
        return program(residuals, needed, cotangents)

    def _run_backward(self, given: tuple[bool, ...], residuals: list[Any], inputs: dict[int, Any],
                      cotangents: Sequence[Any]) -> tuple:
        rest = iter(residuals)
        leaves = [next(rest) if i is None else inputs[i] for i in self.source]
        vjp = jax.tree.unflatten(self.tree, leaves)
        outs = self.out_avals[0] if self.single else tuple(self.out_avals)
        return pull_back(vjp, outs, given, cotangents)
