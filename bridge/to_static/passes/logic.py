"""`and`, `or`, `not`, conditional expressions, comparison chains, `is` and `in`."""
from __future__ import annotations

import ast
from typing import Any

from kayax.bridge.to_static.passes.base import (
    Context,
    Rewrite,
    assign,
    call,
    generated,
    has_walrus,
    is_text,
    later,
    load,
    put_back,
)
from kayax.bridge.to_static.source.activity import SCOPES


class Logic(Rewrite):
    def __init__(self, context: Context):
        super().__init__(context)
        self.made: list[ast.stmt] = []          # functions that store what a walrus stores in a part that may not run

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        new = super().block(body)
        first = new[:1] if is_text(new[:1]) else []
        return [*first, *self.made, *new[len(first):]]

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        names = _walruses(node.values[1:])
        if names is None:
            return node
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        return self._storing(names, call(name, node.values[0], *map(self._later, node.values[1:])), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.copy_location(call("not_", node.operand), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        names = _walruses([node.body, node.orelse])
        if names is None:
            return node
        return self._storing(names, call("choose", node.test, self._later(node.body), self._later(node.orelse)), node)

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

    # ---- `:=` in a part that may not run -------------------------------------------------------------------------

    def _later(self, node: ast.expr) -> ast.expr:
        return later(_Stored(self).visit(node))

    def _storing(self, names: list[str], new: ast.Call, node: ast.expr) -> ast.AST:
        """The call with the variables that its parts may store, which the operator carries from path to path."""
        if names:
            get, put, values = (self.context.fresh(s) for s in ("get", "set", "values"))
            self.define(get, [], [], [ast.Return(ast.List([later(load(n)) for n in names], ast.Load()))])
            self.define(put, [values], names, put_back(names, values))
            text: list[ast.expr] = [ast.Constant(n) for n in names]
            given = call("Variables", ast.Tuple(text, ast.Load()), load(get), load(put))
            new.keywords = [ast.keyword("variables", given)]
            new.walruses = names                                                    # type: ignore[attr-defined]
        return ast.copy_location(new, node)

    def define(self, name: str, arguments: list[str], names: list[str], body: list[ast.stmt]) -> None:
        """A function at the beginning of the user's, which stores variables of that."""
        context = self.context
        declared: list[ast.stmt] = [
            kind(found) for kind, found in ((ast.Global, [n for n in names if n in context.globals]),
                                            (ast.Nonlocal, [n for n in names if n not in context.globals])) if found]
        args = ast.arguments(posonlyargs=[], args=[ast.arg(a) for a in arguments], kwonlyargs=[], kw_defaults=[],
                             defaults=[])
        function = ast.FunctionDef(name, args, [*declared, *body], [], None, None)
        self.made.append(ast.fix_missing_locations(ast.copy_location(function, self.context.node)))


class _Stored(ast.NodeTransformer):
    """`(name := value)` as a call of a function that stores it."""

    def __init__(self, logic: Logic):
        self.logic = logic

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, SCOPES) and not hasattr(node, "generated") else super().visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        put, value = (self.logic.context.fresh(s) for s in ("store", "value"))
        name = node.target.id
        self.logic.define(put, [value], [name], [assign(name, load(value)), ast.Return(load(value))])
        return ast.copy_location(generated(ast.Call(load(put), [node.value], [])), node)


def _walruses(nodes: list[ast.expr]) -> list[str] | None:
    """The variables that these parts store; None if a comprehension in one stores some."""
    found: dict[str, None] = {}
    for node in nodes:
        for inner in ast.walk(node):
            if getattr(inner, "stores", ()):
                return None
            names = [inner.target.id] if isinstance(inner, ast.NamedExpr) else getattr(inner, "walruses", ())
            found.update(dict.fromkeys(names))
    return list(found)
