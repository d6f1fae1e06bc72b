"""Lists, dicts and sets that the code makes are noted: changing them in a branch concerns nobody outside of it."""
from __future__ import annotations

import ast

from kayax.bridge.to_static.passes.base import Rewrite, call, load, unpacked
from kayax.bridge.to_static.passes.stores import index


class Fresh(Rewrite):
    def _made(self, node: ast.expr) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or hasattr(node, "generated"):
            return node
        return ast.copy_location(call("fresh", node), node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(call("born", node), node)

    def visit_List(self, node: ast.List) -> ast.AST:
        """A list may take up the items of another one, however many they are."""
        for element in node.elts:
            element.in_list = True              # type: ignore[attr-defined]
        return self._made(node)

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and not hasattr(node, "in_list"):
            node.value = ast.copy_location(call("plain", node.value), node.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        """A dict may take up the items of another one."""
        node.values = [value if key is not None else ast.copy_location(call("plain", value), value)
                       for key, value in zip(node.keys, node.values, strict=True)]
        return self._made(node)

    visit_Set = visit_ListComp = visit_DictComp = visit_SetComp = _made

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """And by slices; `+` and `*` are operators of ours, which know it."""
        self.generic_visit(node)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        sliced = isinstance(node.ctx, ast.Load) and any(isinstance(p, ast.Slice) for p in parts)
        return ast.copy_location(call("sliced", node.value, index(node.slice)), node) if sliced else node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """What comprehensions go over and ask, Python itself looks at."""
        self.generic_visit(node)
        node.iter = ast.copy_location(call("plain", node.iter), node.iter)
        node.ifs = [ast.copy_location(call("plain", test), test) for test in node.ifs]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        """And by a starred target. Unpacking needs to know how many items there are."""
        self.generic_visit(node)
        node.value = unpacked(node.targets, node.value)
        stars = [n.value.id for t in node.targets for n in ast.walk(t)
                 if isinstance(n, ast.Starred) and isinstance(n.value, ast.Name)]
        return [node, *(ast.copy_location(ast.Expr(call("fresh", load(s))), node) for s in stars)]
