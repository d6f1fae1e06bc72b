"""Library functions that give something else in every call: a program would ask them once, when it is made."""
from __future__ import annotations

import datetime
import os
import random
import time
import uuid
from typing import Any

import numpy as np

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import may_be_older

_CLOCKS = {getattr(time, name + unit) for unit in ("", "_ns")
           for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time")}
_IMPURE = frozenset({*_CLOCKS, os.urandom, uuid.uuid1, uuid.uuid4, input})
_NOW = {(kind, name) for kind in (datetime.datetime, datetime.date) for name in ("now", "utcnow", "today")}
GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
# Those behind `random` and `numpy.random`, whose states every attempt to make a program compares.
_DRAWS: tuple[Any, ...] = (random.random, np.random.rand)
_WATCHED = tuple([draw.__self__ for draw in _DRAWS])
# Pure if they are given a seed.
_SEEDED = frozenset({np.random.default_rng, np.random.RandomState, np.random.PCG64, np.random.MT19937, random.Random})


def check(function: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Refuse to make a call, while a program is made, whose result differs from call to call."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, GENERATORS):
        varies = owner not in _WATCHED and may_be_older(owner)
    elif isinstance(owner, type):
        varies = (owner, getattr(function, "__name__", "")) in _NOW
    else:
        try:
            varies = function in _IMPURE or (function in _SEEDED and not args and not kwargs)
        except TypeError:                                       # it cannot be hashed
            return
    if varies:
        name = getattr(function, "__qualname__", getattr(function, "__name__", type(function).__name__))
        raise ConversionError(
            f"`{name}` gives something else in every call; a program would ask for it once, when it is made."
            f"{at_user_line()}\nCall it outside and pass the result in; programs draw random numbers with paddle.rand "
            "and the like.")
