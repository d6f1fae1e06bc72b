"""What `with` enters and leaves, an operator calls."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call


class Withs(Rewrite):
    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        for item in node.items:
            item.context_expr = ast.copy_location(call("entered", item.context_expr), item.context_expr)
        return node
