"""The registry of operations: one decorator turns a pure function of arrays into a public function of Tensors."""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import jax
import numpy as np

from kayax.bridge import keywords, known, known_sizes
from kayax.bridge.call import Call
from kayax.bridge.device import scalar
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ArgumentError, ConversionError, DataDependentShapeError, at_user_line, fitting
from kayax.bridge.freezing import ARRAY, NUMBERS, PLAIN, SCALAR, freeze, thaw
from kayax.bridge.rng import advance, key_of
from kayax.bridge.state import state
from kayax.bridge.symbols import check_values
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.views import replace, view_of

F = TypeVar("F", bound=Callable)
OPS: dict[str, Op] = {}

# Parameters that are always Python values: a number, or a list.
_ONE = frozenset(("axis", "dim", "axis1", "axis2", "dim1", "dim2", "start_axis", "stop_axis"))
_SEVERAL = frozenset(("axes", "perm", "repeat_times", "shape", "normalized_shape", "output_size", "output_sizes",
                      "stride", "cutoffs"))


class Op:
    """An operation: a pure function of arrays, how its arguments are taken apart, and its compiled calls."""

    def __init__(self, fn: Callable, name: str, *, static: Iterable[str] = (), scalars: Iterable[str] = (),
                 random: bool = False, differentiable: bool = True, eager: bool = False, residuals: bool = False,
                 amp: str | None = None, check: Callable | None = None, verify: Callable | None = None,
                 view: Any = None, of_shape: bool = False):
        self.fn, self.name, self.amp, self.check, self.verify, self.view = fn, name, amp or name, check, verify, view
        self.random, self.differentiable, self.eager, self.residuals = random, differentiable, eager, residuals
        self.folds = "" if random else "shape" if of_shape else "values"
        signature = inspect.signature(fn)
        parameters = list(signature.parameters.values())[1 if random else 0:]
        extras = keywords.EXTRAS.get(name, ())
        self.signature = keywords.extended(signature.replace(parameters=parameters), extras)
        self.out = next((i for i, p in enumerate(parameters) if p.name == "out"), None)
        if self.out is not None:                # the public function takes it off, also where it is given by position
            extras, parameters = (*extras, "out"), [p for p in parameters if p.name != "out"]
        self.names = [p.name for p in parameters]
        self.extras = frozenset(extras) - frozenset(self.names)
        by_name = sum(p.kind is p.KEYWORD_ONLY for p in parameters)
        self.positional = len(parameters) - by_name if self.out is None else self.out
        self.position = {name: i for i, name in enumerate(self.names)}
        self.defaults = [p.default for p in parameters]
        self.static = frozenset(self.position[n] for n in {*static, *_ONE, *_SEVERAL} & self.position.keys())
        self.scalars = frozenset(self.position[n] for n in scalars)
        self.calls: dict[tuple, Call] = {}
        self.follow = known_sizes.FOLLOWED.get(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.graph is not None:
            return state.graph.record(self, args, kwargs)
        if kwargs:
            if not self.extras.isdisjoint(kwargs):
                kwargs, more = keywords.take(kwargs, self.extras)
                return keywords.finish(self(*args, **kwargs), **more)
            args = self._bind(args, kwargs)
        if self.check is not None and state.trace is None:
            self.check(*args)
        inputs: list[Any] = []
        key = tuple([self._take(i, a, inputs) for i, a in enumerate(args)])
        if state.amp is not None:
            inputs = state.amp.cast(self.amp, inputs)
        call = self.calls.get(key)
        if call is None:
            call = self._make_call(key)
        try:
            if self.eager:
                return self._run_eagerly(call, inputs)
            out = run_call(call, inputs, self.differentiable)
            if self.verify is not None and state.trace is None:
                self.verify(out)
            if self.follow is not None and state.trace is not None and state.trace.root.open_known:
                known_sizes.follow(self.follow, args, out)
            return out
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            if isinstance(error, (ConversionError, jax.errors.JAXIndexError)) or getattr(error, "_explained", False):
                raise
            check_values(inputs, self.name)
            raise self._explain(error, args) from error
        except AttributeError as error:
            if type(error.obj) not in _NO_ARRAY:
                raise
            raise self._explain(ArgumentError(f"{self._holding(error.obj, args)} must be a Tensor."), args) from error

    # ---- arguments -------------------------------------------------------------------------------------------

    def _bind(self, args: tuple, kwargs: dict[str, Any]) -> tuple:
        """All arguments by position; unknown and missing ones are errors in Python's usual words."""
        if not kwargs.keys() <= self.position.keys():
            kwargs = keywords.renamed(kwargs, self.position, self.name)
        full = list(args)
        last = max((self.position.get(k, -1) for k in kwargs), default=-1)
        full += [_MISSING] * (last + 1 - len(full))
        for name, value in kwargs.items():
            i = self.position.get(name)
            if i is None:
                raise TypeError(f"{self.name}() got an unexpected keyword argument {name!r}. "
                                f"Its arguments are: {', '.join(self.names)}.")
            if i < len(args):
                raise TypeError(f"{self.name}() got multiple values for argument {name!r}.")
            full[i] = value
        for i, value in enumerate(full):
            if value is _MISSING:
                full[i] = self.defaults[i]
                if full[i] is inspect.Parameter.empty:
                    raise TypeError(f"{self.name}() missing a required argument: {self.names[i]!r}.")
        return tuple(full)

    def _take(self, i: int, value: Any, inputs: list[Any]) -> Any:
        """The argument's part of the key; what is known only at run time goes to `inputs`."""
        kind = type(value)
        if kind is Tensor or isinstance(value, Tensor):
            if i in self.static:
                return freeze(_read_out(value, self.names[i], self.names[i] in _ONE), inputs)
            inputs.append(value)
            return ARRAY
        if kind in PLAIN:
            return value
        if kind in NUMBERS:
            if i in self.scalars:
                inputs.append(scalar(value) if state.trace is None else value)
                return SCALAR
            return (kind, value)
        if i in self.static and kind is np.ndarray:
            return freeze(value.item() if value.size == 1 and self.names[i] in _ONE else value.tolist(), inputs)
        if i in self.static and kind in (list, tuple):
            value = [_read_out(v, self.names[i], True) if isinstance(v, Tensor) else v for v in value]
        return freeze(value, inputs)

    def _make_call(self, key: tuple) -> Call:
        fn, template = self.fn, key
        if len(key) > len(self.names):
            raise TypeError(f"{self.name}() takes {len(self.names)} arguments ({', '.join(self.names)}) but "
                            f"{len(key)} were given.")
        rest = zip(self.names[len(key):], self.defaults[len(key):], strict=True)
        missing = [n for n, default in rest if default is inspect.Parameter.empty]
        if missing:
            raise TypeError(f"{self.name}() missing a required argument: {missing[0]!r}.")

        plain, by_name = self.positional, self.names[self.positional:len(key)]

        def arguments(arrays: tuple) -> tuple[list, dict[str, Any]]:
            rest = iter(arrays)
            values = [thaw(part, rest) for part in template]
            return values[:plain], dict(zip(by_name, values[plain:], strict=True))

        def run(*arrays: Any) -> Any:
            values, named = arguments(arrays)
            return fn(*values, **named)

        def run_random(words: Any, *arrays: Any) -> Any:
            values, named = arguments(arrays)
            out = fn(key_of(words), *values, **named)
            return (advance(words), *out) if isinstance(out, (tuple, list)) else (advance(words), out)

        body = run_random if self.random else run
        body.__name__ = body.__qualname__ = self.name.rpartition(".")[2]
        call = self.calls[key] = Call(body, self.name, self.random, self.residuals, self.folds)
        return call

    def _run_eagerly(self, call: Call, inputs: list[Any]) -> Any:
        """An operation whose result's shape depends on values: on real arrays, outside of the compiler."""
        arrays = [x.storage.array if isinstance(x, Tensor) else x for x in inputs]
        if any(isinstance(a, jax.core.Tracer) for a in arrays):
            raise DataDependentShapeError(
                f"The shape of the result of `{self.name}` depends on the values of its input, which an XLA program "
                f"cannot express.{at_user_line()}\nUse an operation with a fixed shape (a mask with paddle.where, topk)"
                ", or keep this function eager (`paddle.jit.not_to_static`).")
        outs = call.fn(*arrays)
        return type(outs)([wrap(o) for o in outs]) if isinstance(outs, (tuple, list)) else wrap(outs)

    def _holding(self, value: Any, args: tuple) -> str:
        """The name of the argument with this value (of which a list has become a tuple)."""
        return next((f"`{n}`" for n, a in zip(self.names, args, strict=False)
                     if a is value or (isinstance(a, list) and isinstance(value, tuple))), "an argument")

    def _explain(self, error: Exception, args: tuple) -> Exception:
        given = ", ".join(f"{n}={_describe(a)}" for n, a in zip(self.names, args, strict=False) if n != "name")
        kind, words = fitting(error)
        explained = kind(f"{self.name}({given}): {words}")
        explained._explained = True             # type: ignore[attr-defined]
        return explained


_MISSING = object()
_NO_ARRAY = (bool, int, float, complex, str, tuple, list, type(None))       # what has no dtype, ndim ...
_call = Op.__call__
_watchers: list[Callable[[Op, Any], None]] = []


def watch(watcher: Callable[[Op, Any], None]) -> None:
    """Call ``watcher(operation, result)`` after every operation, until `unwatch`. Without watchers it costs nothing."""
    _watchers.append(watcher)
    Op.__call__ = _watched_call         # type: ignore[method-assign]


def unwatch(watcher: Callable[[Op, Any], None]) -> None:
    """End a `watch`."""
    _watchers.remove(watcher)
    if not _watchers:
        Op.__call__ = _call             # type: ignore[method-assign]


def _watched_call(self: Op, *args: Any, **kwargs: Any) -> Any:
    out = _call(self, *args, **kwargs)
    for watcher in tuple(_watchers):
        watcher(self, out)
    return out


def _read_out(value: Tensor, name: str, one: bool) -> Any:
    """The value of a Tensor where a program needs a Python value; of `one` element, also of shape [1], a number."""
    array = value.storage.array
    if isinstance(array, jax.core.Tracer) and known.value_of(array) is None and known.open_of(array) is None:
        raise ConversionError(
            f"The argument `{name}` must be known when the function is converted, but it is a Tensor whose value is "
            f"only known when the program runs.{at_user_line()}\nPass a Python number, or take it from `.shape`.")
    return value.item() if one and value.size == 1 else value.tolist()


def _describe(value: Any) -> str:
    if isinstance(value, (Tensor, np.ndarray, jax.Array)):
        array = value.storage.array if isinstance(value, Tensor) else value
        return f"{array.dtype.name}{list(array.shape)}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_describe, value)) + "]"
    return repr(value)


