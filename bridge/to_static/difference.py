"""What differs between two Worlds: the one that an eager run left, and the one that a converted run left."""
from __future__ import annotations

import math
import types
from typing import Any

import jax
import numpy as np

from kayax.bridge.call import is_inexact
from kayax.bridge.cells import Leaked, Storage, root_of
from kayax.bridge.kinds import fits
from kayax.bridge.places import STORES
from kayax.bridge.tensor import ZERO, Tensor
from kayax.bridge.to_static.world import PLAIN, World, kind_of

# Relative tolerance by dtype: what XLA's fusion may change. Whole numbers have to be equal.
_RTOL = {"float64": 1e-9, "complex128": 1e-9, "float32": 2e-5, "complex64": 2e-5, "float16": 5e-3, "bfloat16": 4e-2}
# What our own objects keep for speed alone, by attribute.
_BOOKKEEPING = frozenset({"_plans", "_calls", "_version", "_lr_watched", "_fresh", "_tensors", "_listeners",
                          "_keeper", "names", "_full_name", "prefix", "forward"})


class Comparison:
    """Collects differences, as sentences, while it walks two Worlds side by side."""

    def __init__(self, eager: World, converted: World, rtol: float | None = None, atol: float | None = None):
        self.eager, self.converted, self.rtol, self.atol = eager, converted, rtol, atol
        self.found: list[str] = []
        self.notes: list[str] = []
        self.largest = 0.0
        self.noise = 0.0                    # the size of values next to which what is compared may be rounding error
        self.cells = 0
        self._seen: set[tuple[int, int]] = set()
        self._shared: list[tuple[str, Storage, Storage]] = []       # of views, the roots

    def compare(self, path: str, a: Any, b: Any) -> None:
        """Note how `b`, of the converted run, differs from `a`."""
        stack = [(path, a, b)]
        while stack:
            path, a, b = stack.pop()
            if isinstance(a, PLAIN) or isinstance(b, PLAIN):
                if not self._number_as_tensor(path, a, b):
                    self._plain(path, a, b)
                continue
            kind = kind_of(a)
            if kind != kind_of(b) or (kind != "storage" and not _same_class(a, b)):
                self._differ(path, _class_name(a), _class_name(b), "gives")
                continue
            if kind is None:
                if isinstance(a, jax.Array):
                    self.arrays(path, a, b)
                continue
            if (id(a), id(b)) in self._seen:
                continue
            self._seen.add((id(a), id(b)))
            stack += reversed(self._contents(path, kind, a, b))

    def _contents(self, path: str, kind: str, a: Any, b: Any) -> list[tuple[str, Any, Any]]:
        """What is left to compare of two mutable things of one kind."""
        left, right = self.eager.content(a), self.converted.content(b)
        if kind == "tensor":
            return self._tensors(path, left, right)
        if kind == "storage":
            self.cells += 1
            if a.is_view:
                self._shared.append((path, root_of(a), root_of(b)))
            self.arrays(path, left[0], right[0])
            return []
        if kind == "array":
            self.arrays(path, left, right)
            return []
        if kind in ("list", "tuple", "deque"):
            if len(left) != len(right):
                self._differ(path, f"{len(left)} items", f"{len(right)} items", "leaves")
                return []
            return [(f"{path}{_item(a, i)}", x, y) for i, (x, y) in enumerate(zip(left, right, strict=True))]
        if kind in ("set", "frozenset"):
            if len(left) != len(right) or any(isinstance(x, PLAIN) and x not in right for x in left):
                self._differ(path, repr(set(left)), repr(set(right)), "leaves")
            return []
        if kind in ("dict", "object", "class"):
            return self._tables(path, kind, left, right)
        if kind == "function":
            return self._functions(path, a, b, left, right)
        if kind == "method":
            return [(path, left[0], right[0]), (path, left[1], right[1])]
        if kind == "static function":
            return [(path, x, y) for x, y in zip(left[1:], right[1:], strict=True)]
        if kind == "partial":
            return [(path, x, y) for x, y in zip(left, right, strict=True)]
        return []

    def note_sharing(self) -> None:
        """Note which results are parts of another tensor in the eager run only, once all has been compared."""
        partner = dict(self._seen)
        for path, root, other in self._shared:
            if partner.get(id(root), id(other)) != id(other):
                self.notes.append(f"{path} shares memory with another tensor in the eager run only")

    def _tables(self, path: str, kind: str, left: dict, right: dict) -> list[tuple[str, Any, Any]]:
        def name(key: Any) -> str:
            return f"{path}[{key!r}]" if kind == "dict" else path if key in STORES else f"{path}.{key}"

        skipped = _BOOKKEEPING | {" class"} if kind != "dict" else frozenset()
        ours = [k for k in left if k not in skipped]
        theirs = [k for k in right if k not in skipped]
        for key in ours:
            if key not in right:
                self.found.append(f"{name(key)}: the eager run leaves it, the converted run does not.")
        for key in theirs:
            if key not in left:
                self.found.append(f"{name(key)}: the converted run leaves it, the eager run does not.")
        if kind == "dict" and ours != theirs and set(ours) == set(theirs):
            self._differ(path, f"the keys in the order {ours}", f"{theirs}", "leaves")
        return [(name(k), left[k], right[k]) for k in ours if k in right]

    def _functions(self, path: str, a: Any, b: Any, left: dict, right: dict) -> list[tuple[str, Any, Any]]:
        if a is not b and a.__qualname__ != b.__qualname__:
            self._differ(path, a.__qualname__, b.__qualname__, "gives")
            return []
        found = [(f"{path}.{k}", v, right["extra"].get(k)) for k, v in left["extra"].items()]
        for what, label in (("cells", "the variable"), ("globals", "the global")):
            found += [(f"{label} `{n}`", v, right[what].get(n)) for n, v in left[what].items()
                      if not isinstance(v, (types.ModuleType, types.BuiltinFunctionType))]
        return found

    def _tensors(self, path: str, left: dict, right: dict) -> list[tuple[str, Any, Any]]:
        found: list[tuple[str, Any, Any]] = [(path, left["storage"], right["storage"])]
        flags = [left["_stop_gradient"], right["_stop_gradient"]]
        if flags[0] and not flags[1]:           # a path not taken may want a gradient; the one that comes is compared
            self.notes.append(f"{path} has stop_gradient=False in the converted run only")
        elif flags[0] != flags[1]:
            self._differ(path, f"stop_gradient={flags[0]}", f"stop_gradient={flags[1]}", "has")
        self.gradients(f"{path}.grad", self._grad(self.eager, left), self._grad(self.converted, right))
        x, y = left["extra"], right["extra"]
        return found + [(f"{path}.{name}", x[name], y[name]) for name in x if name in y]

    @staticmethod
    def _grad(world: World, content: dict) -> Any:
        grad = content["_grad"]
        return world.content(world.content(grad)["storage"])[0] if isinstance(grad, Tensor) else grad

    def gradients(self, path: str, a: Any, b: Any) -> None:
        """Compare two gradients (arrays; None or ZERO for none). One that is all zeros may stand for none."""
        a, b = (None if g is ZERO else g for g in (a, b))
        if a is None and b is None:
            return
        if a is None or b is None:
            given = np.asarray(b if a is None else a)
            if np.any(given):
                x, y = ("none" if g is None else _show(np.asarray(g)) for g in (a, b))
                self._differ(path, x, y, "gives")
            else:
                self.notes.append(f"{path} is zeros in one run, none in the other")
            return
        self.arrays(path, a, b)

    # ---- values ----------------------------------------------------------------------------------------------

    def arrays(self, path: str, a: Any, b: Any) -> None:
        """Compare two arrays: shape, dtype, elements."""
        if isinstance(b, Leaked) or isinstance(a, Leaked):
            self.found.append(f"{path}: a tensor kept from inside the converted function, which has no value now.")
            return
        if a is b:
            return
        kinds = [f"{x.dtype.name}{list(x.shape)}" for x in (a, b)]
        if kinds[0] != kinds[1]:
            self._differ(path, kinds[0], kinds[1], "gives")
            return
        if not is_inexact(a):
            wrong = np.asarray(a) != np.asarray(b)
            x, y = np.asarray(a), np.asarray(b)
        else:
            wide = np.complex128 if np.iscomplexobj(a) else np.float64
            x, y = np.asarray(a).astype(wide), np.asarray(b).astype(wide)
            wrong = ~self._close(x, y, a.dtype.name)
        if np.any(wrong):
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = f" at {list(first)}" if first else ""
            many = f" ({int(np.sum(wrong))} of {x.size} elements differ)" if x.size > 1 else ""
            self.found.append(f"{path}{where}: the eager run gives {x[first]!s}, the converted run {y[first]!s}{many}.")

    def _close(self, x: np.ndarray, y: np.ndarray, dtype: str) -> np.ndarray:
        rtol = self.rtol if self.rtol is not None else _RTOL.get(dtype, 5e-2)
        finite = np.isfinite(x)
        scale = float(np.max(np.abs(x[finite]), initial=0.0))
        atol = self.atol if self.atol is not None else rtol * max(scale, self.noise, 1e-3)
        with np.errstate(invalid="ignore"):
            gap = np.where(finite & np.isfinite(y), np.abs(x - y), 0.0)
        self.largest = max(self.largest, float(np.max(gap, initial=0.0)))
        return np.isclose(y, x, rtol=rtol, atol=atol, equal_nan=True)

    def _number_as_tensor(self, path: str, a: Any, b: Any) -> bool:
        """Whether a program gives a Tensor for a Python number, as it must where another path gives a Tensor."""
        if type(a) not in (bool, int, float) or not isinstance(b, Tensor):
            return False
        array = self.converted.content(self.converted.content(b)["storage"])[0]
        if isinstance(array, Leaked) or array.ndim or not fits(np.asarray(a).dtype, array.dtype):
            return False
        self.arrays(path, np.asarray(a).astype(array.dtype), array)
        self.notes.append(f"{path} is a number in the eager run, a Tensor in the converted run")
        return True

    def _plain(self, path: str, a: Any, b: Any) -> None:
        if type(a) is not type(b):
            x, y = (f"{_class_name(v)} {_brief(v)}".rstrip() for v in (a, b))
            self._differ(path, x, y, "gives")
        elif isinstance(a, (float, complex)):
            if not self._close(np.asarray(a), np.asarray(b), "float32").all() and not (a != a and b != b):
                self._differ(path, repr(a), repr(b), "gives")
        elif a != b:
            self._differ(path, repr(a), repr(b), "gives")

    def _differ(self, path: str, a: str, b: str, verb: str) -> None:
        self.found.append(f"{path}: the eager run {verb} {a}, the converted run {b}.")


