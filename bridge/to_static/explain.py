"""`jit.explain`: what became of a function, as a report that reads well."""
from __future__ import annotations

import dataclasses
import types
from typing import Any

from kayax.bridge.to_static.convert import converted, is_users, reason
from kayax.bridge.to_static.fallback import untouched, why
from kayax.bridge.to_static.program import Program
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.bridge.trace import Rolls


@dataclasses.dataclass
class Explanation:
    """What `explain` found.

    converted: the users' functions that were rewritten, with their lines. plain: those that run as they are written,
    and why. fallbacks: why calls run eagerly. guards: the Python facts that the newest program depends on. programs:
    a line for each program: what it is for and why it was made. bails: how many runs of programs were given up and
    done eagerly.
    """

    name: str
    converted: list[str]
    plain: dict[str, str]
    fallbacks: list[str]
    guards: list[str]
    programs: list[str]
    bails: int

    def __repr__(self) -> str:
        def section(title: str, lines: list[str]) -> list[str]:
            return [f"{title}:", *("  " + line.replace("\n", "\n    ") for line in lines)] if lines else []

        plain = [f"{name}: {text}" for name, text in self.plain.items()]
        lines = [f"{self.name}: {len(self.programs)} programs" + (", runs eagerly" if self.fallbacks else "")]
        lines += section("converted", self.converted) + section("as written", plain)
        lines += section("eager, because", self.fallbacks) + section("programs", self.programs)
        lines += section("depends on", self.guards)
        return "\n".join(lines + ([f"given up and run eagerly: {self.bails} times"] if self.bails else []))


def explain(function: Any, *args: Any, **kwargs: Any) -> Explanation:
    """What was converted of a function, what runs eagerly and why, what its programs depend on, and why each was made.

    function: what `to_static` takes, or has given. args, kwargs: arguments of a call; if there is no program for them
    yet, it is traced for the report and dropped again: nothing is run and nothing changes.
    """
    static = _static(function)
    made = [p for group in static.programs.values() for p in group]
    fallbacks = [why(e) for e in static.fallbacks.values()]
    newest = max(made, key=lambda p: p.serial) if made else None
    if args or kwargs:
        found, error = _traced(static, args, kwargs)
        newest = found or newest
        fallbacks += [why(error)] if error is not None and why(error) not in fallbacks else []
    functions = list(newest.fact.functions) if newest is not None else [static._function]
    done = [f for f in functions if converted(f) is not f]
    plain = {_name(f): reason(f) or "paddle.jit.not_to_static" for f in functions
             if converted(f) is f and (is_users(f) or getattr(f, "_not_to_static", False))}
    return Explanation(getattr(static, "__name__", "function"), [_name(f) for f in done], plain, fallbacks,
                       _facts(newest) if newest is not None else [], [f"{p.made_for}" for p in made], static.bails)


def _static(function: Any) -> StaticFunction:
    if hasattr(function, "named_sublayers"):
        function = function.forward
    if isinstance(function, StaticFunction):
        return function
    if isinstance(function, types.MethodType):
        return StaticFunction(function.__func__, instance=function.__self__, holds=True)
    return StaticFunction(function)


def _traced(static: StaticFunction, args: tuple, kwargs: dict[str, Any]) -> tuple[Program | None, Exception | None]:
    tensors, key = static._key(args, kwargs)
    for made in static.programs.get(key, ()):
        if made.applies(tensors):
            return made, None
    program: Program | None = None
    for rolls in (Rolls(), None):
        with untouched(keep=False) as attempt:
            program = static._make(args, kwargs, tensors, "for this report", rolls)
        if attempt.error is None or rolls is None or not rolls.used:
            break
    return program, attempt.error


def _facts(program: Program) -> list[str]:
    labels = dict.fromkeys(g.label for g in program.guards)
    labels |= dict.fromkeys(n.label for n in program.names)
    return list(labels)


def _name(function: Any) -> str:
    code = function.__code__
    return f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