def op(fn: Callable | None = None, /, *, name: str | None = None, method: Any = False, inplace: Any = False,
       **options: Any) -> Any:
    """Register a pure function of jax arrays as an operation, and give the public function of Tensors.

    Every Tensor among the arguments, or in a list of them, reaches the function as an array; every other argument is
    static: part of the compiled program's key, lists as tuples.

    method: also a method of Tensor, under the same name (True) or these names.
    inplace: also make the twin ``name_``, which writes its first argument ("dtype", "reshape": see `inplace_twin`).
    static: parameters that are always Python values; a Tensor given there is read out.
    scalars: parameters where a Python number is a run-time value, not part of the key.
    random: the first parameter is a PRNG key, which the door supplies.
    check: called with the public arguments before an eager run, verify: with its result after it, to raise for values
    that a program could not refuse.
    view: the rule of `kayax.bridge.layout` by which the result shares memory with the first argument, or with a
    function of the public arguments that gives the rule's.
    differentiable, eager (the result's shape depends on values), of_shape (the result depends on the inputs' shapes
    alone), residuals (see `Call`), amp (name in the AMP lists).
    """
    if fn is None:
        return functools.partial(op, name=name, method=method, inplace=inplace, **options)
    operation = Op(fn, name or fn.__name__, **options)
    if operation.name in OPS:
        raise ValueError(f"The operation {operation.name!r} is registered twice.")
    OPS[operation.name] = operation

    public = _taking_out(operation) if operation.out is not None else (
        _viewing(operation) if operation.view is not None else _forwarding(operation))
    functools.update_wrapper(public, fn)
    public.__signature__ = operation.signature          # type: ignore[attr-defined]
    public.op = operation                               # type: ignore[attr-defined]
    return _publish(public, operation.name, method, inplace)


