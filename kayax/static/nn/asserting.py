"""``static.nn.control_flow.Assert``: a program that stops where a condition is false."""
from __future__ import annotations

from collections.abc import Sequence

from kayax.bridge.checked import check_variable
from kayax.bridge.examined import examining
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import values
from kayax.static.extras import shown


def Assert(cond: Tensor, data: Sequence[Tensor] | None = None, summarize: int = 20, name: str | None = None) -> None:
    """Raise ValueError when the program runs and `cond`, a boolean variable with one element, is false.

    data: variables to print then, `summarize` elements of each (all, if -1).
    """
    check_variable(cond, "cond", "Assert", "b")
    for what, value, kinds in (("data", data, (list, tuple, type(None))), ("summarize", summarize, int),
                               ("name", name, (str, type(None)))):
        if not isinstance(value, kinds):
            raise TypeError(f"{what} of Assert cannot be a {type(value).__name__}.")
    _check(cond, list(data or ()), [v.name for v in data or ()], summarize)


def _check_now(cond: Tensor, data: list[Tensor], names: list[str], summarize: int) -> None:
    if examining():
        return
    if values.is_staged(cond):                  # the run is then done over, operation by operation
        values.bail_if(values.negated(values.truth(cond.flatten().all())))
    elif not bool(cond.numpy().all()):
        for name, value in zip(names, data, strict=True):
            print(shown(value.numpy(), name, summarize), flush=True)
        raise ValueError("The condition of an Assert in the program is false.")


_check_now.has_effect = True                    # type: ignore[attr-defined]
_check = staged(_check_now)

__all__ = ["Assert"]
