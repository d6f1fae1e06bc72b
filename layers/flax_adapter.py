"""Flax modules as Layers, and Layers as Flax modules.

A Flax module is taken apart once, into arrays and a pure function; the arrays live in cells and the function is an
operation like any other, so the module trains, converts and saves as every Layer does.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx

from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.parameter import Parameter
from kayax.bridge.rng import advance, default_generator, key_of
from kayax.bridge.staging import staged
from kayax.bridge.state import outside_traces
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.trace import Trace
from kayax.layers.layer import Layer
from kayax.spec import tree


class FlaxLayer(Layer):
    """A Flax module, nnx or linen, as a Layer.

    Its Params are Parameters, its other variables (batch statistics, caches) buffers, under dotted Flax names. Its
    random streams draw from Kayax's random state. `train()` and `eval()` reach an nnx module as its own do; a linen
    module is told by its own argument (`train=`, `deterministic=`), as in Flax.

    example_inputs: for linen, what to initialize it with; without them the first call does.
    """

    def __init__(self, module: Any, *example_inputs: Any, **example_kwargs: Any):
        super().__init__(type(module).__name__.lower())
        fields = self.__dict__
        fields["_module"], fields["_calls"], fields["_adapter"] = module, {}, None
        if isinstance(module, nnx.Module):
            self._adopt_variables(_Nnx(module))
        elif not isinstance(module, linen.Module):
            raise TypeError(f"FlaxLayer takes an nnx or a linen module, but got {type(module).__name__}.")
        elif example_inputs or example_kwargs:
            self._initialize(example_inputs, example_kwargs)

    def _initialize(self, args: tuple, kwargs: dict[str, Any]) -> None:
        with outside_traces():
            leaves, spec = tree.flatten((args, kwargs), _is_array)
            zeros = [jnp.zeros(x.shape, _array_dtype(x)) for x in leaves]
            args, kwargs = tree.unflatten(spec, zeros)
            self._adopt_variables(_Linen(self._module, args, kwargs))

    def _adopt_variables(self, adapter: Any) -> None:
        fields = self.__dict__
        fields["_adapter"] = adapter
        tensors: list[Tensor] = []
        for name, array, trainable in adapter.variables:
            if trainable:
                tensor: Tensor = Parameter(array, name=f"{self._full_name}.{name}")
                self._parameters[name] = tensor
            else:
                tensor = wrap(array)
                tensor.name, tensor.persistable = f"{self._full_name}.{name}", True
                self._buffers[name] = tensor
            tensors.append(tensor)
        fields["_tensors"] = tensors

    @staged
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if self._adapter is None:
            self._initialize(args, kwargs)
        leaves, spec = tree.flatten((args, kwargs), _is_array)
        key = (self.training, spec)
        entry = self._calls.get(key)
        if entry is None:
            entry = self._calls[key] = _make_call(self._adapter, self.training, spec, self._full_name)
        call, shape = entry
        tensors = self._current()
        outs = run_call(call, [*tensors, *leaves])
        outs = list(outs) if isinstance(outs, (tuple, list)) else [outs]
        buffers = [t for t, (_, _, trainable) in zip(tensors, self._adapter.variables, strict=True) if not trainable]
        n = len(outs) - len(buffers)
        for tensor, new in zip(buffers, outs[n:], strict=True):
            tensor.storage.array = new.storage.array
        return tree.unflatten(shape["out"], outs[:n])

    def _current(self) -> list[Tensor]:
        """The variables' tensors, as the layer holds them now."""
        return [self._parameters[n] if trainable else self._buffers[n] for n, _, trainable in self._adapter.variables]

    def to_flax(self) -> Any:
        """The nnx module with the present values; a linen module and its variables as ``(module, variables)``."""
        if self._adapter is None:
            raise RuntimeError("This linen module has no variables yet: call the layer once.")
        return self._adapter.rebuild([t.storage.array for t in self._current()], self.training)

    def extra_repr(self) -> str:
        return type(self._module).__name__


class _Nnx:
    """An nnx module as variables and a pure function."""

    def __init__(self, module: nnx.Module):
        self._graphs: dict[bool, Any] = {}
        module.eval()
        self._graphs[False], _ = nnx.split(module)
        module.train()
        self._graphs[True], state = nnx.split(module)
        flat = list(nnx.to_flat_state(state))
        self._all = flat
        self._kept = [i for i, (_, v) in enumerate(flat) if not isinstance(v, nnx.RngState)]
        self.variables = [(".".join(map(str, flat[i][0])), flat[i][1].get_value(), isinstance(flat[i][1], nnx.Param))
                          for i in self._kept]

    def rebuild(self, arrays: list[Any], training: bool, key: Any = None) -> nnx.Module:
        values = dict(zip(self._kept, arrays, strict=True))
        state = []
        for i, (path, variable) in enumerate(self._all):
            if i in values:
                value = values[i]
            elif key is None:
                value = variable.get_value()
            elif isinstance(variable, nnx.RngKey):
                value = jax.random.fold_in(key, i)
            else:
                value = jnp.zeros_like(variable.get_value())
            state.append((path, variable.replace(value)))
        return nnx.merge(self._graphs[training], nnx.from_flat_state(state))

    def run(self, training: bool, arrays: list[Any], key: Any, args: tuple, kwargs: dict) -> tuple[Any, list[Any]]:
        module = self.rebuild(arrays, training, key)
        out = module(*args, **kwargs)
        flat = list(nnx.to_flat_state(nnx.split(module)[1]))
        return out, [flat[i][1].get_value() for i in self._kept if not isinstance(flat[i][1], nnx.Param)]


