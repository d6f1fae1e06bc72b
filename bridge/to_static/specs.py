"""Arguments against their InputSpecs: matching by position and structure, checking calls, making specs from calls."""
from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor
from kayax.spec import tree
from kayax.spec.constraints import Constraint, check_constraints
from kayax.spec.input_spec import InputSpec, bind_dims
from kayax.spec.plain_tree import record_fields


def is_spec(value: Any) -> bool:
    return isinstance(value, InputSpec)


def is_tensor_like(value: Any) -> bool:
    """Whether an entry of an input_spec stands for a tensor: an InputSpec, a Tensor or an array."""
    return isinstance(value, (InputSpec, Tensor)) or (hasattr(value, "shape") and hasattr(value, "dtype"))


def as_spec(value: Any, name: str | None = None) -> InputSpec:
    """The InputSpec that an entry means; one without a name takes the argument's."""
    if isinstance(value, InputSpec):
        return value if value.name is not None or name is None else InputSpec(value.shape, value.dtype, name,
                                                                              value.stop_gradient)
    if isinstance(value, Tensor):
        return InputSpec.from_tensor(value, name=name)
    return InputSpec.from_tensor(to_tensor(value), name=name)


def parameters_of(signature: inspect.Signature, bound: bool) -> list[inspect.Parameter]:
    """The parameters that a caller gives: without `self` for a method."""
    return list(signature.parameters.values())[1 if bound else 0:]


def match(input_spec: Any, parameters: list[inspect.Parameter], function_name: str) -> list[tuple[str, Any]]:
    """The entry of `input_spec` for each parameter: (name, nested specs and Python values). Defaults fill the rest."""
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    star = next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    if len(input_spec) > len(plain) and star is None:
        raise ValueError(f"{function_name} takes {len(plain)} arguments ({', '.join(p.name for p in plain)}), but "
                         f"input_spec has {len(input_spec)} entries.")
    entries: list[tuple[str, Any]] = []
    for i, p in enumerate(plain):
        if i < len(input_spec):
            entries.append((p.name, input_spec[i]))
        elif p.default is p.empty:
            raise ValueError(
                f"The argument `{p.name}` of {function_name} has no InputSpec: input_spec has {len(input_spec)} "
                f"entries, but every required argument needs one. Add `InputSpec(shape, dtype, name={p.name!r})`.")
        else:
            entries.append((p.name, p.default))
    entries += [(f"{star.name}_{i}", s) for i, s in enumerate(input_spec[len(plain):])] if star is not None else []
    return entries


def check_call(entries: list[tuple[str, Any]], args: tuple, kwargs: dict[str, Any], function_name: str) -> None:
    """Compare a call's tensors with the specs: rank, sizes and dtype."""
    given = dict(zip([n for n, _ in entries], args, strict=False)) | kwargs
    for name, entry in entries:
        if name not in given:
            continue
        value = given[name]
        specs, structure = tree.flatten(entry, is_tensor_like)
        if not specs:
            continue
        values, shape = tree.flatten(value, lambda v: isinstance(v, Tensor) or hasattr(v, "dtype"))
        if not _same_structure(structure, shape):
            raise ValueError(f"The argument `{name}` of {function_name} does not have the structure of its input_spec: "
                             f"{structure!r} is expected, but got {shape!r}.")
        for spec, tensor in zip(specs, values, strict=True):
            _check_one(as_spec(spec), tensor, name, function_name)


def _same_structure(spec: Any, value: Any) -> bool:
    if isinstance(spec, tree.Branch) and isinstance(value, tree.Branch):
        fields = record_fields(spec)
        same_kind = spec.kind is value.kind or {spec.kind, value.kind} <= {list, tuple}
        same = same_kind and spec.extra == value.extra if fields is None else fields == record_fields(value)
        return same and len(spec.children) == len(value.children) and all(
            _same_structure(a, b) for a, b in zip(spec.children, value.children, strict=True))
    return spec is value or (isinstance(spec, tree.Static) and isinstance(value, tree.Static))


