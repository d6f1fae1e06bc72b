"""Everything that rewritten code may call, under the names that the rewrites use."""
from __future__ import annotations

from typing import Any

from kayax.bridge.errors import ConversionError
from kayax.bridge.journal import born, fresh
from kayax.bridge.places import UNDEFINED
from kayax.bridge.reads import note_reads
from kayax.bridge.to_static.operators import values as _values
from kayax.bridge.to_static.operators.arithmetic import augmented, binary, unary
from kayax.bridge.to_static.operators.branch import finish, if_, then, truth
from kayax.bridge.to_static.operators.call import call, made, used_up
from kayax.bridge.to_static.operators.contexts import entered
from kayax.bridge.to_static.operators.dicts import plain
from kayax.bridge.to_static.operators.filtered import default
from kayax.bridge.to_static.operators.iterate import for_
from kayax.bridge.to_static.operators.logic import and_, chain, choose, compared, in_, is_, is_not, not_, not_in, or_
from kayax.bridge.to_static.operators.loop import while_
from kayax.bridge.to_static.operators.outcome import BREAK, CONTINUE, NONE, Return, Variables
from kayax.bridge.to_static.operators.stores import (
    attribute,
    delete_attribute,
    delete_item,
    item,
    set_attribute,
    set_item,
    slice,
    sliced,
)
from kayax.bridge.to_static.operators.text import formatted, text
from kayax.bridge.to_static.operators.values import read


def assert_(test: Any, message: Any = None) -> None:
    """`assert`; on a staged tensor, the eager run raises the error where it does not hold."""
    test = truth(test)
    if _values.is_staged(test) and not _values.settled_value(test):
        _values.bail_if(_values.negated(_values.truth(test)))
    elif not _values.is_staged(test) and not test:
        raise AssertionError(*(() if message is None else (message(),)))


def matched(subject: Any) -> Any:
    """The subject of a `match` whose patterns look into objects."""
    note_reads([subject], whole=True)
    return subject


__all__ = ["BREAK", "CONTINUE", "ConversionError", "NONE", "Return", "UNDEFINED", "Variables", "and_", "assert_",
           "attribute", "augmented", "binary", "born", "call", "chain", "choose", "compared", "default",
           "delete_attribute", "delete_item", "entered", "finish", "for_", "formatted", "fresh", "if_", "in_", "is_",
           "is_not", "item", "made", "matched", "not_", "not_in", "or_", "plain", "read", "set_attribute", "set_item",
           "slice", "sliced", "text", "then", "unary", "used_up", "while_"]
