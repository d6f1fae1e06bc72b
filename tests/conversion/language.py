"""The table of the language: small functions over small tensors, each with arguments that take every path.

A case says what is expected of it:

    FULL        converts as a whole (`full_graph=True`) and does what the eager run does
    FALLBACK    runs eagerly in the default mode, with a warning; `full_graph=True` raises a ConversionError
    EITHER      converts or falls back or raises one of the errors that it allows: only never differs
    an error    both runs raise it
"""
from __future__ import annotations

import dataclasses
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError
from kayax.jit import check, to_static

FULL, FALLBACK, EITHER = "full", "fallback", "either"


@dataclasses.dataclass(frozen=True)
class Spec:
    """A tensor to be made afresh for each run of a case."""

    values: Any
    dtype: str
    grad: bool

    def make(self):
        return paddle.to_tensor(np.asarray(self.values, self.dtype), stop_gradient=not self.grad)


def num(value, grad=False, dtype="float32"):
    """A number. One that wants a gradient makes a staged loop slow to compile, so most loops have `num`, not `dnum`."""
    return Spec(value, dtype, grad)


def vec(*values, grad=False, dtype="float32"):
    """A vector of numbers."""
    return Spec(values, dtype, grad)


def mat(*rows, grad=False, dtype="float32"):
    """A matrix."""
    return Spec(rows, dtype, grad)


dnum, dvec, dmat = (functools.partial(make, grad=True) for make in (num, vec, mat))     # these want a gradient


def whole(*values, dtype="int64"):
    """One integer, or a vector of several."""
    return Spec(values[0] if len(values) == 1 else values, dtype, False)


def flag(value):
    return Spec(value, "bool", False)


@dataclasses.dataclass
class Case:
    topic: str
    name: str
    subject: Any                            # a function, or a class: a Layer, or one with a method `run`
    arguments: list[tuple]
    expect: Any = FULL
    calls: int = 2
    allowed: tuple = ()                     # errors that EITHER may end in
    kwargs: dict = dataclasses.field(default_factory=dict)
    rtol: float | None = None
    grad: bool = True                       # whether gradients of what is returned are compared
    slow: bool = False                      # left out by `make test`
    mixed: bool = False                     # some path gives a number where another gives a Tensor
    given_up: int | None = None             # whether runs are done over eagerly, if that is to be looked at
    held: Any = None                        # the object whose method runs

    @property
    def id(self) -> str:
        return f"{self.topic}/{self.name}"

    def function(self) -> Any:
        """What is to be converted, with fresh state."""
        if not inspect.isclass(self.subject):
            return self.subject
        self.held = self.subject()
        return self.held if isinstance(self.held, nn.Layer) else self.held.run


CASES: dict[str, Case] = {}


def case(*arguments: Any, expect: Any = FULL, name: str | None = None, **options: Any) -> Callable:
    """Enter a function or class into the table. Each of `arguments` is one call's: a tuple, or a single argument."""
    def enter(subject: Any) -> Any:
        topic = subject.__module__.rsplit("cases_", 1)[-1]
        found = Case(topic, name or subject.__name__, subject, [a if isinstance(a, tuple) else (a,) for a in arguments],
                     expect, **options)
        assert found.id not in CASES, f"{found.id} is there twice"
        CASES[found.id] = found
        return subject

    return enter


def made(value: Any) -> Any:
    """Arguments with their tensors made."""
    if isinstance(value, Spec):
        return value.make()
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(made(v) for v in value)
    if isinstance(value, dict):
        return {k: made(v) for k, v in value.items()}
    return value


def converted(function: Any, full_graph: bool) -> Any:
    return to_static(function, full_graph=full_graph)


def agree(case: Case, full_graph: bool) -> list[Any]:
    """Check every call of a case with one converted function: the reports."""
    function = converted(case.function(), full_graph)
    calls = [case.calls, *[1] * (len(case.arguments) - 1)]
    reports = [check(function, *made(a), calls=n, rtol=case.rtol, grad=case.grad, **made(case.kwargs))
               for a, n in zip(case.arguments, calls, strict=True)]
    if case.given_up is not None and full_graph:
        assert bool(function.bails) == case.given_up, f"{function.bails} runs were given up"
    return reports


def run(case: Case) -> None:
    """Hold a case to what it expects."""
    if case.expect == FULL:
        for report in agree(case, True):
            assert report.raised is None and not report.fell_back, report
            numbers = [note for note in report.notes if "is a number" in note]
            assert not numbers or case.mixed, numbers
    elif case.expect == FALLBACK:
        with pytest.raises(ConversionError):
            agree(case, True)
        reports = agree(case, False)
        assert any(r.fell_back for r in reports) and any(r.warnings for r in reports), reports
    elif case.expect == EITHER:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                agree(case, False)
            except (ConversionError, *case.allowed):
                pass
    else:
        for report in agree(case, True):
            assert report.raised is not None and issubclass(report.raised, case.expect), report


def run_eagerly(case: Case) -> None:
    """Every call of a case, eagerly: the table itself is right."""
    paddle.jit.enable_to_static(False)
    function = case.function()
    for arguments in case.arguments:
        try:
            function(*made(arguments), **made(case.kwargs))
        except Exception as error:
            if case.expect == EITHER and isinstance(error, case.allowed):
                continue
            if not isinstance(case.expect, type) or not isinstance(error, case.expect):
                raise
        else:
            assert not isinstance(case.expect, type), "nothing was raised"
