"""Comparison of a run with the recorded reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from harness import NOT_KNOWN, Case, Record, Value

# float32: both sides sum in their own order, and the transcendental functions differ in the last two or three bits.
# The 16-bit types carry 8 and 11 bits; both libraries compute in float32 and round, at different places.
TOLERANCE = {"float64": (1e-8, 1e-10), "complex128": (1e-8, 1e-10), "float16": (4e-3, 1e-3), "bfloat16": (2e-2, 1e-2)}
DEFAULT_TOLERANCE = (1e-4, 1e-5)
# Real Paddle ignores auto_cast on the CPU, so the float32 reference stands in: bfloat16 carries 8 bits.
AMP_TOLERANCE = {"rtol": 0.1, "atol": 0.15, "grad_rtol": 0.1, "grad_atol": 0.25}


def differences(case: Case, want: Record, got: Record, static: bool) -> list[str]:
    """Every way in which `got` departs from `want`, in words; empty when they agree."""
    problems = []
    for path in want.keys() | got.keys():
        if path not in got:
            problems.append(f"{path}: missing, Paddle gives {_show(want[path])}")
        elif path not in want:
            problems.append(f"{path}: Paddle has nothing here, given {_show(got[path])}")
        else:
            problem = _difference(case, path, want[path], got[path], static)
            if problem:
                problems.append(f"{path}: {problem}")
    return sorted(problems)


def _difference(case: Case, path: str, want: Any, got: Any, static: bool) -> str:
    if want is None and isinstance(got, Value) and not got.array.any():
        return ""  # a gradient of zeros where Paddle leaves it out
    if not isinstance(want, Value) or not isinstance(got, Value):
        same = _plain_equal(want, got)
        return "" if same else f"{_show(got)}, Paddle gives {_show(want)}"
    if got.array.shape != want.array.shape:
        return f"shape {got.array.shape}, Paddle gives {want.array.shape}"
    if got.dtype != want.dtype:
        return f"dtype {got.dtype}, Paddle gives {want.dtype}"
    if not static and _stop_gradient_differs(path, want, got):
        return f"stop_gradient {got.stop_gradient}, Paddle gives {want.stop_gradient}"
    return _array_difference(case, path, want, got)


def _stop_gradient_differs(path: str, want: Value, got: Value) -> bool:
    # A leaf's .grad says False in Paddle; one case of its own (backward/facts-of-a-gradient) is enough for that.
    known = None not in (want.stop_gradient, got.stop_gradient)
    floating = "float" in want.dtype or "complex" in want.dtype  # Paddle says False of some indices
    return known and floating and not path.startswith("grad.") and want.stop_gradient != got.stop_gradient


def _array_difference(case: Case, path: str, want: Value, got: Value) -> str:
    if want.array.dtype.kind not in "fc":
        wrong = want.array != got.array
        return (
            f"{int(wrong.sum())} of {wrong.size} values differ: {_show(got)}, Paddle gives {_show(want)}"
            if wrong.any()
            else ""
        )
    rtol, atol = TOLERANCE.get(want.dtype, DEFAULT_TOLERANCE)
    rtol, atol = case.rtol or rtol, case.atol or atol
    if path.startswith("grad."):
        rtol, atol = case.grad_rtol or rtol, case.grad_atol or atol
    close = np.isclose(got.array, want.array, rtol=rtol, atol=atol, equal_nan=True)
    if close.all():
        return ""
    with np.errstate(invalid="ignore", over="ignore"):
        worst = np.nanmax(np.abs(got.array.astype("complex128") - want.array)) if want.array.size else 0
    wrong = f"{int((~close).sum())} of {close.size} differ by up to {worst:.3g}"
    return f"{wrong}: {_show(got)}, Paddle gives {_show(want)}"


def _plain_equal(want: Any, got: Any) -> bool:
    if want == NOT_KNOWN:
        return True
    if isinstance(want, float) and isinstance(got, (int, float)):
        return bool(np.isclose(got, want, rtol=1e-6, atol=1e-12, equal_nan=True))
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(want) == len(got) and all(map(_plain_equal, want, got))
    return isinstance(got, type(want)) and isinstance(got, bool) == isinstance(want, bool) and want == got


def _show(value: Any) -> str:
    if not isinstance(value, Value):
        return repr(value)
    flat = np.array2string(value.array.ravel()[:6], precision=5, separator=", ")
    return f"{value.dtype}{list(value.array.shape)} {flat}"


def under_auto_cast(want: Record) -> dict[str, float]:
    """The tolerance under auto_cast: sums of large terms of either sign keep the digits of the terms."""
    sizes = [np.abs(leaf.array[np.isfinite(leaf.array)]).max(initial=0.0) for leaf in want.values()
             if isinstance(leaf, Value) and leaf.array.dtype.kind in "fc"]
    return {key: value if "rtol" in key else max(value, 0.01 * max(sizes, default=0.0))
            for key, value in AMP_TOLERANCE.items()}


def renamed(record: Record, want: Record) -> Record:
    """The outputs under the dtypes that are wanted: the white list makes them bfloat16, the black list float32.

    Gradients keep theirs, which must be their inputs'.
    """
    kinds = ("float16", "bfloat16", "float32")
    cast = {path for path, leaf in record.items() if path.startswith("out") and getattr(leaf, "dtype", "") in kinds
            and (getattr(want.get(path), "dtype", "") in kinds or (leaf.dtype == "bfloat16" and "float" in getattr(
                want.get(path), "dtype", "")))}
    return {path: replace(leaf, dtype=want[path].dtype) if path in cast else leaf for path, leaf in record.items()}
