"""Reading a variable that a staged statement may have left undefined, or None on one path, is checked."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call


class Uses(Rewrite):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        raw = hasattr(node, "raw") or hasattr(node, "generated") or not isinstance(node.ctx, ast.Load)
        if raw or node.id not in self.context.staged:
            return node
        return ast.copy_location(call("read", node), node)