def _forwarding(operation: Op) -> Any:
    def public(*args: Any, **kwargs: Any) -> Any:
        return operation(*args, **kwargs)

    return public


def _viewing(operation: Op) -> Any:
    """The public function of an operation whose result shares memory with its first argument."""
    rule, arguments = _rule_of(operation)

    def public(*args: Any, **kwargs: Any) -> Any:
        out = operation(*args, **kwargs)
        if kwargs:
            if "out" in kwargs:
                return out
            args = operation._bind(args, {k: v for k, v in kwargs.items() if k not in operation.extras})
        x = args[0]                             # in a static graph nothing is shared
        if state.graph is not None or not isinstance(x, Tensor) or (state.amp is not None and _other_dtype(x, out)):
            return out
        given = () if arguments is None else arguments(*args)
        if isinstance(out, Tensor):
            return view_of(x, out, rule, given)
        return [view_of(x, one, rule, (*given, i)) for i, one in enumerate(out)]

    return public


def _rule_of(operation: Op) -> tuple[Any, Any]:
    return operation.view if isinstance(operation.view, tuple) else (operation.view, None)


def _other_dtype(x: Tensor, out: Any) -> bool:
    """Whether AMP has cast what the operation was given."""
    parts = out if isinstance(out, list) else [out]
    return any(x.storage.array.dtype != part.storage.array.dtype for part in parts[:1])


