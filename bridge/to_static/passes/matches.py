"""`match`: chosen by value patterns alone, it is a chain of ifs, which a tensor may decide; others Python decides."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, assign, call, load


class Matches(Rewrite):
    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        self.generic_visit(node)
        if all(_is_plain(c.pattern) for c in node.cases):
            return self._chain(node)
        return self._select(node)

    def _chain(self, node: ast.Match) -> list[ast.stmt]:
        subject = self.context.fresh("subject")
        chain: list[ast.stmt] = []
        for case in reversed(node.cases):
            test = _test(case.pattern, subject)
            binds = [ast.copy_location(assign(n, load(subject)), case.pattern) for n in _captures(case.pattern)]
            if binds and case.guard is not None:            # the guard reads what the pattern binds
                inner = ast.copy_location(ast.If(case.guard, case.body, chain), case.guard)
                chain = [*binds, inner]
                continue
            if case.guard is not None:
                test = case.guard if test is None else ast.BoolOp(ast.And(), [test, case.guard])
            chain = [*binds, *case.body] if test is None else [ast.copy_location(ast.If(test, case.body, chain),
                                                                                 case.pattern)]
        return [ast.copy_location(assign(subject, node.subject), node), *chain]

    def _select(self, node: ast.Match) -> list[ast.stmt]:
        """Python finds the case, by its number; the bodies follow in a chain of ifs."""
        chosen = self.context.fresh("case")
        chain: list[ast.stmt] = []
        for i, case in reversed(list(enumerate(node.cases))):
            test = ast.Compare(load(chosen), [ast.Eq()], [ast.Constant(i)])
            chain = [ast.copy_location(ast.If(test, case.body, chain), case.pattern)]
            case.body = [ast.copy_location(assign(chosen, ast.Constant(i)), case.pattern)]
        first = ast.copy_location(assign(chosen, ast.Constant(-1)), node)
        node.subject = ast.copy_location(call("matched", node.subject), node.subject)
        return [first, node, *chain]


def _is_plain(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return all(isinstance(p, (ast.MatchValue, ast.MatchSingleton)) for p in pattern.patterns)
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None
    return isinstance(pattern, (ast.MatchValue, ast.MatchSingleton))


def _captures(pattern: ast.pattern) -> list[str]:
    return [pattern.name] if isinstance(pattern, ast.MatchAs) and pattern.name else []


def _test(pattern: ast.pattern, subject: str) -> ast.expr | None:
    """The comparison that a pattern stands for, or None if it always matches."""
    if isinstance(pattern, ast.MatchValue):
        return ast.Compare(load(subject), [ast.Eq()], [pattern.value])
    if isinstance(pattern, ast.MatchSingleton):
        return ast.Compare(load(subject), [ast.Is()], [ast.Constant(pattern.value)])
    if isinstance(pattern, ast.MatchOr):
        tests = [_test(p, subject) for p in pattern.patterns]
        return ast.BoolOp(ast.Or(), [t for t in tests if t is not None])
    return None