def _check_one(spec: InputSpec, tensor: Any, name: str, function_name: str) -> None:
    shape, dtype = tuple(tensor.shape), getattr(tensor.dtype, "name", str(tensor.dtype))
    fits = len(shape) == len(spec.shape) and all(
        not isinstance(want, int) or want < 0 or want == size for want, size in zip(spec.shape, shape, strict=True))
    wanted = getattr(spec.dtype, "name", str(spec.dtype))
    if not fits or dtype != wanted:
        raise ValueError(f"The argument `{name}` of {function_name} is to be {spec}, but got {dtype}{list(shape)}.")


def check_inputs(structure: Any, specs: list[InputSpec], args: tuple, kwargs: dict[str, Any], name: str,
                 constraints: Sequence[Constraint] = ()) -> list[Any]:
    """The tensors of a call to a saved function, compared with what it was saved for.

    Arguments that are not tensors, and keyword arguments with defaults, have the values they were saved with. The
    tensors may also be given one after the other, whatever they were nested in: Paddle's only form.
    """
    if not kwargs and len(args) == len(specs) and all(isinstance(v, Tensor) or hasattr(v, "dtype") for v in args):
        return _checked(specs, args, name, constraints)
    args_spec, kwargs_spec = structure.children
    given = list(args)
    expected = list(args_spec.children)
    if len(given) > len(expected):
        raise TypeError(f"{name}() was saved with {len(expected)} arguments, but got {len(given)}.")
    names = _argument_names(args_spec, specs)
    for key in [k for k in kwargs if k not in (kwargs_spec.extra or ())]:
        if key not in names or names.index(key) != len(given):
            raise TypeError(f"{name}() got an unexpected keyword argument {key!r}; it was saved with: "
                            f"{', '.join(n for n in names if n) or 'no named arguments'}.")
        given.append(kwargs.pop(key))
    parts = list(zip(given, expected, strict=False))
    for missing in expected[len(given):]:
        if tree.LEAF in _leaves_of(missing):
            raise TypeError(f"{name}() was saved with {len(expected)} arguments ({', '.join(map(str, specs))}), but "
                            f"got {len(given)}.")
    parts += [(kwargs[k], c) for k, c in zip(kwargs_spec.extra or (), kwargs_spec.children, strict=True) if k in kwargs]
    leaves: list[Any] = []
    for value, want in parts:
        found, shape = tree.flatten(value, lambda v: isinstance(v, Tensor) or hasattr(v, "dtype"))
        if not _fits(want, shape):
            raise TypeError(f"An argument of {name}() was saved as {want!r}, but got {shape!r}. A saved function keeps "
                            "the Python values and structures it was saved with: save it once for each.")
        leaves += found
    return _checked(specs, leaves, name, constraints)


def _checked(specs: list[InputSpec], leaves: Sequence[Any], name: str, constraints: Sequence[Constraint]) -> list[Any]:
    for i, (spec, leaf) in enumerate(zip(specs, leaves, strict=True)):
        _check_one(spec, leaf, spec.name or str(i), f"{name}()")
    sizes = bind_dims(specs, [tuple(leaf.shape) for leaf in leaves])
    check_constraints(constraints, sizes, f"{name}()")
    return list(leaves)


def _fits(want: Any, got: Any) -> bool:
    if isinstance(want, tree.Static):
        return want == got
    return _same_structure(want, got) and (not isinstance(want, tree.Branch) or all(
        _fits(a, b) for a, b in zip(want.children, got.children, strict=True)))


def _leaves_of(spec: Any) -> list[Any]:
    if isinstance(spec, tree.Branch):
        return [leaf for child in spec.children for leaf in _leaves_of(child)]
    return [spec]


def _argument_names(args_spec: Any, specs: list[InputSpec]) -> list[str | None]:
    rest = iter(specs)
    names: list[str | None] = []
    for child in args_spec.children:
        mine = [next(rest) for leaf in _leaves_of(child) if leaf is tree.LEAF]
        names.append(mine[0].name if child is tree.LEAF else None)
    return names
