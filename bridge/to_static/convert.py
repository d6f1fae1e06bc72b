"""From a function to its rewritten twin: same globals, same closure, same lines, made once for each code object."""
from __future__ import annotations
import __future__

import ast
import inspect
import sys
import types
import weakref
from typing import Any

from kayax.bridge.errors import is_foreign, is_ours
from kayax.bridge.to_static import showing
from kayax.bridge.to_static.passes import rewrite
from kayax.bridge.to_static.passes.base import OPERATORS
from kayax.bridge.to_static.source.parse import Found, NoSource, find, is_coroutine

_FUTURE = sum(getattr(__future__, n).compiler_flag for n in __future__.all_feature_names)
_codes: weakref.WeakKeyDictionary[types.CodeType, types.CodeType | str] = weakref.WeakKeyDictionary()
_functions: weakref.WeakKeyDictionary[types.FunctionType, tuple[types.CodeType, types.FunctionType | None]] = (
    weakref.WeakKeyDictionary())        # for each function its code then, and its twin, if it has one
_trees: weakref.WeakKeyDictionary[types.CodeType, ast.FunctionDef] = weakref.WeakKeyDictionary()
_modules: dict[str, bool] = {}
_NAME = "_kx_function"
ignored_modules: set[str] = set()
_adopted: set[types.CodeType] = set()       # of our own functions, those that are rewritten as users' are


def converted(function: Any) -> Any:
    """The rewritten twin of a function or bound method; anything that is not to be rewritten, as it is."""
    if isinstance(function, types.MethodType):
        twin = converted(function.__func__)
        return function if twin is function.__func__ else types.MethodType(twin, function.__self__)
    if not isinstance(function, types.FunctionType):
        return function
    code, twin = _functions.get(function, (None, None))
    if code is not function.__code__:
        twin = _make(function) if is_users(function) else None
        _functions[function] = function.__code__, twin
        if twin is not None:
            showing.rewritten(function)
    if twin is None:
        return function
    twin.__defaults__, twin.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return twin


def adopt(function: types.FunctionType) -> bool:
    """Rewrite a function of ours from now on, as if it were a user's; whether that could be done."""
    if function.__code__ not in _adopted:
        _adopted.add(function.__code__)
        _functions.pop(function, None)
    return converted(function) is not function


def reason(function: Any) -> str | None:
    """Why a user's function runs as it is written, or None if it is rewritten or not the user's."""
    function = getattr(function, "__func__", function)
    found = _codes.get(getattr(function, "__code__", None))         # type: ignore[arg-type]
    return found if isinstance(found, str) else None


def source(function: types.FunctionType) -> str:
    """The rewritten source of a function; NoSource if it is not rewritten."""
    converted(function)
    tree = _trees.get(function.__code__)
    if tree is None:
        raise NoSource(reason(function) or "it is not a user's function")
    return ast.unparse(tree)


# ---- whose code it is ------------------------------------------------------------------------------------------


def is_users(function: types.FunctionType) -> bool:
    """Whether a function is to be rewritten: not ours, not a library's (unless that is written with Kayax itself)."""
    if getattr(function, "_not_to_static", False) or hasattr(function, "_kayax_rewritten"):
        return False
    if function.__code__ in _adopted:
        return True
    module = function.__module__ or ""
    if any(module == m or module.startswith(m + ".") for m in ignored_modules):
        return False
    file = function.__code__.co_filename
    return not is_foreign(file) or (not is_ours(file) and not file.startswith("<frozen") and _uses_kayax(module))


def _uses_kayax(module: str) -> bool:
    """Whether a library's module is written with Kayax: it has Kayax, or something of it, among its globals."""
    found = _modules.get(module)
    if found is None:
        names = vars(sys.modules[module]) if module in sys.modules else {}
        found = _modules[module] = any(_root(value) == "kayax" for value in list(names.values()))
    return found


def _root(value: Any) -> str:
    name = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    return name.partition(".")[0] if isinstance(name, str) else ""


