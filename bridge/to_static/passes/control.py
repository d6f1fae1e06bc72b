"""`if`, `while`, `for`, and every way out of them, become calls of operators on inner functions.

A block of a statement becomes an inner function that gives its *outcome*: None if control reached its end, or BREAK,
CONTINUE, Return(value). What follows a statement that control may leave early becomes an inner function too, which
the operator runs if control gets there. The variables that a statement may change and that are still needed are
handed over as `Variables`, so that the operator can run a branch twice from the same state, or carry them through a
loop.
"""
from __future__ import annotations

import ast
from collections.abc import Iterable

from kayax.bridge.to_static.passes.base import (
    Context,
    assign,
    call,
    generated,
    later,
    load,
    operator,
    put_back,
    unpacked,
)
from kayax.bridge.to_static.source import activity
from kayax.bridge.to_static.source.exits import exits, yields
from kayax.bridge.to_static.source.liveness import Liveness
from kayax.bridge.to_static.source.parse import NoSource


class Control:
    def __init__(self, context: Context):
        self.context = context

    def function(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The body of the whole function."""
        mentioned, written = activity.shared(body)
        context = self.context
        always = (mentioned | written | context.globals | context.nonlocals) & context.variables
        self.written = [n for n in sorted(written) if n in context.variables]
        Liveness(frozenset(always)).block(body, frozenset(always))
        self.yields = any(map(yields, body))
        return self.block(body, top=True)

    # ---- blocks ----------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], top: bool = False) -> list[ast.stmt]:
        """Statements whose end, or `return`, gives the outcome (at the top: the function's own value)."""
        new: list[ast.stmt] = []
        for i, node in enumerate(body):
            if self.yields and top and (yields(node) or exits(node)):
                new.append(self._kept(node))
                continue
            if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
                return [*new, self._leave(node, top)]
            if exits(node):
                return new + self._with_exit(node, body[i + 1:], top)
            new += self._inline(node, top)
            if isinstance(node, ast.Raise):
                return new
        return new

    def _kept(self, node: ast.stmt) -> ast.stmt:
        """A statement of a generator that yields, or leaves a statement that does: no function can be made of it."""
        if isinstance(node, (ast.If, ast.While)):
            node.test = ast.copy_location(call("truth", node.test), node.test)
        elif isinstance(node, ast.For):
            node.iter = ast.copy_location(call("plain", node.iter), node.iter)
        for part in (node, *getattr(node, "handlers", ())):
            for name in ("body", "orelse", "finalbody"):
                if getattr(part, name, None):
                    setattr(part, name, self.block(getattr(part, name), top=True))
        return node

    def _leave(self, node: ast.Return | ast.Break | ast.Continue, top: bool) -> ast.stmt:
        if top:
            return node
        if isinstance(node, ast.Return):
            value: ast.expr = call("Return", node.value if node.value is not None else ast.Constant(None))
        else:
            value = operator("BREAK" if isinstance(node, ast.Break) else "CONTINUE")
        return ast.copy_location(ast.Return(ast.copy_location(value, node)), node)

    def _inline(self, node: ast.stmt, top: bool) -> list[ast.stmt]:
        """A statement that control leaves only at its end."""
        if isinstance(node, (ast.If, ast.While, ast.For)):
            made, expression = self._operator(node, [])
            return [*made, ast.copy_location(ast.Expr(expression), node)]
        if isinstance(node, ast.With):
            node.body = self.block(node.body, top)
        elif isinstance(node, ast.Try):
            node.body, node.orelse = self.block(node.body, top), self.block(node.orelse, top)
            node.finalbody = self.block(node.finalbody, top)
            for handler in node.handlers:
                handler.body = self.block(handler.body, top)
        return [node]

    def _with_exit(self, node: ast.stmt, rest: list[ast.stmt], top: bool) -> list[ast.stmt]:
        """A statement that control may leave early, with what follows it in its block."""
        if isinstance(node, ast.If) and rest:
            if _ends(node.body):                # then only the other branch gets to the rest
                node.orelse, rest = [*node.orelse, *rest], []
            elif _ends(node.orelse):
                node.body, rest = [*node.body, *rest], []
        if isinstance(node, (ast.If, ast.While, ast.For)):
            made, outcome = self._operator(node, rest)
        else:
            made, outcome = self._guarded(node)
        if rest:
            following = self.context.fresh("rest")
            names = self._names(rest, node.live_exit)                           # type: ignore[attr-defined]
            made.append(self._define(following, self.block(rest), node))
            variables = self._variables(names, made, node)
            outcome = call("then", outcome, load(following), variables)
        value = call("finish", outcome) if top else outcome
        return [*made, ast.copy_location(ast.Return(ast.copy_location(value, node)), node)]

    # ---- statements ------------------------------------------------------------------------------------------

    def _operator(self, node: ast.If | ast.While | ast.For, rest: list[ast.stmt]) -> tuple[list[ast.stmt], ast.expr]:
        made: list[ast.stmt] = []
        live = node.live_out | (node.live_exit if exits(node) else frozenset())         # type: ignore[union-attr]
        if isinstance(node, ast.If):
            names = self._names([*node.body, *node.orelse], live | node.live_in)                # type: ignore[attr-defined]
            parts = [node.test, self._branch("body", node.body, made, node), self._branch("orelse", node.orelse, made,
                                                                                            node)]
            name = "if_"
        elif isinstance(node, ast.While):
            names = self._names([node.test, *node.body, *node.orelse], live | node.live_head)   # type: ignore[attr-defined]
            test = self.context.fresh("test")
            made.append(self._define(test, [ast.copy_location(ast.Return(node.test), node.test)], node))
            parts = [load(test), self._branch("body", node.body, made, node), self._branch("orelse", node.orelse, made,
                                                                                           node)]
            name = "while_"
        else:
            names = self._names([node.target, *node.body, *node.orelse], live | node.live_head)     # type: ignore[attr-defined]
            item = self.context.fresh("item")
            first = ast.copy_location(ast.Assign([node.target], unpacked([node.target], load(item))), node)
            body = self.context.fresh("body")
            made.append(self._define(body, [first, *self.block(node.body)], node, [item]))
            parts = [node.iter, load(body), self._branch("orelse", node.orelse, made, node)]
            name = "for_"
        parts.append(self._variables(names, made, node))
        return made, ast.copy_location(call(name, *parts), node.test if isinstance(node, ast.If) else node)

    def _guarded(self, node: ast.stmt) -> tuple[list[ast.stmt], ast.expr]:
        """`with` and `try` stay; their blocks become functions, whose outcome is kept."""
        outcome = self.context.fresh("outcome")
        made: list[ast.stmt] = []
        if isinstance(node, ast.With):
            node.body = [self._outcome_of("block", node.body, outcome, made, node)]
        elif isinstance(node, ast.Try):
            if exits(node.finalbody):
                raise NoSource("it leaves a `finally` block with return, break or continue")
            made.append(assign(outcome, ast.Constant(None)))
            orelse = node.orelse
            node.body = [self._outcome_of("block", node.body, outcome, made, node)]
            for handler in node.handlers:
                if not _is_ours(handler):
                    handler.body = [self._outcome_of("handler", handler.body, outcome, made, node)]
            if orelse:
                name = self.context.fresh("orelse")
                made.append(self._define(name, self.block(orelse), node))
                names = self._names(orelse, node.live_out | node.live_exit)             # type: ignore[attr-defined]
                node.orelse = [assign(outcome, call("then", load(outcome), load(name),
                                                    self._variables(names, made, node)))]
            node.finalbody = self.block(node.finalbody)
        else:
            raise NoSource(f"it leaves a `{type(node).__name__}` statement early")
        return [*(ast.copy_location(m, node) for m in made), node], load(outcome)

    def _outcome_of(self, stem: str, body: list[ast.stmt], outcome: str, made: list[ast.stmt],
                    node: ast.stmt) -> ast.stmt:
        name = self.context.fresh(stem)
        made.append(self._define(name, self.block(body), node))
        return ast.copy_location(assign(outcome, generated(ast.Call(load(name), [], []))), node)

    # ---- inner functions and variables -----------------------------------------------------------------------

    def _branch(self, stem: str, body: list[ast.stmt], made: list[ast.stmt], node: ast.stmt) -> ast.expr:
        if not body:
            return ast.Constant(None)
        name = self.context.fresh(stem)
        made.append(self._define(name, self.block(body), node))
        return load(name)

    def _define(self, name: str, body: list[ast.stmt], node: ast.stmt, arguments: Iterable[str] = ()) -> ast.stmt:
        stored = activity.stored(body)
        context = self.context
        outer = [n for n in stored if n in context.variables and n not in context.globals]
        declared: list[ast.stmt] = [ast.Nonlocal(outer)] if outer else []
        if context.globals.intersection(stored):
            declared.append(ast.Global(sorted(context.globals.intersection(stored))))
        args = ast.arguments(posonlyargs=[], args=[ast.arg(a) for a in arguments], kwonlyargs=[], kw_defaults=[],
                             defaults=[])
        body = [s for s in body if not isinstance(s, (ast.Global, ast.Nonlocal))]
        function = ast.FunctionDef(name, args, [*declared, *(body or [ast.Pass()])], [], None, None)
        for statement in declared:
            ast.copy_location(statement, node)
        return ast.copy_location(generated(function), node)

    def _names(self, nodes: Iterable[ast.AST], live: frozenset[str]) -> list[str]:
        """What the statement may change and what is read afterwards."""
        changed = dict.fromkeys([*activity.stored(nodes), *self.written])
        return [n for n in changed if n in self.context.variables and n in live]

    def _variables(self, names: list[str], made: list[ast.stmt], node: ast.stmt) -> ast.expr:
        """The operand through which an operator reads and writes these variables."""
        if not names:
            return operator("NONE")
        get, put, values = (self.context.fresh(s) for s in ("get", "set", "values"))
        read = ast.Return(ast.List([later(load(n)) for n in names], ast.Load()))
        made.append(self._define(get, [read], node))
        made.append(self._define(put, put_back(names, values), node, [values]))
        text: list[ast.expr] = [ast.Constant(n) for n in names]
        return call("Variables", ast.Tuple(text, ast.Load()), load(get), load(put))


def _is_ours(handler: ast.ExceptHandler) -> bool:
    return hasattr(handler.type, "generated")


def _ends(body: list[ast.stmt]) -> bool:
    """Whether control never reaches the end of these statements."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    return isinstance(last, (ast.Return, ast.Break, ast.Continue, ast.Raise))
