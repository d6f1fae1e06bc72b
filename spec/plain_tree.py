"""Descriptions of structures (`spec.tree`) as plain lists, maps and scalars, for a file, and back."""
from __future__ import annotations

import collections
import functools
from typing import Any

from kayax.spec import tree
from kayax.spec.size import Size

_SCALARS = (type(None), bool, int, float, str)
_SEQUENCES: dict[str, type] = {"list": list, "tuple": tuple}
_DICTS: dict[str, type] = {"dict": dict, "ordered_dict": collections.OrderedDict}


class TreeError(ValueError):
    """A structure that cannot be in a file, or a description in a file that is none."""


def describe(spec: tree.Spec) -> Any:
    """The description as what msgpack carries. Raises TreeError if a value in it is no plain Python value."""
    if spec is tree.LEAF:
        return "*"
    if isinstance(spec, tree.Static):
        value = spec.value
        if type(value) is complex:
            return {"complex": [value.real, value.imag]}
        if isinstance(value, Size):
            return {"list": [describe(tree.Static(n)) for n in value]}
        if type(value).__name__ == "_DimExpr":              # JAX's open size
            raise TreeError(f"The size {value} is open, so it is no number. Return paddle.shape(x), a Tensor.")
        if type(value) not in _SCALARS:
            raise TreeError(f"A {type(value).__module__}.{type(value).__qualname__} cannot be saved among the "
                            "arguments or results of a function: use Tensors, Python numbers, strings and None, in "
                            "lists, tuples, dicts or named tuples.")
        return {"value": value}
    assert isinstance(spec, tree.Branch)
    children = [describe(c) for c in spec.children]
    if spec.kind in (list, tuple):
        return {spec.kind.__name__: children}
    if issubclass(spec.kind, dict):
        keys = spec.extra[0] if spec.kind is collections.defaultdict else spec.extra
        odd = next((k for k in keys if type(k) not in _SCALARS), None)
        if odd is not None:
            raise TreeError(f"The key {odd!r} of a dict cannot be saved: use strings or numbers.")
        kind = "ordered_dict" if spec.kind is collections.OrderedDict else "dict"
        return {kind: [[k, c] for k, c in zip(keys, children, strict=True)]}
    fields = record_fields(spec) or ()
    _record(spec.kind.__name__, fields)
    return {"namedtuple": [spec.kind.__name__, list(fields), children]}


def rebuild(plain: Any) -> tree.Spec:
    """What `describe` wrote. A dataclass comes back as a named tuple, a defaultdict as a dict.

    Raises TreeError if it is anything else.
    """
    if plain == "*":
        return tree.LEAF
    if type(plain) is not dict or len(plain) != 1:
        raise TreeError(f"{str(plain)[:80]!r} describes no structure.")
    (kind, content), = plain.items()
    match kind, content:
        case "value", None | bool() | int() | float() | str():
            return tree.Static(content)
        case "complex", [float(real), float(imaginary)]:
            return tree.Static(complex(real, imaginary))
        case ("list" | "tuple"), list():
            return tree.Branch(_SEQUENCES[kind], None, tuple(map(rebuild, content)))
        case ("dict" | "ordered_dict"), list() if all(map(_is_item, content)):
            keys = tuple(key for key, _ in content)
            if len(set(keys)) == len(keys):
                return tree.Branch(_DICTS[kind], keys, tuple(rebuild(child) for _, child in content))
        case "namedtuple", [str(name), list(fields), list(children)] if len(fields) == len(children) and all(
                type(field) is str for field in fields):
            return tree.Branch(_record(name, tuple(fields)), None, tuple(map(rebuild, children)))
    raise TreeError(f"{str(plain)[:80]!r} describes no structure.")


def record_fields(branch: tree.Branch) -> tuple[str, ...] | None:
    """The names of the fields of a named tuple or dataclass; None for another container."""
    if branch.kind in (list, tuple) or issubclass(branch.kind, dict):
        return None
    return tuple(getattr(branch.kind, "_fields", None) or branch.extra or ())


def count(spec: tree.Spec) -> int:
    """How many leaves there are."""
    return sum(map(count, spec.children)) if isinstance(spec, tree.Branch) else int(spec is tree.LEAF)


def _is_item(item: Any) -> bool:
    return type(item) is list and len(item) == 2 and type(item[0]) in _SCALARS


@functools.lru_cache(maxsize=256)
def _record(name: str, fields: tuple[str, ...]) -> Any:
    """A named tuple, the same for the same name and fields."""
    try:
        return collections.namedtuple(name, fields)
    except (ValueError, TypeError) as error:
        raise TreeError(f"{name!r} with the fields {fields} cannot be a named tuple: {error}.") from None
