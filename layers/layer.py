"""Layer: parameters, buffers and sublayers under one roof. The base of every model."""
from __future__ import annotations

import contextlib
import copy
import re
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp

from kayax.bridge.errors import ArgumentError, ConversionError, KeptShapeError, at_user_line
from kayax.bridge.journal import fresh, touch, touch_contents
from kayax.bridge.parameter import Parameter
from kayax.bridge.places import STORES, Attribute
from kayax.bridge.state import bump, state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.convert import converted
from kayax.bridge.told import Table
from kayax.layers import layer_state
from kayax.layers.compiled import compiled_forward
from kayax.layers.hooks import HookHandle, Hooks
from kayax.layers.layer_facts import LayerFacts
from kayax.layers.layer_state import LayerMoves
from kayax.layers.layer_tree import LayerTree
from kayax.layers.parameter import new_parameter
from kayax.spec import dtype as dtypes
from kayax.spec import unique_name


class Layer(LayerTree, LayerMoves, LayerFacts):
    """A part of a model: subclass it, make parameters and sublayers in `__init__`, compute in `forward`.

    name_scope: the prefix of this layer's full name and of its parameters' names; the class's name in snake case.
    dtype: the data type of parameters made here, the default dtype if None.
    """

    def __init__(self, name_scope: str | None = None, dtype: Any = "float32"):
        scope = name_scope or _snake_case(type(self).__name__)
        fields = self.__dict__
        fields.update({store: fresh(Table()) for store in STORES})
        fields["_non_persistable_buffer_names_set"] = set()
        fields["_training"] = True
        fields["_full_name"] = unique_name.generate(scope)
        fields["_dtype"] = (dtypes.get_default_dtype() if dtype is None or dtype == "float32"
                            else dtypes.convert(dtype).name)
        fields["_hooks"] = None
        fields["_state_dict_hooks"] = OrderedDict()

    # ---- running ---------------------------------------------------------------------------------------------

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What this layer computes; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method.")

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        forward = self.forward
        if state.trace is not None:
            self._guard("forward hooks", _hook_ids(self), _hook_ids)
            self._note_forward()
            self._note_attributes()
            forward = converted(forward)
        elif state.compiles:
            forward = compiled_forward(self)
        if self._hooks is None:
            return forward(*inputs, **kwargs)
        return self._hooks.run(self, forward, inputs, kwargs)

    def _all_hooks(self) -> Hooks:
        if self._hooks is None:
            touch(Attribute(self, "_hooks"))
            self.__dict__["_hooks"] = Hooks()
        return self._hooks

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False,
                                  with_kwargs: bool = False) -> HookHandle:
        """Call ``hook(layer, inputs)`` before forward; what it returns, if anything, replaces the inputs."""
        return self._all_hooks().add("before", hook, prepend, with_kwargs)

    def register_forward_post_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False,
                                   always_call: bool = False) -> HookHandle:
        """Call ``hook(layer, inputs, outputs)`` after forward; what it returns, if anything, replaces the outputs.

        always_call: also when forward raises.
        """
        return self._all_hooks().add("after", hook, prepend, with_kwargs, always_call)

    register_forward_hook = register_forward_post_hook

    # ---- mode ------------------------------------------------------------------------------------------------

    @property
    def training(self) -> bool:
        """Whether the layer is in training mode (dropout drops, batch statistics are used)."""
        mode = self.__dict__["_training"]
        if state.trace is not None and isinstance(mode, bool):      # else a branch or loop of this program set it
            self._guard("training", mode, lambda layer: layer.__dict__["_training"])
        return mode

    @training.setter
    def training(self, mode: bool) -> None:
        touch(Attribute(self, "_training"))
        self.__dict__["_training"] = bool(mode)
        bump()

    def train(self, mode: bool = True) -> Layer:
        """Put this layer and all below it into training mode (or out of it)."""
        for layer in self.sublayers(include_self=True):
            layer.training = mode
        return self

    def eval(self) -> Layer:
        """Put this layer and all below it into evaluation mode."""
        return self.train(False)

    # ---- attributes ------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__
        for store_name in STORES:
            store = fields.get(store_name)
            if store is not None and name in store:
                value = store[name]
                if state.trace is not None:
                    self._guard(name, value, lambda layer, held=store_name: layer.__dict__[held].get(name))
                return value
        if name not in fields and "_parameters" not in fields:
            raise AttributeError(f"Call super().__init__() in {type(self).__name__}.__init__ before anything else.")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        fields = self.__dict__
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
            return
        bump()
        kind = _store_of(value)
        if kind is not None and "_parameters" not in fields:
            raise ValueError(f"Call super().__init__() in {type(self).__name__}.__init__ before assigning {name!r}, a "
                             f"{type(value).__name__}.")
        if kind is not None:
            fields.pop(name, None)
            for other in STORES:
                if other != kind:
                    fields[other].pop(name, None)
            fields[kind][name] = value
            return
        for store, what in (("_parameters", "Parameter"), ("_sub_layers", "Layer")):
            if name in fields.get(store, ()):
                if value is not None:
                    raise TypeError(f"{name!r} is a {what} of {type(self).__name__}: it can be set to a {what} or "
                                    f"None, but got {type(value).__name__}.")
                fields[store][name] = None
                return
        if name in fields.get("_buffers", ()):
            self._set_buffer(name, value)
            return
        if isinstance(value, Tensor) and "_buffers" in fields and state.trace is None:
            self._buffers[name] = value         # as in Paddle, a Tensor that is assigned is a buffer that is not saved
            self._non_persistable_buffer_names_set.add(name)
            fields.pop(name, None)
            return
        value = _adopt(value)
        if isinstance(value, Layer):
            fields["_sub_layers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"{name!r} is a buffer of {type(self).__name__}: it can be set to a Tensor or None, but "
                            f"got {type(value).__name__}.")
        old = self._buffers[name]
        if state.trace is None or old is None or value is None:
            self._buffers[name] = value
            return
        # While converting, assigning to a buffer writes the cell: that is what an eager reader would see afterwards.
        if not value._stop_gradient or not old._stop_gradient:
            which = "is assigned a tensor that" if old._stop_gradient else "has stop_gradient=False, so that"
            raise ConversionError(
                f"The buffer {name!r} {which} a gradient goes through, which a program cannot keep from call to call."
                f"{at_user_line()}\nAssign `value.detach()` to a buffer without one, and go on with the value itself.")
        new = value.storage.array
        if new.shape != old.storage.array.shape or new.dtype != old.storage.array.dtype:
            raise KeptShapeError(
                f"While converting, the buffer {name!r} must keep its shape and dtype: it is "
                f"{old.dtype.name}{list(old.shape)} and was assigned {value.dtype.name}{list(value.shape)}.")
        old.storage.array = new

    def __delattr__(self, name: str) -> None:
        bump()
        for store in STORES:
            if name in self.__dict__.get(store, ()):
                touch(Attribute(self, name))
                del self.__dict__[store][name]
                self._non_persistable_buffer_names_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [n for store in STORES for n in self.__dict__.get(store, ()) if n.isidentifier()]
        return sorted({*super().__dir__(), *names})

    # ---- making and adding -----------------------------------------------------------------------------------

    def create_parameter(self, shape: Any, attr: Any = None, dtype: Any = None, is_bias: bool = False,
                         default_initializer: Any = None, device: Any = None) -> Any:
        """A new Parameter named after this layer; None if `attr` is False. Assign it to an attribute to register it."""
        return new_parameter(shape, dtype or self._dtype, None, attr, is_bias, default_initializer, self._full_name)

    def create_tensor(self, name: str | None = None, persistable: bool | None = None, dtype: Any = None) -> Tensor:
        """An empty Tensor named after this layer."""
        tensor = Tensor(jnp.zeros((0,), dtypes.to_numpy(dtype or self._dtype)))
        tensor.name = name or unique_name.generate(f"{self._full_name}._generated_var")
        tensor.persistable = bool(persistable)
        return tensor

    create_variable = create_tensor

    def add_parameter(self, name: str, parameter: Tensor | None) -> Any:
        """Register a Parameter under a name; it is an attribute then."""
        _check_name(self, name, "_parameters")
        if parameter is not None and not isinstance(parameter, Parameter):
            raise ArgumentError(f"add_parameter needs a Parameter, but got {type(parameter).__name__}. A Tensor that "
                                "is not trained is a buffer (register_buffer).")
        touch_contents(self._parameters)
        self._parameters[name] = parameter
        bump()
        return parameter

    register_parameter = add_parameter

    def add_sublayer(self, name: str, sublayer: Any) -> Any:
        """Register a Layer under a name; it is an attribute then."""
        sublayer = _adopt(sublayer)
        if sublayer is not None and not isinstance(sublayer, Layer):
            raise ArgumentError(f"add_sublayer needs a Layer, but got {type(sublayer).__name__}.")
        touch_contents(self._sub_layers)
        self._sub_layers[name] = sublayer
        bump()
        return sublayer

    add_module = register_module = add_sublayer

    def register_buffer(self, name: str, tensor: Tensor | None, persistable: bool = True) -> None:
        """Register a Tensor that is part of the layer's state but not trained; saved if `persistable`."""
        _check_name(self, name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"A buffer must be a Tensor, but got {type(tensor).__name__}.")
        touch_contents(self._buffers)
        touch_contents(self._non_persistable_buffer_names_set)
        self._buffers[name] = tensor
        (self._non_persistable_buffer_names_set.discard if persistable
         else self._non_persistable_buffer_names_set.add)(name)
        if tensor is not None:
            tensor.persistable = persistable
        bump()

    def full_name(self) -> str:
        """The name that no other layer has, such as ``linear_0``."""
        return self._full_name

    # ---- state -----------------------------------------------------------------------------------------------

    def state_dict(self, destination: dict | None = None, include_sublayers: bool = True,
                   structured_name_prefix: str = "", use_hook: bool = True,
                   keep_vars: bool = True) -> dict[str, Tensor]:
        """The parameters and persistable buffers by dotted name: the layer's own Tensors unless not `keep_vars`."""
        return layer_state.state_dict(self, destination, include_sublayers, structured_name_prefix, use_hook, keep_vars,
                                      False)

    def to_static_state_dict(self, destination: dict | None = None, include_sublayers: bool = True,
                             structured_name_prefix: str = "", use_hook: bool = True,
                             keep_vars: bool = True) -> dict[str, Tensor]:
        """As `state_dict`, with the buffers that are not persistable."""
        return layer_state.state_dict(self, destination, include_sublayers, structured_name_prefix, use_hook, keep_vars,
                                      True)

    def set_state_dict(self, state_dict: dict, use_structured_name: bool = True) -> tuple[list[str], list[str]]:
        """Copy values into the parameters and buffers; give the names that were missing and those not expected.

        use_structured_name: keys are dotted names; False if they are the unique names (``linear_0.w_0``).
        A value of a wrong shape is skipped with a warning; its name is among both, as in Paddle.
        """
        return layer_state.set_state_dict(self, state_dict, use_structured_name)

    set_dict = load_dict = set_state_dict

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        """Copy values in; with `strict`, names that are missing or not expected are an error."""
        return layer_state.load_state_dict(self, state_dict, strict, assign)

    def to_flax(self) -> Any:
        """This Layer as an nnx module that holds copies of its values."""
        from kayax.layers.flax_adapter import LayerModule
        return LayerModule(self)

    def register_state_dict_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(state_dict)`` on what `state_dict` gives."""
        return HookHandle(self._state_dict_hooks, hook)

    def get_extra_state(self) -> Any:
        """More state to save with `state_dict`; a subclass may define it."""
        raise NotImplementedError(f"{type(self).__name__} has no extra state.")

    def __deepcopy__(self, memo: dict) -> Layer:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        for name, value in self.__dict__.items():
            if isinstance(value, Tensor) and not value.is_leaf:     # a result that is kept, as by weight_norm
                value = value.detach()
            new.__dict__[name] = copy.deepcopy(value, memo)
        return new

    # ---- printing --------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What to print inside the parentheses; a subclass may define it."""
        return ""

    def __repr__(self) -> str:
        lines = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [f"({name}): " + repr(layer).replace("\n", "\n  ") for name, layer in self._sub_layers.items()]
        head = type(self).__name__ + "("
        if not children:
            return head + ("\n  " + "\n  ".join(lines) + "\n)" if len(lines) > 1 else "".join(lines) + ")")
        return head + (", ".join(lines) if lines else "") + "\n  " + "\n  ".join(children) + "\n)"


