"""A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, algorithms 3.5, 3.6)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

DECREASE, CURVATURE = 1e-4, 0.9         # the conditions' constants


class Point(NamedTuple):
    """Where a line has been looked at: how far along, the loss there, its gradient, and the slope along the line."""

    step: float
    loss: float
    gradient: Any
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """The minimum, within `bounds`, of the cubic with these values and slopes at two points; their middle if none."""
    low, high = sorted((a.step, b.step)) if bounds is None else bounds
    left, right = (a, b) if a.step <= b.step else (b, a)
    width = right.step - left.step
    bend = left.slope + right.slope + 3 * (left.loss - right.loss) / width
    square = bend * bend - left.slope * right.slope
    if not square >= 0:                 # nan as well
        return (low + high) / 2
    root = square ** 0.5
    total = right.slope - left.slope + 2 * root
    if total == 0:
        return (low + high) / 2
    found = right.step - width * (right.slope + root - bend) / total
    return min(max(found, low), high)


def strong_wolfe(look: Callable[[float], Point], start: Point, step: float, size: float,
                 tolerance_change: float = 1e-9, max_looks: int = 25) -> tuple[Point, int]:
    """A point that satisfies the conditions, or the best one found; and how many points were looked at.

    look: evaluates the loss at a step along the line. start: the point at step 0. step: the first one to try.
    size: the largest element of the line's direction; intervals that change nothing by more than `tolerance_change`
    end the search.
    """
    def too_high(point: Point) -> bool:
        return point.loss > start.loss + DECREASE * point.step * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    last, point, looks = start, look(step), 1
    bracket: list[Point] = []
    for i in range(max_looks):
        if too_high(point) or (i > 1 and point.loss >= last.loss):
            bracket = [last, point]
        elif flat(point):
            return point, looks
        elif point.slope >= 0:
            bracket = [last, point]
        if bracket:
            break
        bounds = point.step + 0.01 * (point.step - last.step), 10 * point.step
        last, point = point, look(cubic_minimum(last, point, bounds))
        looks += 1
    if not bracket:
        return min(start, point, key=lambda p: p.loss), looks
    return _zoom(look, bracket, too_high, flat, size, tolerance_change, looks, max_looks)


def _zoom(look: Callable[[float], Point], bracket: list[Point], too_high: Callable[[Point], bool],
          flat: Callable[[Point], bool], size: float, tolerance_change: float, looks: int,
          max_looks: int) -> tuple[Point, int]:
    """Narrow an interval that holds a point that satisfies the conditions."""
    best, other = sorted(bracket, key=lambda p: p.loss)
    hesitated = False                   # whether the last step was close to an end of the interval
    while looks <= max_looks and abs(other.step - best.step) * size >= tolerance_change:
        step = cubic_minimum(best, other)
        low, high = sorted((best.step, other.step))
        margin = 0.1 * (high - low)
        near = min(high - step, step - low) < margin
        if near and (hesitated or step >= high or step <= low):
            step = high - margin if abs(step - high) < abs(step - low) else low + margin
            near = False
        hesitated = near
        point = look(step)
        looks += 1
        if too_high(point) or point.loss >= best.loss:
            best, other = sorted((best, point), key=lambda p: p.loss)
            continue
        if flat(point):
            return point, looks
        if point.slope * (other.step - best.step) >= 0:
            other = best
        best = point
    return best, looks