class _Linen:
    """A linen module as variables and a pure function."""

    def __init__(self, module: linen.Module, args: tuple, kwargs: dict):
        self.module = module
        variables = module.init(_streams(key_of(default_generator().storage.array)), *args, **kwargs)
        default_generator().storage.array = advance(default_generator().storage.array)
        leaves, self._tree = jax.tree_util.tree_flatten_with_path(variables)
        names = [[str(p.key) for p in path] for path, _ in leaves]
        self.variables = [(".".join(n[1:]) if n[0] == "params" else ".".join(n), array, n[0] == "params")
                          for n, (_, array) in zip(names, leaves, strict=True)]
        self._collections = sorted({n[0] for n in names} - {"params"})

    def rebuild(self, arrays: list[Any], training: bool) -> tuple[linen.Module, Any]:
        return self.module, jax.tree.unflatten(self._tree, arrays)

    def run(self, training: bool, arrays: list[Any], key: Any, args: tuple, kwargs: dict) -> tuple[Any, list[Any]]:
        variables = jax.tree.unflatten(self._tree, arrays)
        if not self._collections:
            return self.module.apply(variables, *args, rngs=_streams(key), **kwargs), []
        out, new = self.module.apply(variables, *args, rngs=_streams(key), mutable=self._collections, **kwargs)
        merged = jax.tree.leaves({**variables, **new})
        return out, [a for a, (_, _, trainable) in zip(merged, self.variables, strict=True) if not trainable]


def _streams(key: Any) -> dict[str, Any]:
    return {name: jax.random.fold_in(key, i) for i, name in enumerate(("params", "dropout", "default"))}


def _make_call(adapter: Any, training: bool, spec: Any, name: str) -> tuple[Call, dict[str, Any]]:
    """The module's call for one kind of arguments, as an operation; tracing notes the structure of its output."""
    shape: dict[str, Any] = {}
    n = len(adapter.variables)

    def run(words: Any, *arrays: Any) -> tuple:
        args, kwargs = tree.unflatten(spec, arrays[n:])
        out, buffers = adapter.run(training, list(arrays[:n]), key_of(words), args, kwargs)
        leaves, shape["out"] = tree.flatten(out, _is_array)
        return (advance(words), *leaves, *buffers)

    return Call(run, name, random=True, residuals=True), shape


def _is_array(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray, jax.Array))


def _array_dtype(value: Any) -> Any:
    return value.dtype.numpy if isinstance(value, Tensor) else value.dtype


class LayerModule(nnx.Module):
    """A Layer as an nnx module: its parameters are `nnx.Param`, its buffers and untrained parameters `nnx.BatchStat`.

    The variables start as copies; `nnx.jit`, `nnx.grad` and optimizers of Flax work on them. Random operations draw
    from the module's own stream.
    """

    def __init__(self, layer: Layer, seed: int = 0):
        self.layer = nnx.static(layer) if hasattr(nnx, "static") else layer
        own = layer.to_static_state_dict(keep_vars=True)
        self.names = tuple(own)
        for i, tensor in enumerate(own.values()):
            kind: Callable = nnx.Param if isinstance(tensor, Parameter) and tensor.trainable else nnx.BatchStat
            setattr(self, f"variable_{i}", kind(jnp.copy(tensor.storage.array)))
        self.rngs = nnx.Rngs(seed)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own = self.layer.to_static_state_dict(keep_vars=True)
        variables = [getattr(self, f"variable_{i}") for i in range(len(self.names))]
        storages = [own[name].storage for name in self.names]
        generator = default_generator().storage
        words = jnp.concatenate([jax.random.key_data(self.rngs()), jnp.zeros(1, jnp.uint32)])
        values = {s: v.get_value() for s, v in zip(storages, variables, strict=True)} | {generator: words}
        leaves, spec = tree.flatten((args, kwargs), _is_array)
        with Trace(values, uses_tape=False) as trace:
            inputs = [wrap(x.storage.array if isinstance(x, Tensor) else jnp.asarray(x), False) for x in leaves]
            args, kwargs = tree.unflatten(spec, inputs)
            outs, out_spec = tree.flatten(self.layer(*args, **kwargs), lambda v: isinstance(v, Tensor))
            arrays = [o.storage.array for o in outs]
            for storage, variable in zip(storages, variables, strict=True):
                if storage in trace.writes and not isinstance(variable, nnx.Param):
                    variable.set_value(trace.values[storage])
        return tree.unflatten(out_spec, arrays)


def adopt(value: Any) -> Any:
    """The Layer of an nnx module; any other value as it is."""
    return FlaxLayer(value) if isinstance(value, nnx.Module) else value


__all__ = ["FlaxLayer", "LayerModule", "adopt"]
