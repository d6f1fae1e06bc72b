"""Stores into attributes and items go through operators, which note what a branch changes.

`a.b = v`, `a[i] = v`, `del a[i]`, `a.b += v`, and such targets inside of tuples and of `for`.
"""
from __future__ import annotations

import ast
from typing import Any

from kayax.bridge.to_static.passes.base import Rewrite, assign, call, load, store

_PLACES = (ast.Attribute, ast.Subscript)


class Stores(Rewrite):
    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        if not any(isinstance(n, _PLACES) and not isinstance(n.ctx, ast.Load) for t in node.targets
                   for n in ast.walk(t)):
            return node
        if len(node.targets) == 1 and isinstance(node.targets[0], _PLACES):
            return self._put(node.targets[0], node.value)
        value = self.context.fresh("value")
        made: list[ast.stmt] = [ast.copy_location(assign(value, node.value), node)]
        for target in node.targets:
            made += self._unpack(target, load(value))
        return made

    def _unpack(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """Assign to a target, with names of our own for the places in it, which are written afterwards."""
        if isinstance(target, _PLACES):
            return [self._put(target, value)]
        places = _Places(self)
        plain: Any = places.visit(target)
        first = ast.copy_location(ast.Assign([plain], value), target)
        return [first, *(self._put(place, load(name)) for name, place in places.found)]

    def _put(self, target: ast.Attribute | ast.Subscript, value: ast.expr) -> ast.stmt:
        if isinstance(target, ast.Attribute):
            made = call("set_attribute", value, target.value, ast.Constant(self.context.mangled(target.attr)))
        else:
            made = call("set_item", value, target.value, index(target.slice))
        return ast.copy_location(ast.Expr(ast.copy_location(made, target)), target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return node if isinstance(node.target, ast.Name) else None
        if isinstance(node.target, ast.Name):
            return ast.copy_location(ast.Assign([node.target], node.value), node)
        return self._put(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        sign = ast.Constant(type(node.op).__name__)
        target = node.target
        if isinstance(target, ast.Name):
            made: list[ast.stmt] = [assign(target.id, call("augmented", sign, load(target.id), node.value))]
        else:
            owner = self.context.fresh("owner")
            made = [assign(owner, target.value)]
            if isinstance(target, ast.Attribute):
                old: ast.expr = ast.Attribute(load(owner), target.attr, ast.Load())
                place: ast.Attribute | ast.Subscript = ast.Attribute(load(owner), target.attr, ast.Store())
            else:
                key = self.context.fresh("key")
                made.append(assign(key, index(target.slice)))
                old = ast.Subscript(load(owner), load(key), ast.Load())
                place = ast.Subscript(load(owner), load(key), ast.Store())
            ast.copy_location(place, target)
            made.append(self._put(place, call("augmented", sign, old, node.value)))
        return [ast.copy_location(m, node) for m in made]

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                name = ast.Constant(self.context.mangled(target.attr))
                made.append(ast.Expr(call("delete_attribute", target.value, name)))
            elif isinstance(target, ast.Subscript):
                made.append(ast.Expr(call("delete_item", target.value, index(target.slice))))
            else:
                made.append(ast.Delete([target]))
        return [ast.copy_location(m, node) for m in made]

    def visit_For(self, node: ast.For) -> ast.AST:
        places = _Places(self)
        target: Any = places.visit(node.target)
        node.target = target
        node.body = [*(self._put(place, load(name)) for name, place in places.found), *self.block(node.body)]
        node.orelse = self.block(node.orelse)
        return node


class _Places(ast.NodeTransformer):
    """Replaces the attributes and items in a target by names, and remembers them."""

    def __init__(self, stores: Stores):
        self.stores = stores
        self.found: list[tuple[str, ast.Attribute | ast.Subscript]] = []

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _PLACES):
            name = self.stores.context.fresh("item")
            self.found.append((name, node))
            return ast.copy_location(store(name), node)
        return super().generic_visit(node)


def index(node: ast.expr) -> ast.expr:
    """An index as an expression: slices become calls of `slice`."""
    if isinstance(node, ast.Slice):
        parts = [p if p is not None else ast.Constant(None) for p in (node.lower, node.upper, node.step)]
        return ast.copy_location(call("slice", *parts), node)
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([index(e) for e in node.elts], ast.Load()), node)
    return node
