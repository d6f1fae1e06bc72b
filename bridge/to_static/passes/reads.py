"""Attributes are read by an operator, which notes what the program takes for granted."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call


class Reads(Rewrite):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if hasattr(node, "generated") or not isinstance(node.ctx, ast.Load):
            return node
        return ast.copy_location(call("attribute", node.value, ast.Constant(self.context.mangled(node.attr))), node)
