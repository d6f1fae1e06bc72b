"""`except Exception` must not swallow the error that says a function cannot be converted: it goes on first."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, operator


class Handlers(Rewrite):
    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if node.handlers:
            first = ast.ExceptHandler(operator("ConversionError"), None, [ast.Raise(None, None)])
            node.handlers.insert(0, first)
        return node
