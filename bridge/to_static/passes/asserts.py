"""`assert test, message`: a test on a tensor is made when the program runs."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call, later


class Asserts(Rewrite):
    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        message = [later(node.msg)] if node.msg is not None else []
        return ast.copy_location(ast.Expr(call("assert_", node.test, *message)), node)
