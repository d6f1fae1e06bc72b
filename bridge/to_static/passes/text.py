"""f-strings: the value of a tensor is put into the text when the program runs."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call


class Text(Rewrite):
    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        parts: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                spec = value.format_spec if value.format_spec is not None else ast.Constant("")
                parts.append(call("formatted", self.visit(value.value), ast.Constant(value.conversion),
                                  self.visit(spec)))
            else:
                parts.append(value)
        return ast.copy_location(call("text", *parts), node)
