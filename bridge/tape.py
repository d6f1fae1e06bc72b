"""The tape: what each differentiable operation leaves behind, and the walk back over it."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Union

import jax
import jax.numpy as jnp

from kayax.bridge.call import Call, is_inexact
from kayax.bridge.errors import ConversionError
from kayax.bridge.state import state

if TYPE_CHECKING:
    from kayax.bridge.tensor import Tensor

Edge = Union[tuple["Node", int], "Tensor", None]


class Node:
    """One operation that was run: its call, its input arrays, and for each input where its gradient goes.

    An edge is ``(node, output index)`` for a computed input, the Tensor itself for a leaf, None where no gradient goes.
    `pullback(given, cotangents)`, where there is one, computes the gradients from saved residuals; without it they are
    computed from the inputs by the call's own gradient.
    """

    __slots__ = ("call", "arrays", "edges", "wanted", "n_outputs", "pullback", "storages", "versions", "hooks", "kept",
                 "freed")

    def __init__(self, call: Call | None, arrays: Sequence[Any], edges: tuple, n_outputs: int,
                 pullback: Callable | None = None, storages: Sequence[Any] = ()):
        self.call, self.arrays, self.edges, self.n_outputs, self.pullback = call, arrays, edges, n_outputs, pullback
        self.wanted = tuple([e is not None for e in edges])
        self.storages = storages
        self.versions = [s.version if s is not None else 0 for s in storages]
        self.hooks: dict[int, dict[int, Callable]] | None = None     # by output, then by handle
        self.kept: dict[int, Any] | None = None         # outputs whose .grad was asked for (retain_grads)
        self.freed = False

    @property
    def name(self) -> str:
        return self.call.name if self.call is not None else "PyLayer"

    def free(self) -> None:
        self.arrays, self.pullback, self.storages, self.freed = (), None, (), True


def edge_of(tensor: Tensor, array: Any) -> Edge:
    """Where the gradient of this input goes."""
    if tensor._stop_gradient or not is_inexact(array):
        return None
    if tensor.node is None or (state.trace is not None and tensor.storage.trace is not state.trace):
        return tensor                   # for a program, what was computed outside of it is a leaf
    return tensor.node, tensor.index


def _check_unchanged(node: Node) -> None:
    for i, (storage, version) in enumerate(zip(node.storages, node.versions, strict=True)):
        if storage is None or storage.version == version:
            continue
        if node.call is None or node.call.needed(node.wanted, node.arrays)[i]:
            raise RuntimeError(
                f"The input {i} of `{node.name}` was changed in place after it was used, and its old value is needed "
                f"for the gradient (version {storage.version}, expected {version}). Use the out-of-place operation, or "
                "change the tensor after backward().")


# Two ways to compute with cotangents: as plain arrays, or as Tensors recorded on the tape again (create_graph).

class Arrays:
    @staticmethod
    def wrap(array: Any) -> Any:
        return array

    @staticmethod
    def add(a: Any, b: Any) -> Any:
        return a + b if state.trace is not None else _add(a, b)

    @staticmethod
    def pull(node: Node, cotangents: Sequence[Any]) -> Sequence[Any]:
        given = tuple([c is not None for c in cotangents])
        present = [c for c in cotangents if c is not None]
        if node.pullback is not None:
            return node.pullback(given, present)
        gradient = node.call.gradient(node.wanted, given)       # type: ignore[union-attr]
        run = gradient.fn if state.trace is not None else gradient.forward
        return run(*node.arrays, *present)


class Tensors:
    @staticmethod
    def wrap(array: Any) -> Any:
        from kayax.bridge.tensor import wrap
        return wrap(array)

    @staticmethod
    def add(a: Any, b: Any) -> Any:
        return a + b

    @staticmethod
    def pull(node: Node, cotangents: Sequence[Any]) -> Sequence[Any]:
        from kayax.bridge.dispatch import run_call
        from kayax.bridge.tensor import restore
        if node.call is None:
            return node.pullback(None, cotangents)              # type: ignore[misc]
        given = tuple([c is not None for c in cotangents])
        arrays = list(node.arrays)
        if any(a is None for a in arrays):
            raise RuntimeError(
                f"Second derivatives through `{node.name}` start from what a large tensor held that its program has "
                "overwritten.\nWrite it outside of the converted function, or keep the function eager "
                "(`paddle.jit.not_to_static`).")
        inputs = [restore(a, e) for a, e in zip(arrays, node.edges, strict=True)]
        grads = run_call(node.call.gradient(node.wanted, given), [*inputs, *(c for c in cotangents if c is not None)])
        return grads if isinstance(grads, (tuple, list)) else (grads,)


_add = jax.jit(jnp.add)


def _dependencies(roots: Iterable[Edge]) -> dict[Any, int]:
    """For every node and leaf that the roots depend on, how many gradients will arrive there."""
    counts: dict[Any, int] = {}
    stack = list(dict.fromkeys(r[0] if isinstance(r, tuple) else r for r in roots))     # two outputs of one node: once
    seen = set(stack)
    for target in stack:
        counts.setdefault(target, 0)
    while stack:
        target = stack.pop()
        if not isinstance(target, Node):
            continue
        for edge in target.edges:
            if edge is None:
                continue
            source = edge[0] if isinstance(edge, tuple) else edge
            counts[source] = counts.get(source, 0) + 1
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return counts


def walk(roots: Sequence[Edge], cotangents: Sequence[Any], *, retain_graph: bool, create_graph: bool,
         targets: Sequence[Edge] | None = None, blocked: Sequence[Edge] = ()) -> list[Any]:
    """Carry cotangents from the roots back to the leaves, in reverse order of the operations.

    Without `targets` leaves accumulate into their `.grad`; with them nothing is accumulated and the gradients that
    arrive at the targets are returned (None where none does). Nothing passes through `blocked`.
    """
    if state.trace is not None:
        state.trace.used_tape = True
    how: Any = Tensors if create_graph else Arrays
    pending = _dependencies(roots)
    arrived: dict[Any, Any] = {}
    ready: list[Any] = []
    results: dict[Any, Any] = {}
    wanted = {_key(t) for t in targets} if targets is not None else None
    closed = {_key(t) for t in blocked}

    def send(edge: Any, value: Any) -> None:
        if closed and _key(edge) in closed:
            return
        if isinstance(edge, tuple):
            node, index = edge
            slots = arrived.setdefault(node, [None] * node.n_outputs)
            slots[index] = value if slots[index] is None else how.add(slots[index], value)
        else:
            arrived[edge] = value if edge not in arrived else how.add(arrived[edge], value)

    for root, cotangent in zip(roots, cotangents, strict=True):
        send(root, cotangent)
    ready = [t for t, n in pending.items() if n == 0]
    done: list[Node] = []
    while ready:
        target = ready.pop()
        value = arrived.pop(target, None)
        if not isinstance(target, Node):
            _at_leaf(target, value, how, create_graph, wanted, results)
            continue
        if value is not None:
            _at_node(target, value, how, wanted, results)
        grads = _pull(target, value, how) if value is not None else ()
        rest = iter(grads)
        for edge in target.edges:
            if edge is None:
                continue
            if value is not None:
                gradient = next(rest)
                if gradient is not None:
                    send(edge, gradient)
            source = edge[0] if isinstance(edge, tuple) else edge
            pending[source] -= 1
            if pending[source] == 0:
                ready.append(source)
        done.append(target)
    if not retain_graph:
        for node in done:
            node.free()
    return [results.get(_key(t)) for t in targets] if targets is not None else []


def _key(edge: Any) -> Any:
    return edge if isinstance(edge, tuple) else (edge, None)


def _pull(node: Node, cotangents: Sequence[Any], how: Any) -> Sequence[Any]:
    if node.freed:
        raise RuntimeError(
            f"The graph behind this tensor was already used by a backward pass and freed (at `{node.name}`). Pass "
            "retain_graph=True to the first backward() or grad() if you need it twice.")
    if node.storages:
        _check_unchanged(node)
    try:
        return how.pull(node, cotangents)
    except ValueError as error:
        if "Reverse-mode differentiation does not work" not in str(error):
            raise
        raise ConversionError(
            f"Second derivatives do not go through `{node.name}`: it has a loop whose number of rounds is known only "
            "when it runs, and such a loop has first derivatives alone. Use a Python loop (a number of rounds known "
            "beforehand), or keep the function eager (`paddle.jit.not_to_static`).") from None


def _at_node(node: Node, values: list[Any], how: Any, wanted: set | None, results: dict) -> None:
    """Hooks on, requests for, and kept copies of the gradients that arrived at a node's outputs."""
    if node.hooks:
        for index, hooks in node.hooks.items():
            if values[index] is not None:
                values[index] = run_hooks(hooks.values(), values[index], how)
    if node.kept and wanted is None:
        for index, reference in node.kept.items():
            tensor = reference()
            if tensor is not None and values[index] is not None:
                tensor._accumulate(values[index])
    if wanted is not None:
        for index, value in enumerate(values):
            if value is not None and (node, index) in wanted:
                results[node, index] = value


def _at_leaf(tensor: Tensor, value: Any, how: Any, create_graph: bool, wanted: set | None, results: dict) -> None:
    if value is None:
        return
    if wanted is None:
        if state.trace is not None and tensor.storage.trace is not state.trace:
            state.trace.note_hooks_of(tensor)
        if tensor._hooks:
            value = run_hooks(tensor._hooks.values(), value, how)
        tensor._accumulate(value)
    elif (tensor, None) in wanted:
        results[tensor, None] = value


def run_hooks(hooks: Iterable[Callable], value: Any, how: Any) -> Any:
    """Each hook sees the gradient as a Tensor and may return another one."""
    from kayax.bridge.tensor import Tensor, wrap
    tensor = value if isinstance(value, Tensor) else wrap(value, False)
    held = state.grad_enabled
    state.grad_enabled = how is Tensors            # else what a hook computes is not recorded
    try:
        for hook in list(hooks):
            new = hook(tensor)
            if new is not None:
                tensor = new
    finally:
        state.grad_enabled = held
    return tensor if how is Tensors else tensor.array
