"""Binary and unary operators go through an operator of ours, which knows what they do to Python numbers."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call


class Arithmetic(Rewrite):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(call("binary", ast.Constant(type(node.op).__name__), node.left, node.right), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant):
            return node
        return ast.copy_location(call("unary", ast.Constant(type(node.op).__name__), node.operand), node)
