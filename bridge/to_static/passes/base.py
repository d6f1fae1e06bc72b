"""What every rewrite needs: fresh names, nodes that call the run-time operators, and where not to go."""
from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from kayax.bridge.to_static.source import activity
from kayax.bridge.to_static.source.exits import yields
from kayax.bridge.to_static.source.parse import Found, NoSource

OPERATORS = "_kx"                   # the name under which rewritten code reaches the operators
_FRAME = {"locals", "eval", "exec"}         # they look at the frame they are called from
_LATER = (ast.BoolOp, ast.IfExp, ast.Compare, ast.Assert, ast.JoinedStr, *activity.COMPREHENSIONS)
_COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


class Context:
    """One function being rewritten: its names, and what the passes tell each other."""

    def __init__(self, found: Found, rewrite: Callable[[Found, Context], ast.FunctionDef],
                 outer: Context | None = None):
        self.found, self.node = found, found.node
        self.rewrite = rewrite                  # for functions that are made of parts of this one
        self.body = self._body()
        _refuse(self.body)
        arguments = self.node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        stars = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        self.arguments = [a.arg for a in (*plain, *arguments.kwonlyargs, *stars)]
        self.receiver = plain[0].arg if plain else None
        self.globals = activity.declared(self.body, ast.Global)
        self.nonlocals = activity.declared(self.body, ast.Nonlocal)
        self._numbers = itertools.count(1)
        self.variables = {*self.arguments, *activity.stored(self.body)}
        self.staged: set[str] = self._staged() | (outer.staged if outer is not None else set())

    def _body(self) -> list[ast.stmt]:
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(self.node.body), self.node.body)]
        return self.node.body

    def _staged(self) -> set[str]:
        """Variables stored inside of a compound statement: after it they may be undefined, or None or a tensor."""
        return {name for node in walk(self.body) if isinstance(node, (*_COMPOUND, ast.NamedExpr))
                for name in activity.stored(node)}

    def fresh(self, stem: str) -> str:
        """A name that no user's code has."""
        return f"_kx_{stem}_{next(self._numbers)}"

    def mangled(self, name: str) -> str:
        """The attribute's name as a class body would compile it (``__x`` in a class)."""
        owner = self.found.class_name
        if owner and name.startswith("__") and not name.endswith("__"):
            return f"_{owner.lstrip('_')}{name}"
        return name

    def finish(self, body: list[ast.stmt]) -> ast.FunctionDef:
        """The rewritten function, all of its variables bound in it."""
        own = sorted(self.variables - set(self.arguments) - self.globals - self.nonlocals)
        first: list[ast.stmt] = []
        if own:             # never runs: it makes the names variables of this function, whichever inner one stores them
            targets: list[ast.expr] = [store(n) for n in own]
            first = [ast.If(ast.Constant(False), [ast.Assign(targets, ast.Constant(None))], [])]
        name = self.node.name if isinstance(self.node, ast.FunctionDef) else "_kx_lambda"
        docstring = body[:1] if is_text(body[:1]) else []
        keep = [s for s in body if isinstance(s, (ast.Global, ast.Nonlocal))]
        rest = [s for s in body[len(docstring):] if s not in keep]
        new = ast.FunctionDef(name, self.node.args, [*docstring, *keep, *first, *rest], [], None, None)
        ast.copy_location(new, self.node)
        return ast.fix_missing_locations(new)


def is_text(nodes: list[ast.stmt]) -> bool:
    """Whether these statements are a docstring."""
    node = nodes[0] if nodes else None
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _refuse(body: list[ast.stmt]) -> None:
    for node in walk(body):
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
            raise NoSource("it is a coroutine")
        if isinstance(node, _LATER) and yields(node):
            raise NoSource("it has a `yield` in a part of an expression that may not run")
        if isinstance(node, ast.TryStar):
            raise NoSource("`except*` is not rewritten")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FRAME:
            raise NoSource(f"it calls {node.func.id}()")


def walk(nodes: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """All nodes that belong to the function itself, not to functions and classes defined in it."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, activity.SCOPES) or hasattr(node, "generated"):
            stack += ast.iter_child_nodes(node)


class Rewrite(ast.NodeTransformer):
    """A rewrite of one kind of node. Functions, lambdas and classes inside are left alone: they are rewritten when
    they are called."""

    def __init__(self, context: Context):
        self.context = context

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The rewritten statements."""
        new: list[ast.stmt] = []
        for statement in body:
            result: Any = self.visit(statement)
            new += result if isinstance(result, list) else [] if result is None else [result]
        return new

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, activity.SCOPES) and not hasattr(node, "generated"):
            return node
        new = super().visit(node)
        for made in new if isinstance(new, list) else [new]:
            if made is not node and isinstance(made, ast.AST) and not hasattr(made, "lineno"):
                ast.copy_location(made, node)
        return new


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def operator(name: str) -> ast.expr:
    """The run-time operator of that name."""
    return generated(ast.Attribute(generated(load(OPERATORS)), name, ast.Load()))


def call(name: str, *args: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    """A call of a run-time operator."""
    return generated(ast.Call(operator(name), list(args), keywords or []))


def later(body: ast.expr) -> ast.Lambda:
    """An expression that an operator evaluates when, and if, it is wanted."""
    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(generated(ast.Lambda(empty, body)), body)


def generated(node: Any) -> Any:
    """Mark a node as made here, not the user's."""
    node.generated = True
    return node


def assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([store(name)], value)


def put_back(names: list[str], values: str) -> list[ast.stmt]:
    """Statements that bind variables to the values of a list; one that is undefined is unbound."""
    made: list[ast.stmt] = [ast.Assign([ast.List([store(n) for n in names], ast.Store())], load(values))]
    for name in names:
        undefined = ast.Compare(load(name), [ast.Is()], [operator("UNDEFINED")])
        made.append(ast.If(undefined, [ast.Delete([ast.Name(name, ast.Del())])], []))
    return made


def unpacked(targets: list[ast.expr], value: ast.expr) -> ast.expr:
    """A value that is unpacked into targets, which needs to know how many items there are."""
    several = [t for t in targets if isinstance(t, (ast.Tuple, ast.List))]
    if not several:
        return value
    deep = any(isinstance(e, (ast.Tuple, ast.List)) for t in several for e in t.elts)
    if isinstance(value, ast.Tuple) and not deep:
        return value
    return ast.copy_location(call("plain", value, *([ast.Constant(True)] if deep else [])), value)


def has_walrus(node: ast.AST) -> bool:
    """Whether evaluating the expression may store a variable."""
    return any(isinstance(n, ast.NamedExpr) or getattr(n, "stores", ()) or hasattr(n, "walruses")
               for n in ast.walk(node))
