"""Calls at their edges (no elements, no dimensions, other dtypes, every axis and option) against real Paddle 3.3.1."""

from __future__ import annotations

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


def departures(lines: list[str], static: bool = False) -> list[str]:
    """The lines that depart from Paddle without a reason, or are not known to depart, and how."""
    P = importlib.import_module(MODULE)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # of logarithms of 0 and the like, in what is compared as well
        for line in lines:
            want = recorded()[line]
            wrong = edges.problems(line, want, edges.outcome(P, line, static), static)
            if wrong and not (reason(line, wrong) and (static or line in known())):
                found.append(f"{line}\n    " + "\n    ".join(wrong))
    return found


def check(lines: list[str], static: bool = False) -> None:
    found = departures(lines, static)
    assert not found, f"{len(found)} of {len(lines)} depart from Paddle:\n" + "\n".join(found)


def test_every_line_is_recorded_or_makes_paddle_crash() -> None:
    """The variants are those of the record: after a change of edges.txt, record_edges.py has to run."""
    lines = all_lines()
    assert recorded().keys() <= lines.keys()
    assert len(recorded()) > 0.98 * len(lines)


def test_some_edges() -> None:
    check(list(recorded())[::EVERY])


def test_some_edges_converted() -> None:
    """As eagerly, where there is no error: a program cannot refuse values."""
    check([line for line in list(recorded())[::4 * EVERY] if "error" not in recorded()[line]], static=True)


PATHS = sorted({line.partition(" | ")[0] for line in base_lines()})
TOPICS = {f"{PATHS[i]} to {PATHS[min(i + 40, len(PATHS)) - 1]}": PATHS[i:i + 40] for i in range(0, len(PATHS), 40)}


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_all_edges(topic: str) -> None:
    check([line for line in recorded() if line.partition(" | ")[0] in TOPICS[topic]])


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_edges_converted(topic: str) -> None:
    lines = [line for line in recorded() if line.partition(" | ")[0] in TOPICS[topic]]
    check([line for line in lines[::CONVERTED] if "error" not in recorded()[line]], static=True)