def _taking_out(operation: Op) -> Any:
    """The public function of an operation whose `out` may be given by position."""
    at: Any = operation.out

    def public(*args: Any, **kwargs: Any) -> Any:
        if len(args) > at:
            args, kwargs = args[:at] + args[at + 1:], {**kwargs, "out": args[at]}
        return operation(*args, **kwargs)

    return public


def function(fn: Callable | None = None, /, *, name: str | None = None, method: Any = False,
             inplace: Any = False) -> Any:
    """Register a plain function of Tensors (a composition of operations) as a method, with an in-place twin if told.

    As an operation it takes second names of its parameters and the extra keywords (`kayax.bridge.keywords`).
    """
    if fn is None:
        return functools.partial(function, name=name, method=method, inplace=inplace)
    return _publish(keywords.accepting(fn, name), name or fn.__name__, method, inplace)


INPLACE: dict[str, Callable] = {}


def _publish(public: Any, name: str, method: Any, inplace: Any) -> Any:
    names = (public.__name__,) if method is True else (method,) if isinstance(method, str) else method or ()
    for method_name in names:
        attach(method_name, public)
    if inplace:
        twin = inplace_twin(public, "" if inplace is True else inplace)
        INPLACE[twin.__name__] = twin
        public.inplace = twin
        for method_name in names or ():
            attach(method_name + "_", twin)
    return public


def attach(name: str, value: Any) -> None:
    """Make `value` the method or property `name` of Tensor; a second one under the same name is an error."""
    if name in Tensor.__dict__:
        raise ValueError(f"Tensor.{name} is registered twice.")
    setattr(Tensor, name, value)


def inplace_twin(public: Any, changes: str = "") -> Any:
    """The function ``name_`` that writes the result of ``name`` into its first argument.

    changes: what the result may change of it: nothing, its "dtype", or by "reshape" its shape and dtype; with "cast",
        nothing, and the result is cast to its dtype.
    """
    signature = inspect.signature(public)
    parameters = [p for p in signature.parameters.values() if p.name != "out"]
    first = parameters[0].name
    rule, arguments = _rule_of(public.op) if hasattr(public, "op") else (None, None)
    compute = public if rule is None else public.op             # what it computes is no view of what it is written to

    def twin(*args: Any, **kwargs: Any) -> Any:
        if state.graph is not None:
            return state.graph.record(twin, args, kwargs)
        if not args:
            kwargs = keywords.renamed(kwargs, signature.parameters, twin.__name__)
        x = args[0] if args else kwargs[first]
        new = compute(*args, **kwargs)
        old = x.storage.array
        if changes == "cast" and new.storage.array.dtype != old.dtype:
            new = new.astype(x.dtype)
        array = new.storage.array
        if changes != "reshape" and (array.shape != old.shape or (array.dtype != old.dtype and changes != "dtype")):
            raise ArgumentError(
                f"{twin.__name__}: the result is {array.dtype.name}{list(array.shape)}, which does not fit in place "
                f"into {old.dtype.name}{list(old.shape)}. Use `{public.__name__}`.")
        if (x.storage.is_view or x.storage.shared) and (array.shape != old.shape or array.dtype != old.dtype):
            given = () if arguments is None else arguments(*compute._bind(args, kwargs))
            return replace(x, new, rule, given)
        return x._rebind(new)

    twin.__name__ = twin.__qualname__ = public.__name__ + "_"
    twin.__signature__ = signature.replace(parameters=parameters)           # type: ignore[attr-defined]
    twin.__doc__ = f"In-place `{public.__name__}`: writes the result into `{first}` and returns it."
    twin.__module__ = public.__module__
    twin.accepts = frozenset()                                              # type: ignore[attr-defined]
    return twin
