"""`and`, `or`, `not`, conditional expressions, comparison chains, `is` and `in`."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call, has_walrus, later


class Logic(Rewrite):
    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if any(has_walrus(v) for v in node.values[1:]):         # what is stored in a part that may not run: Python's
            return node
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        return ast.copy_location(call(name, node.values[0], *map(later, node.values[1:])), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.copy_location(call("not_", node.operand), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if has_walrus(node.body) or has_walrus(node.orelse):
            return node
        return ast.copy_location(call("choose", node.test, later(node.body), later(node.orelse)), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1:
            return self._one(node)
        if any(has_walrus(c) for c in node.comparators[1:]):
            return node
        signs = [ast.Constant(type(o).__name__) for o in node.ops]
        rest = [later(c) for c in node.comparators]
        return ast.copy_location(call("chain", node.left, ast.Tuple(list(signs), ast.Load()), *rest), node)

    def _one(self, node: ast.Compare) -> ast.AST:
        sign, left, right = node.ops[0], node.left, node.comparators[0]
        if isinstance(sign, (ast.Is, ast.IsNot)):
            for side in (left, right):
                if isinstance(side, ast.Name):
                    side.raw = True         # type: ignore[attr-defined]  # what it stands for is the question
            return ast.copy_location(call("is_" if isinstance(sign, ast.Is) else "is_not", left, right), node)
        if isinstance(sign, (ast.In, ast.NotIn)):
            return ast.copy_location(call("in_" if isinstance(sign, ast.In) else "not_in", left, right), node)
        return ast.copy_location(call("compared", left, ast.Constant(type(sign).__name__), right), node)
