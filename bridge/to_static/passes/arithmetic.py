"""Divisions and powers go through an operator, which knows what they do to Python numbers."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call

_SIGNS = (ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


class Arithmetic(Rewrite):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, _SIGNS):
            return node
        return ast.copy_location(call("divide", ast.Constant(type(node.op).__name__), node.left, node.right), node)
