"""From a function object to its syntax tree, found in the file it was written in by its place there."""
from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import inspect
import linecache
import types

FunctionNode = ast.FunctionDef | ast.Lambda


class NoSource(Exception):
    """The source of a function cannot be had, or cannot be rewritten; the message says why."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A function's own tree (a copy, to be changed freely) and the class it is written in, if any."""

    node: FunctionNode
    class_name: str | None
    file: str


def find(function: types.FunctionType) -> Found:
    """The tree of a function; NoSource if its file is not there or has changed."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise NoSource("its source is not available (it was made by exec, or at a prompt)")
    try:
        places = _index("".join(lines))
    except SyntaxError as error:
        raise NoSource(f"its source cannot be read: {error}") from None
    candidates = [f for f in places.get(code.co_firstlineno, []) if _is_of(f[0], code)]
    if code.co_name == "<lambda>" and len(candidates) > 1:      # one inside of another: the narrower fits this code
        candidates = [max(candidates, key=lambda f: _span(f[0].body)[0])]       # type: ignore[arg-type]
    if len(candidates) != 1:
        raise NoSource("its source has changed, or several functions stand in its line")
    node, class_name = candidates[0]
    return Found(copy.deepcopy(node), class_name, code.co_filename)


@functools.lru_cache(maxsize=256)
def _index(text: str) -> dict[int, list[tuple[FunctionNode, str | None]]]:
    """Every function of a file by its first line (a decorator's, if it has any), with the class around it."""
    found: dict[int, list[tuple[FunctionNode, str | None]]] = {}

    def visit(node: ast.AST, class_name: str | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.Lambda)):
                decorators = getattr(child, "decorator_list", [])
                line = min([child.lineno, *(d.lineno for d in decorators)])
                found.setdefault(line, []).append((child, class_name))
            visit(child, child.name if isinstance(child, ast.ClassDef) else class_name)

    visit(ast.parse(text), None)
    return found


def _is_of(node: FunctionNode, code: types.CodeType) -> bool:
    """Whether the code was compiled from this tree: the same name and parameters, and a lambda's body at its place."""
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    own = list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
    if [n.lstrip("_") for n in names] != [_unmangled(n).lstrip("_") for n in own]:
        return False
    if isinstance(node, ast.FunctionDef):
        return node.name == code.co_name
    if code.co_name != "<lambda>":
        return False
    start, end = _span(node.body)
    return all(start <= (line, column) and (last, stop) <= end for line, last, column, stop in code.co_positions()
               if None not in (line, last, column, stop) and (line, column) != (last, stop))


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the text of a node begins and ends."""
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)       # type: ignore[attr-defined]


def _unmangled(name: str) -> str:
    if name.startswith("_") and "__" in name[1:] and not name.startswith("__"):
        return name[name.index("__", 1):]
    return name


def is_coroutine(function: types.FunctionType) -> bool:
    """Whether the function is asynchronous."""
    flags = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    return bool(function.__code__.co_flags & flags)
