"""Which names a piece of code stores and loads, in the scope of the function it stands in."""
from __future__ import annotations

import ast
from collections.abc import Iterable

Nodes = ast.AST | Iterable[ast.AST]
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Names(ast.NodeVisitor):
    def __init__(self) -> None:
        self.stored: dict[str, None] = {}
        self.loaded: set[str] = set()
        self.hidden: list[set[str]] = []           # variables of the comprehensions around

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if not any(node.id in names for names in self.hidden):
                self.loaded.add(node.id)
        elif not any(node.id in names for names in self.hidden):
            self.stored.setdefault(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.stored.setdefault(node.target.id)

    def visit_Call(self, node: ast.Call) -> None:
        """One in place of a comprehension reads and stores what that did."""
        hidden = set().union(*self.hidden)
        self.loaded |= getattr(node, "reads", set()) - hidden
        self.stored.update(dict.fromkeys(getattr(node, "stores", ())))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.loaded.add(node.target.id)
        self.generic_visit(node)

    def _definition(self, node: ast.AST) -> None:
        if not isinstance(node, ast.Lambda):
            self.stored.setdefault(node.name)                                       # type: ignore[attr-defined]
        if not hasattr(node, "mentions"):           # a comprehension's function reads where it is called
            self.loaded |= names_of_scope(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _definition

    def _comprehension(self, node: ast.AST) -> None:
        own = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}    # type: ignore[attr-defined]
        self.visit(node.generators[0].iter)         # type: ignore[attr-defined]  # the first is read outside
        self.hidden.append(own)
        self.generic_visit(node)
        self.hidden.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.stored.setdefault(node.name)
        self.generic_visit(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.stored.setdefault(alias.asname or alias.name.partition(".")[0])

    visit_Import = visit_ImportFrom = _import

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.stored.setdefault(node.name)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = _capture

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.stored.setdefault(node.rest)
        self.generic_visit(node)


def _run(nodes: Nodes) -> _Names:
    names = _Names()
    for node in [nodes] if isinstance(nodes, ast.AST) else nodes:
        names.visit(node)
    return names


def stored(nodes: Nodes) -> list[str]:
    """The names that the code binds, deletes included, in the order of the text."""
    return list(_run(nodes).stored)


def loaded(nodes: Nodes) -> set[str]:
    """The names that the code reads, and those that functions defined in it read."""
    return _run(nodes).loaded


def names_of_scope(node: ast.AST) -> set[str]:
    """Every name that a nested function, lambda or class mentions, however deep: more than it takes from outside."""
    nodes = list(ast.walk(node))
    return {n.id for n in nodes if isinstance(n, ast.Name)}.union(*(getattr(n, "reads", ()) for n in nodes))


def declared(nodes: Nodes, kind: type[ast.Global] | type[ast.Nonlocal]) -> set[str]:
    """The names of the `global` or `nonlocal` statements of a function, without those of functions inside it."""
    found: set[str] = set()
    stack = [nodes] if isinstance(nodes, ast.AST) else list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, kind):
            found |= set(node.names)
        if not isinstance(node, SCOPES):
            stack += ast.iter_child_nodes(node)
    return found


def shared(body: list[ast.stmt]) -> tuple[set[str], set[str]]:
    """Names that functions defined in this body mention, and those of them that they may store (`nonlocal`)."""
    mentioned: set[str] = set()
    written: set[str] = set()
    for node in _scopes(body):
        if hasattr(node, "mentions"):               # a comprehension's function: those of lambdas in it
            mentioned |= node.mentions
            continue
        mentioned |= names_of_scope(node)
        written |= {n for inner in ast.walk(node) if isinstance(inner, ast.Nonlocal) for n in inner.names}
    return mentioned, written


def _scopes(nodes: Iterable[ast.AST]) -> Iterable[ast.AST]:
    for node in nodes:
        if isinstance(node, SCOPES) and not hasattr(node, "generated"):
            yield node
        else:
            yield from _scopes(ast.iter_child_nodes(node))
