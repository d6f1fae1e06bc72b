"""`super()` without arguments finds its frame's first argument: name it, since code moves into inner functions."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, generated, load


class Supers(Rewrite):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super" and not node.args and self.context.receiver:
            return generated(ast.Call(func, [load("__class__"), load(self.context.receiver)], []))
        return node