def _hook_ids(layer: Layer) -> tuple[int, ...]:
    return () if layer._hooks is None else layer._hooks.ids()


def _adopt(value: Any) -> Any:
    """The Layer that a Flax module becomes when it is assigned to an attribute; anything else as it is."""
    if "flax.nnx" not in sys.modules:       # then there is no such module, and Kayax does not import Flax by itself
        return value
    from kayax.layers.flax_adapter import adopt
    return adopt(value)


def _store_of(value: Any) -> str | None:
    return "_parameters" if isinstance(value, Parameter) else "_sub_layers" if isinstance(value, Layer) else None


def _check_name(layer: Layer, name: str, store: str) -> None:
    if "_parameters" not in layer.__dict__:
        raise RuntimeError(f"Call super().__init__() in {type(layer).__name__}.__init__ first.")
    if not isinstance(name, str):
        raise TypeError(f"The name must be a string, but got {name!r}.")
    if "." in name or name == "":
        raise KeyError(f"The name {name!r} must not be empty or contain a dot.")
    if name not in layer.__dict__[store] and hasattr(layer, name):
        raise KeyError(f"{type(layer).__name__} has an attribute {name!r} already.")


def _snake_case(name: str) -> str:
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


@contextlib.contextmanager
def mode(layer: Layer, training: bool) -> Iterator[None]:
    """Training or evaluation mode for a `with` block, with every layer's own mode put back afterwards."""
    held = [(sub, sub.training) for sub in layer.sublayers(include_self=True)]
    layer.train(training)
    try:
        yield
    finally:
        for sub, was in held:
            sub.training = was
