"""Paddle's operations in terms of this project's: one table, gathered from its topics.

A rule takes the operation's arguments and attributes as one dict, and gives a value, a list, or a tuple of results.
`training` is in the dict, too.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.io.paddle import rules_creation, rules_elementwise, rules_network, rules_shape

RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    **rules_elementwise.RULES, **rules_shape.RULES, **rules_creation.RULES, **rules_network.RULES}

# Rules that take values which are known when the program is converted as they are.
KEEPS_KNOWN = rules_creation.KEEPS_KNOWN
