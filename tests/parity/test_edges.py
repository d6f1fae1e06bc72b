"""Calls at their edges (no elements, no dimensions, other dtypes, every axis and option) against real Paddle 3.3.1."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import warnings
from pathlib import Path

import edges
import pytest
import store
from edge_differences import reason
from edge_variants import all_lines, base_lines

MODULE = os.environ.get("KAYAX_PARITY_MODULE", "kayax")
EVERY = 211         # of so many lines the quick test takes one; a prime, so that all kinds of edges are among them
CONVERTED = 5       # and the slow one converts one


@functools.cache
def recorded() -> dict[str, edges.Record]:
    return {line: record for line, (_, record) in store.load("edge_calls").items()}


@functools.cache
def known() -> frozenset[str]:
    """The lines that depart eagerly, for a reason: docs/edge_figures.py lists them."""
    return frozenset(Path(__file__).with_name("edge_departures.txt").read_text().splitlines())


def departures(lines: list[str], static: bool = False, amp: bool = False) -> list[str]:
    """The lines that depart from Paddle without a reason, or are not known to depart, and how."""
    P = importlib.import_module(MODULE)
    found = []
    with warnings.catch_warnings(), P.amp.auto_cast(dtype="bfloat16") if amp else contextlib.nullcontext():
        warnings.simplefilter("ignore")         # of logarithms of 0 and the like, in what is compared as well
        for line in lines:
            want = in_float32(line) if amp and line in known() else recorded()[line]
            wrong = edges.problems(line, want, edges.outcome(P, line, static), static, amp)
            if wrong and not (reason(line, wrong) and (static or line in known())):
                found.append(f"{line}\n    " + "\n    ".join(wrong))
    return found


def in_float32(line: str) -> edges.Record:
    """What a line that departs from Paddle on purpose gives without auto_cast."""
    P = importlib.import_module(MODULE)
    with P.amp.auto_cast(enable=False):
        return edges.outcome(P, line)


def check(lines: list[str], static: bool = False, amp: bool = False) -> None:
    found = departures(lines, static, amp)
    assert not found, f"{len(found)} of {len(lines)} depart from Paddle:\n" + "\n".join(found)


def results(lines: list[str]) -> list[str]:
    """Those of the lines that raise no error: a program cannot refuse values."""
    return [line for line in lines if "error" not in recorded()[line]]


def test_every_line_is_recorded_or_makes_paddle_crash() -> None:
    """The variants are those of the record: after a change of edges.txt, record_edges.py has to run."""
    lines = all_lines()
    assert recorded().keys() <= lines.keys()
    assert len(recorded()) > 0.98 * len(lines)


def test_some_edges() -> None:
    check(list(recorded())[::EVERY])


def test_some_edges_converted() -> None:
    check(results(list(recorded())[::4 * EVERY]), static=True)


def test_some_edges_under_auto_cast() -> None:
    check(list(recorded())[1::2 * EVERY], amp=True)


PATHS = sorted({line.partition(" | ")[0] for line in base_lines()})
TOPICS = {f"{PATHS[i]} to {PATHS[min(i + 40, len(PATHS)) - 1]}": PATHS[i:i + 40] for i in range(0, len(PATHS), 40)}


def lines_of(topic: str) -> list[str]:
    return [line for line in recorded() if line.partition(" | ")[0] in TOPICS[topic]]


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_all_edges(topic: str) -> None:
    check(lines_of(topic))


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_edges_under_auto_cast(topic: str) -> None:
    check(lines_of(topic), amp=True)


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_edges_converted(topic: str) -> None:
    check(results(lines_of(topic)[::CONVERTED]), static=True)
