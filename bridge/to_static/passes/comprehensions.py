"""Comprehensions become loops in functions of their own, so that a tensor may decide a filter, or how many rounds.

The function stands before the statement that the comprehension is in, takes what the first `for` goes over, and is
called where the comprehension was: as in Python, its variables are its own, and a walrus stores outside of it. A
generator that stays lazy is left to Python; one that a built-in function uses up at once has both forms, since only a
call knows what the function is.
"""
from __future__ import annotations

import ast
import copy
from typing import Any

from kayax.bridge.to_static.passes.base import Context, Rewrite, assign, call, generated, load
from kayax.bridge.to_static.source import activity
from kayax.bridge.to_static.source.parse import Found

EAGER = frozenset({"sum", "list", "tuple", "max", "min", "sorted", "set", "frozenset", "dict"})     # use all items
EARLY = frozenset({"any", "all", "next"})           # stop at the first item that decides
_EMPTY: dict[type, ast.expr] = {ast.ListComp: ast.List([], ast.Load()), ast.DictComp: ast.Dict([], []),
                                ast.SetComp: ast.Call(ast.Name("set", ast.Load()), [], [])}
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Comprehensions(Rewrite):
    def __init__(self, context: Context):
        super().__init__(context)
        self.made: list[list[ast.stmt]] = []        # for each statement around, what goes before it

    def visit(self, node: ast.AST) -> Any:
        if not isinstance(node, ast.stmt):
            return super().visit(node)
        self.made.append([])
        new = super().visit(node)
        made = self.made.pop()
        return [*made, new] if made else new

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.AST:
        if any(g.is_async for g in node.generators):
            return node
        first = node.generators[0]
        name, iterable = self._function(node, "items"), self.visit(first.iter)
        return ast.copy_location(_called(name, [iterable], node), node)

    visit_SetComp = visit_DictComp = visit_ListComp

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        node.generators[0].iter = self.visit(node.generators[0].iter)       # which alone is evaluated out here
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        known = isinstance(node.func, ast.Name) and node.func.id in EAGER | EARLY
        if not known or not node.args or not isinstance(node.args[0], ast.GeneratorExp):
            return self.generic_visit(node)
        items = node.args[0]
        if any(g.is_async for g in items.generators) or (node.func.id in EARLY and not _filtered(items)):   # type: ignore[attr-defined]
            return self.generic_visit(node)
        at_once = self._function(items, node.func.id)                                   # type: ignore[attr-defined]
        source = self.context.fresh("source")
        iterable = self.visit(items.generators[0].iter)
        items.generators[0].iter = load(source)
        arguments = ast.arguments(posonlyargs=[], args=[ast.arg(source)], kwonlyargs=[], kw_defaults=[], defaults=[])
        lazily = generated(ast.Lambda(arguments, items))
        rest = [self.visit(a) for a in node.args[1:]]
        new = _called("used_up", [node.func, iterable, lazily, load(at_once), *rest], items)
        new.keywords = [self.visit(k) for k in node.keywords]
        return ast.copy_location(new, node)

    def _function(self, node: Comprehension, stem: str) -> str:
        """Define the function of a comprehension before the statement; its name."""
        node = copy.deepcopy(node)
        name, source, out = (self.context.fresh(s) for s in (stem, "source", "out"))
        node.generators[0].iter = load(source)
        rest: list[ast.arg] = []                        # more parameters
        if stem == "next":
            default = self.context.fresh("default")
            rest = [ast.arg(default)]
            last: list[ast.stmt] = [ast.Return(node.elt)]                               # type: ignore[union-attr]
            body: list[ast.stmt] = [*_loops(node.generators, last), ast.Return(call("default", load(default)))]
        elif stem in EARLY:
            decides = node.elt if stem == "any" else ast.UnaryOp(ast.Not(), node.elt)   # type: ignore[union-attr]
            last = [ast.If(decides, [ast.Return(ast.Constant(stem == "any"))], [])]
            body = [*_loops(node.generators, last), ast.Return(ast.Constant(stem == "all"))]
        else:
            empty = copy.deepcopy(_EMPTY.get(type(node), _EMPTY[ast.ListComp]))
            body = [assign(out, empty), *_loops(node.generators, self._added(node, out)), ast.Return(load(out))]
        context = self.context
        outside = [n for n in activity.stored(node) if n in context.variables]         # by a walrus
        for kind, names in ((ast.Global, [n for n in outside if n in context.globals]),
                            (ast.Nonlocal, [n for n in outside if n not in context.globals])):
            body[:0] = [kind(names)] if names else []
        arguments = ast.arguments(posonlyargs=[], args=[ast.arg(source), *rest], kwonlyargs=[], kw_defaults=[],
                                  defaults=[])
        plain = ast.FunctionDef(name, arguments, body, [], None, None)
        for part in ast.walk(plain):
            if "lineno" in part._attributes and not hasattr(part, "lineno"):
                ast.copy_location(part, node)
        found = Found(plain, context.found.class_name, context.found.file)
        function = context.rewrite(found, context)
        function.mentions = activity.shared([node])[0]                          # type: ignore[attr-defined,list-item]
        self.made[-1].append(ast.copy_location(function, node))
        return name

    def _added(self, node: Comprehension, out: str) -> list[ast.stmt]:
        """The statements that add one item."""
        if isinstance(node, ast.DictComp):
            key = self.context.fresh("key")
            return [assign(key, node.key), ast.Assign([ast.Subscript(load(out), load(key), ast.Store())], node.value)]
        method = "add" if isinstance(node, ast.SetComp) else "append"
        return [ast.Expr(ast.Call(ast.Attribute(load(out), method, ast.Load()), [node.elt], []))]


def _loops(generators: list[ast.comprehension], body: list[ast.stmt]) -> list[ast.stmt]:
    """The nested loops and tests around the innermost statements."""
    for generator in reversed(generators):
        for test in reversed(generator.ifs):
            body = [ast.copy_location(ast.If(test, body, []), test)]
        body = [ast.copy_location(ast.For(generator.target, generator.iter, body, []), generator.iter)]
    return body


def _filtered(node: ast.GeneratorExp) -> bool:
    return any(g.ifs for g in node.generators)


def _called(name: str, args: list[ast.expr], node: Comprehension) -> ast.Call:
    """The call in place of a comprehension, with the names that its function reads and stores of those around it."""
    new: Any = call(name, *args) if name == "used_up" else generated(ast.Call(load(name), args, []))
    new.reads, new.stores = activity.loaded(node), activity.stored(node)
    return new
