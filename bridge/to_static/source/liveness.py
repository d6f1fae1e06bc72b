"""Which names may still be read after a statement: the usual backward analysis, on the tree itself.

Every `if`, loop, `with` and `try` gets `live_out` (what may be read after it) and `live_exit` (what may be read
wherever a break, continue or return inside it, or the end of its block, leads to); an `if` also `live_in` (what its
branches may read).
"""
from __future__ import annotations

import ast

from kayax.bridge.to_static.source.activity import loaded, stored

Names = frozenset[str]
_NONE: Names = frozenset()


class Liveness:
    """One run over a function's body. `always` are names that are read at unknown times (by closures)."""

    def __init__(self, always: Names):
        self.always = always
        self.breaks: list[Names] = []
        self.continues: list[Names] = []

    def block(self, body: list[ast.stmt], after: Names) -> Names:
        """What may be read before the block, given what may be read after it."""
        leads_to = after.union(self.always, *self.breaks[-1:], *self.continues[-1:])
        live = after
        for statement in reversed(body):
            live = self.statement(statement, live, leads_to)
        return live

    def statement(self, node: ast.stmt, after: Names, leads_to: Names) -> Names:
        if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
            node.live_out, node.live_exit = after | self.always, leads_to       # type: ignore[union-attr]
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is not None:
            return method(node, after)
        return (after - frozenset(self._killed(node))) | loaded(node)

    @staticmethod
    def _killed(node: ast.stmt) -> list[str]:
        return stored(node)

    def _If(self, node: ast.If, after: Names) -> Names:
        node.live_in = self.block(node.body, after) | self.block(node.orelse, after)            # type: ignore[attr-defined]
        return node.live_in | loaded(node.test)                                                 # type: ignore[attr-defined]

    def _Return(self, node: ast.Return, after: Names) -> Names:
        return self.always | (loaded(node.value) if node.value else _NONE)

    def _Raise(self, node: ast.Raise, after: Names) -> Names:
        return after | loaded(node)             # a handler may go on with everything

    def _Break(self, node: ast.Break, after: Names) -> Names:
        return self.breaks[-1]

    def _Continue(self, node: ast.Continue, after: Names) -> Names:
        return self.continues[-1]

    def _loop(self, node: ast.For | ast.While, after: Names, head: Names, killed: Names) -> Names:
        done = self.block(node.orelse, after)
        live = done | head
        while True:
            self.breaks.append(after)
            self.continues.append(live)
            before = self.block(node.body, live)
            self.breaks.pop()
            self.continues.pop()
            new = live | (before - killed)
            if new == live:
                node.live_head = live | self.always                             # type: ignore[union-attr]
                return live
            live = new

    def _While(self, node: ast.While, after: Names) -> Names:
        return self._loop(node, after, frozenset(loaded(node.test)), _NONE)

    def _For(self, node: ast.For, after: Names) -> Names:
        targets = frozenset(stored(node.target))
        return self._loop(node, after, frozenset(loaded(node.target)), targets) | loaded(node.iter)

    def _With(self, node: ast.With, after: Names) -> Names:
        live = self.block(node.body, after)
        for item in reversed(node.items):
            if item.optional_vars is not None:
                live = (live - frozenset(stored(item.optional_vars))) | loaded(item.optional_vars)
            live |= loaded(item.context_expr)
        return live

    def _Try(self, node: ast.Try, after: Names) -> Names:
        after = self.block(node.finalbody, after)
        caught = after.union(*(self.block(h.body, after) | (loaded(h.type) if h.type else _NONE)
                               for h in node.handlers))
        done = self.block(node.orelse, after)
        # Any statement of the body may be the last one: what the handlers read is needed throughout.
        held, self.always = self.always, self.always | caught
        live = self.block(node.body, done | caught) | caught
        self.always = held
        return live
