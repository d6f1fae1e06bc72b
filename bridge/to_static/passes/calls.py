"""Every call goes through an operator, which rewrites what it calls; items are looked up by one as well."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call

_NATIVE = {"super", "globals", "vars", "dir", "__import__", "breakpoint"}          # they look at the frame they are in


class Calls(Rewrite):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        native = isinstance(node.func, ast.Name) and node.func.id in _NATIVE and not (
            node.func.id == "vars" and node.args)
        if hasattr(node, "generated") or native:
            return node
        for keyword in node.keywords:
            if keyword.arg is None:             # the items of a dict
                keyword.value = ast.copy_location(call("plain", keyword.value), keyword.value)
        return ast.copy_location(call("call", node.func, *node.args, keywords=node.keywords), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or any(isinstance(n, (ast.Slice, ast.Starred))
                                                     for n in ast.walk(node.slice)):
            return node
        return ast.copy_location(call("item", node.value, node.slice), node)