# ---- making the twin -------------------------------------------------------------------------------------------


def _make(function: types.FunctionType) -> types.FunctionType | None:
    from kayax.bridge.to_static.operators import table
    code = _codes.get(function.__code__)
    if code is None:
        try:
            code = _compile(function)
        except NoSource as why:
            code = str(why)
        _codes[function.__code__] = code
    if isinstance(code, str):
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[OPERATORS] = types.CellType(table)
    twin = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__,
                              tuple([cells[n] for n in code.co_freevars]))
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__dict__.update(function.__dict__)
    twin.__qualname__, twin.__module__, twin.__doc__ = function.__qualname__, function.__module__, function.__doc__
    twin._kayax_rewritten = True            # type: ignore[attr-defined]
    return twin


def _compile(function: types.FunctionType) -> types.CodeType:
    if is_coroutine(function):
        raise NoSource("it is a coroutine")
    found = find(function)
    node = rewrite(found)
    _trees[function.__code__] = node
    named, node.name = node.name, _NAME         # in its own scope, a function that calls itself would find no global
    free = [*function.__code__.co_freevars, OPERATORS]
    module = ast.Module([_scope(found, node, free)], [])
    ast.copy_location(module.body[0], node)
    flags = function.__code__.co_flags & _FUTURE
    try:
        compiled = compile(ast.fix_missing_locations(module), found.file, "exec", flags, dont_inherit=True)
    except (SyntaxError, RecursionError) as error:
        raise NoSource(f"its rewritten form does not compile: {error}") from None
    node.name = named
    code = _inner(compiled, _NAME)
    missing = set(code.co_freevars) - set(free)
    if missing:
        raise NoSource(f"it closes over names that cannot be found: {', '.join(sorted(missing))}")
    original = function.__code__
    return _renamed(code, original.co_name, original.co_qualname)


def _scope(found: Found, node: ast.FunctionDef, free: list[str]) -> ast.stmt:
    """The function inside of one whose arguments are its free variables, inside of a class for the private names."""
    arguments = node.args
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]       # they were evaluated long ago
    arguments.kw_defaults = [None if d is None else ast.Constant(None) for d in arguments.kw_defaults]
    for a in ast.walk(arguments):
        if isinstance(a, ast.arg):
            a.annotation = None
    outer = ast.arguments(posonlyargs=[], args=[ast.arg(n) for n in free], kwonlyargs=[], kw_defaults=[], defaults=[])
    factory: ast.stmt = ast.FunctionDef("_kx_factory", outer, [node], [], None, None)
    if sys.version_info >= (3, 12):
        factory.type_params = node.type_params = []         # type: ignore[attr-defined]
    if found.class_name is None:
        return factory
    scope = ast.ClassDef(found.class_name, [], [], [ast.copy_location(factory, node)], [])
    if sys.version_info >= (3, 12):
        scope.type_params = []                              # type: ignore[attr-defined]
    return scope


def _inner(code: types.CodeType, name: str) -> types.CodeType:
    """The function's code, out of the module's, the class's and the factory's."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            return constant if code.co_name == "_kx_factory" and constant.co_name == name else _inner(constant, name)
    raise NoSource("its code was not found")


def _renamed(code: types.CodeType, name: str, qualname: str) -> types.CodeType:
    """Inner functions made by the rewrite carry the function's own name: a traceback reads as the user's code."""
    constants = []
    is_class = not code.co_flags & inspect.CO_OPTIMIZED
    within = qualname if is_class else f"{qualname}.<locals>"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = constant.co_name
            constant = (_renamed(constant, name, qualname) if inner.startswith("_kx_")
                        else _renamed(constant, inner, f"{within}.{inner}"))
        elif is_class and constant == code.co_qualname:         # what a class's body stores as its `__qualname__`
            constant = qualname
        constants.append(constant)
    return code.replace(co_name=name, co_qualname=qualname, co_consts=tuple(constants))


__all__ = ["NoSource", "converted", "ignored_modules", "is_users", "reason", "source"]
