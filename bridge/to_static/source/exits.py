"""How control can leave a statement other than by reaching its end: return, break, continue."""
from __future__ import annotations

import ast
from collections.abc import Iterable

from kayax.bridge.to_static.source.activity import SCOPES

LOOPS = (ast.For, ast.While)


def exits(nodes: ast.AST | Iterable[ast.AST]) -> bool:
    """Whether a return leaves this code, or a break or continue of a loop around it."""
    return any(_exits(n) for n in ([nodes] if isinstance(nodes, ast.AST) else nodes))


def _exits(node: ast.AST) -> bool:
    if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
        return True
    if isinstance(node, (*SCOPES, ast.expr)):
        return False
    if isinstance(node, LOOPS):
        return returns(node.body) or exits(node.orelse)
    return any(_exits(child) for child in ast.iter_child_nodes(node))


def returns(nodes: Iterable[ast.AST]) -> bool:
    """Whether a `return` stands in this code."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, (*SCOPES, ast.expr)):
            stack += ast.iter_child_nodes(node)
    return False


def yields(node: ast.AST) -> bool:
    """Whether a `yield` of the function itself stands in this code."""
    stack = [node]
    while stack:
        inner = stack.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)):
            return True
        stack += [child for child in ast.iter_child_nodes(inner) if not isinstance(child, SCOPES)]
    return False
