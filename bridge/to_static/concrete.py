"""What there is to see of a converted function for one kind of arguments: inputs, outputs, parameters, the program."""
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kayax.bridge.functionalize import INPUT, NEW, Abstract, Functionalized
from kayax.bridge.parameter import Parameter
from kayax.bridge.state import portable
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static import kept
from kayax.bridge.to_static.exporting import symbolic_shapes
from kayax.bridge.to_static.fallback import untouched
from kayax.bridge.to_static.operators.values import settled
from kayax.bridge.to_static.specs import as_spec, is_tensor_like
from kayax.spec import tree
from kayax.spec.input_spec import InputSpec

if TYPE_CHECKING:
    from kayax.bridge.to_static.static_function import StaticFunction


class ConcreteProgram:
    """A converted function for the kind of arguments that `inputs` describes.

    inputs: an InputSpec for each tensor, Python values as they are, in the order of the parameters. The function is run
    over values of these kinds when something else is asked for; nothing is computed.
    """

    def __init__(self, static: StaticFunction, args: list[Any], kwargs: dict[str, Any]):
        self._static = static
        leaves, self._structure = tree.flatten((args, kwargs), is_tensor_like)
        self._specs = [as_spec(leaf) for leaf in leaves]
        args, kwargs = tree.unflatten(self._structure, self._specs)
        self.inputs: list[Any] = [*args, *kwargs.values()]

    @property
    def name(self) -> str:
        return self._static.__name__

    @property
    def function(self) -> Any:
        """The function as it was written."""
        return self._static.dygraph_function

    @property
    def outputs(self) -> Any:
        """What the function returns, with an InputSpec for each tensor."""
        fact, avals, specs = self._fact, self.main_program.out_avals, []
        for kind, where, *rest in fact.outs:
            if kind is NEW:
                aval = avals[rest[0]]
                specs.append(_spec(aval.shape, aval.dtype, bool(where)))
            else:
                specs.append(self._specs[where] if kind is INPUT else InputSpec.from_tensor(where))
        return tree.unflatten(fact.out_spec, specs)

    @property
    def parameters(self) -> list[Tensor]:
        """The parameters that the function uses."""
        return [t for t in self._fact.captured if isinstance(t, Parameter)]

    @functools.cached_property
    def main_program(self) -> Any:
        """The program, as a ``jax.core.ClosedJaxpr``: print it to see the operations."""
        fact = self._fact
        cells = [[jax.ShapeDtypeStruct(s._array.shape, s._array.dtype) for s in group]
                 for group in (fact.reads, fact.writes)]
        with portable(), untouched(keep=False):
            return jax.make_jaxpr(fact.pure)([jax.ShapeDtypeStruct(e.shape, e.dtype) for e in self._examples], *cells)

    @functools.cached_property
    def _examples(self) -> list[Abstract]:
        kinds = [s.dtype.numpy if s.dtype is not None else np.dtype("float32") for s in self._specs]
        shapes = symbolic_shapes(self._specs)
        return [Abstract(shape, d, bool(s.stop_gradient) or d.kind not in "fcV")
                for shape, d, s in zip(shapes, kinds, self._specs, strict=True)]

    @functools.cached_property
    def _fact(self) -> Functionalized:
        call = self._static.rewritten

        def body(tensors: list[Tensor]) -> Any:
            args, kwargs = tree.unflatten(self._structure, tensors)
            out = settled(call(*args, **kwargs))
            kept.take()
            return out

        with portable(), untouched(keep=False) as attempt:
            found = Functionalized(body, self._examples, can_bail=True)
        if attempt.error is not None:
            raise attempt.error
        return found

    def __repr__(self) -> str:
        return f"<the program of {self.name} for {self.inputs}>"


def _spec(shape: tuple, dtype: Any, stop_gradient: bool) -> InputSpec:
    sizes = [n if type(n) is int else None for n in shape]
    return InputSpec(sizes, dtype.name, stop_gradient=stop_gradient)


class ProgramCache:
    """The programs that a converted function has: how many there are, and what each was made for."""

    def __init__(self, static: StaticFunction):
        self._static = static

    def __len__(self) -> int:
        return sum(map(len, self._static.programs.values()))

    def concrete_programs(self) -> list[ConcreteProgram]:
        made = sorted((p for group in self._static.programs.values() for p in group), key=lambda p: p.serial)
        return [_of_example(self._static, p.example) for p in made]

    def last(self) -> ConcreteProgram:
        """The one that was made last."""
        return self.concrete_programs()[-1]

    def clear(self) -> None:
        """Forget all programs: the next call makes one."""
        self._static.programs.clear()
        self._static.fallbacks.clear()


def _of_example(static: StaticFunction, example: tuple[Any, list[str]]) -> ConcreteProgram:
    (args, values), names = example
    return ConcreteProgram(static, list(args), dict(zip(names, values, strict=True)))


def declared(static: StaticFunction) -> ConcreteProgram:
    """For the arguments that the function's own input_spec declares."""
    entries = static.entries()
    labels = [(name, as_spec(value, name) if is_tensor_like(value) else value) for name, value in entries]
    return ConcreteProgram(static, [value for _, value in labels], {})