def _item(container: Any, i: int) -> str:
    fields = getattr(type(container), "_fields", None)
    return f".{fields[i]}" if fields else f"[{i}]"


def _same_class(a: Any, b: Any) -> bool:
    """Of one class; one that is defined in a function is another class in each call."""
    first, second = type(a), type(b)
    local = "<locals>" in first.__qualname__
    return first is second or (local and (first.__module__, first.__qualname__) == (second.__module__,
                                                                                     second.__qualname__))


def _class_name(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _brief(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Tensor):
        return "" if isinstance(value.storage._array, Leaked) else _show(np.asarray(value.storage._array))
    return repr(value) if isinstance(value, PLAIN) else ""


def _show(array: np.ndarray) -> str:
    return np.array2string(array, precision=6, threshold=6, separator=", ")


def equal_text(a: str, b: str, rtol: float) -> bool:
    """Whether two printed texts are the same but for the last digits of numbers."""
    if a == b:
        return True
    left, right = a.split(), b.split()
    return len(left) == len(right) and all(x == y or _near(x, y, rtol) for x, y in zip(left, right, strict=True))


def _near(x: str, y: str, rtol: float) -> bool:
    try:
        return math.isclose(float(x.strip("[](),")), float(y.strip("[](),")), rel_tol=rtol, abs_tol=rtol)
    except ValueError:
        return False
