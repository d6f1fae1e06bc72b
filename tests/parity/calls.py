"""Calls written by hand, area by area: what each gives, in full, or the error that it raises.

`calls/AREA.txt` holds one call a line: Python's statements, the last of which may be an expression: the result. Each
runs in names of its own: `P` (the module), `np`, `nn`, `F`, `tmp` (an empty folder), and what the lines before `---`
define. The outcome is all that a user sees: types of containers, dtypes, shapes, values, text.
"""

from __future__ import annotations

import ast
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from compare import differences
from edges import raised
from harness import Case, Caught, Record, Value, dtype_name, is_tensor

FOLDER = Path(__file__).parent / "calls"
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")


def areas() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def read(path: Path) -> tuple[str, list[str]]:
    """What a file defines for all of its lines, and the lines."""
    text = path.read_text()
    prelude, _, rest = text.rpartition("---\n")
    return prelude, [line for line in rest.splitlines() if line and not line.startswith("#")]


def outcome(P: Any, prelude: str, line: str) -> Record:
    """What a line gives on module P, or {"error": the names of the error's types}."""
    P.seed(0)
    np.random.seed(0)
    random.seed(0)
    with tempfile.TemporaryDirectory() as tmp:
        names: dict[str, Any] = {"P": P, "np": np, "nn": P.nn, "F": P.nn.functional, "tmp": tmp}
        exec(prelude, names)
        body = ast.parse(line).body
        last = body.pop().value if isinstance(body[-1], ast.Expr) else ast.Constant(None)
        try:
            exec(compile(ast.Module(body, []), line, "exec"), names)
            value = eval(compile(ast.fix_missing_locations(ast.Expression(last)), line, "eval"), names)
            return dict(_spread(P, value, "out"))
        except Exception as error:
            return {"error": Caught(error).kinds}
        finally:
            P.set_default_dtype("float32")
            P.set_grad_enabled(True)
            P.set_printoptions(8, 1000, 3, False, 80)


def _spread(P: Any, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a result under their paths; containers say of what type and how long they are."""
    if isinstance(value, dict):
        ours = type(value).__module__.startswith("kayax")       # a dict that notes its changes
        yield path, f"{'dict' if ours else _kind(value)} of {len(value)}"
        for key, item in value.items():
            yield from _spread(P, item, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        yield path, f"{_kind(value)} of {len(value)}"
        for i, item in enumerate(value):
            yield from _spread(P, item, f"{path}[{i}]")
    else:
        yield path, _leaf(P, value)


def _kind(value: Any) -> str:
    kinds = (dict, list, tuple)
    return next((kind.__name__ for kind in kinds if type(value) is kind), type(value).__name__)


def _leaf(P: Any, value: Any) -> Any:
    if is_tensor(P, value):
        dtype = dtype_name(value.dtype)
        array = value.astype("float32") if dtype == "bfloat16" else value
        return Value(np.array(array.numpy()), dtype, bool(value.stop_gradient))
    if isinstance(value, np.ndarray):
        return Value(value, str(value.dtype)) if value.dtype.kind != "O" else f"array of objects {value.shape}"
    if isinstance(value, np.generic):
        return f"numpy {value.dtype} {value!s}"
    if isinstance(value, P.dtype):
        return f"dtype {dtype_name(value)}"
    if isinstance(value, complex):
        return f"complex {value}"
    if value is None:
        return None
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value) if "Place" in type(value).__name__ else f"a {type(value).__name__}"


def problems(line: str, want: Record, got: Record) -> list[str]:
    """Every way in which what a line gives departs from the record; nothing, if Paddle raises and this does not."""
    if "error" in want or "error" in got:
        return raised(want, got)
    texts = {key for key in want if _same_text(want[key], got.get(key))}
    want, got = ({key: leaf for key, leaf in record.items() if key not in texts} for record in (want, got))
    return differences(Case(line, problems, (), "program", "", rtol=1e-4, atol=1e-5), want, got, False)


def _same_text(want: Any, got: Any) -> bool:
    """Whether two texts are the same but for the last digits of numbers."""
    if not isinstance(want, str) or not isinstance(got, str):
        return False
    numbers = [[float(word) for word in _NUMBER.findall(text)] for text in (want, got)]
    return (_NUMBER.sub("#", want) == _NUMBER.sub("#", got)
            and bool(np.allclose(*numbers, rtol=1e-4, atol=1e-6, equal_nan=True)))
