"""The rewrites, in their order. Each is one class in a file of its own; `rewrite` runs them all. No JAX."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.arithmetic import Arithmetic
from kayax.bridge.to_static.passes.asserts import Asserts
from kayax.bridge.to_static.passes.base import Context
from kayax.bridge.to_static.passes.calls import Calls
from kayax.bridge.to_static.passes.comprehensions import Comprehensions
from kayax.bridge.to_static.passes.control import Control
from kayax.bridge.to_static.passes.fresh import Fresh
from kayax.bridge.to_static.passes.handlers import Handlers
from kayax.bridge.to_static.passes.logic import Logic
from kayax.bridge.to_static.passes.matches import Matches
from kayax.bridge.to_static.passes.reads import Reads
from kayax.bridge.to_static.passes.stores import Stores
from kayax.bridge.to_static.passes.supers import Supers
from kayax.bridge.to_static.passes.text import Text
from kayax.bridge.to_static.passes.uses import Uses
from kayax.bridge.to_static.passes.withs import Withs
from kayax.bridge.to_static.source.parse import Found

PASSES = (Supers, Comprehensions, Matches, Asserts, Handlers, Stores, Text, Logic, Arithmetic, Fresh, Reads, Calls,
          Withs, Uses)


def rewrite(found: Found, outer: Context | None = None) -> ast.FunctionDef:
    """The function's tree with everything rewritten that may depend on a tensor. outer: of what it was made inside."""
    context = Context(found, rewrite, outer)
    body = context.body
    for rewriting in PASSES:
        body = rewriting(context).block(body)
    return context.finish(Control(context).function(body))
