"""Runs a Paddle program with this project's operations: eagerly, or while being converted into one XLA program."""
from __future__ import annotations

from typing import Any

from kayax.bridge.control_flow import cond, while_loop
from kayax.bridge.errors import ConversionError
from kayax.bridge.tensor import Tensor
from kayax.io.paddle.graph import Block, Graph, Operation, walk
from kayax.io.paddle.known import Known, Mixed, fold, mix
from kayax.io.paddle.rules import KEEPS_KNOWN, RULES

_CONTROL = {"if", "while", "paddle2.conditional_block", "paddle2.while", "builtin.combine", "builtin.split",
            "builtin.slice"}


class UnknownOperationError(ConversionError, NotImplementedError):
    """A program has operations that are not known here; the message names all of them."""


def check(graph: Graph) -> None:
    """Raise UnknownOperationError if there are operations without a rule: one error for all."""
    missing = sorted({op.name for op in walk(graph.block)} - RULES.keys() - _CONTROL)
    if missing:
        raise UnknownOperationError(
            f"{graph.origin}: the program has {len(missing)} operations that cannot be run here: {', '.join(missing)}. "
            "Save the model without them in PaddlePaddle, or load its parameters alone (paddle.load) into a Layer "
            "that is written here.")
    absent = {p.key: p.name for p in graph.parameters if not p.stored}
    for operation in walk(graph.block):
        # Paddle's recurrent networks have a buffer for dropout that is never saved, and never read in a new program.
        used = [k for a, k in operation.inputs.items() if a != "dropout_state_in"]
        for key in (k for item in used for k in (item if isinstance(item, list) else [item])):
            if key in absent:
                raise UnknownOperationError(
                    f"{graph.origin}: {operation.name} reads the buffer {absent[key]!r}, which was registered with "
                    "persistable=False, so that its value was not saved. Save the model with a persistable buffer.")


def run(graph: Graph, inputs: list[Tensor], parameters: dict[Any, Tensor], training: bool) -> list[Tensor]:
    """The program's outputs."""
    values: dict[Any, Any] = dict(parameters)
    values.update((variable.key, value) for variable, value in zip(graph.inputs, inputs, strict=True))
    _run_block(graph.block, values, training)
    return [_tensor(values[variable.key]) for variable in graph.outputs]


def _tensor(value: Any) -> Any:
    if isinstance(value, (Known, Mixed)):
        return value.tensor()
    return [_tensor(v) for v in value] if isinstance(value, list) else value


def _run_block(block: Block, values: dict[Any, Any], training: bool) -> None:
    for operation in block.operations:
        if operation.name in _CONTROL:
            result = _control(operation, values, training)
        else:
            result = _ordinary(operation, values, training)
        outs = result if isinstance(result, tuple) else (result,)
        if operation.spread:
            outs = tuple(result)
        for key, value in zip(operation.outputs, outs, strict=False):
            if isinstance(key, list):
                values.update(zip(key, value, strict=True))
            elif key is not None:
                values[key] = value


def _get(values: dict[Any, Any], key: Any) -> Any:
    if isinstance(key, list):
        return [values[k] for k in key]
    return None if key is None else values[key]


def _ordinary(operation: Operation, values: dict[Any, Any], training: bool) -> Any:
    inputs = {name: _get(values, key) for name, key in operation.inputs.items() if key is not None}
    arguments = {**operation.attrs, **inputs}
    name = operation.name
    folded = fold(name, inputs, arguments)
    if folded is not None:
        return folded
    mixed = mix(name, inputs, arguments)
    if mixed is not None:
        return mixed
    if name not in KEEPS_KNOWN:
        known = KNOWN_ARGUMENTS.get(name, ())
        for argument, value in inputs.items():
            if argument not in known:
                arguments[argument] = _tensor(value)
    arguments["training"], arguments["result_shape"] = training, operation.shape
    return RULES[name](arguments)


# Arguments that are shapes and axes: they reach the rule as they are.
KNOWN_ARGUMENTS = {name: frozenset(arguments.split()) for name, arguments in {
    "reshape": "shape", "squeeze": "axis", "unsqueeze": "axis", "expand": "shape", "tile": "repeat_times",
    "slice": "starts ends", "strided_slice": "starts ends strides", "split": "sections axis", "split_with_num": "axis",
    "concat": "axis", "sum": "axis", "mean": "axis", "max": "axis", "min": "axis", "prod": "dims", "scale": "scale",
    "topk": "k", "argmax": "axis", "argmin": "axis", "cumsum": "axis", "gather": "axis", "pool2d": "kernel_size",
    "pool3d": "kernel_size", "pad3d": "paddings", "pad": "pad_value", "clip": "min max", "dropout": "p",
    "roll": "shifts", "one_hot": "num_classes", "conv2d_transpose": "output_size",
    "depthwise_conv2d_transpose": "output_size", "full_like": "value", "bilinear_interp": "out_size size_tensor",
    "nearest_interp": "out_size size_tensor", "bicubic_interp": "out_size size_tensor", "elementwise_pow": "y",
    "linear_interp": "out_size size_tensor", "set_value_": "starts ends steps", "repeat_interleave": "repeats",
    "set_value": "starts ends steps", "set_value_with_tensor": "starts ends steps",
    "set_value_with_tensor_": "starts ends steps",
}.items()}


# ---- lists, choices and loops ------------------------------------------------------------------------------------


def _control(operation: Operation, values: dict[Any, Any], training: bool) -> Any:
    name, inputs = operation.name, operation.inputs
    if name == "builtin.combine":
        return [_get(values, key) for key in inputs["values"]]
    if name == "builtin.split":
        return tuple(values[inputs["x"]])
    if name == "builtin.slice":
        return values[inputs["x"]][operation.attrs["index"]]
    if name == "if":
        branches = [_branch(block, block.results, values, training) for block in operation.blocks]
        return _as_tuple(cond(_tensor(values[inputs["cond"]]), branches[0], branches[1]))
    if name == "while":
        return _while(operation, values, training)
    if name == "paddle2.conditional_block":
        return _conditional(operation, values, training)
    return _while2(operation, values, training)


def _as_tuple(result: Any) -> tuple:
    return tuple(result) if isinstance(result, (list, tuple)) else (result,)


def _branch(block: Block, results: list[Any], values: dict[Any, Any], training: bool) -> Any:
    def branch() -> list[Any]:
        inside = dict(values)
        _run_block(block, inside, training)
        return [_tensor(inside[key]) for key in results]
    return branch


def _while(operation: Operation, values: dict[Any, Any], training: bool) -> tuple:
    """Paddle 3: the first input is whether to begin, the body gives whether to go on and the new values."""
    going, *start = [_tensor(values[key]) for key in operation.inputs["values"]]
    (block,) = operation.blocks

    def body(_: Any, *carried: Any) -> list[Any]:
        inside = {**values, **dict(zip(block.arguments, carried, strict=True))}
        _run_block(block, inside, training)
        return [_tensor(inside[key]) for key in block.results]

    return tuple(while_loop(lambda going, *_: going.reshape([]), body, [going, *start])[1:])


def _conditional(operation: Operation, values: dict[Any, Any], training: bool) -> tuple:
    """Paddle 2: a block that runs if a condition holds; `select_input` picks its results or another block's after it.

    What it would have written has no value when it does not run, and nothing may then look at it: zeros stand there.
    """
    (block,) = operation.blocks
    condition = _tensor(values[operation.inputs["cond"]]).reshape([])

    def run_it() -> list[Any]:
        return _branch(block, block.results, values, training)()

    if all(key in values for key in block.results):
        return _as_tuple(cond(condition, run_it, lambda: [_tensor(values[key]) for key in block.results]))
    return tuple(_Choice(condition, run_it, i) for i in range(len(block.results)))


class _Choice:
    """A result of a block that has not run yet: `select_input` decides."""

    def __init__(self, condition: Tensor, branch: Any, index: int):
        self.condition, self.branch, self.index = condition, branch, index


def select_input(v: dict[str, Any]) -> Any:
    """Paddle 2's end of an if: the second input where the mask is true, else the first."""
    no, yes = v["x"]
    mask = _tensor(v["mask"]).astype("bool").reshape([])
    return cond(mask, _chosen(yes), _chosen(no))


def _chosen(value: Any) -> Any:
    if isinstance(value, _Choice):
        return lambda: value.branch()[value.index]
    return lambda: _tensor(value)


RULES["select_input"] = select_input


def _while2(operation: Operation, values: dict[Any, Any], training: bool) -> tuple:
    """Paddle 2: the block overwrites variables of the blocks around it, its condition among them."""
    (block,) = operation.blocks
    condition = operation.inputs["cond"]
    carried = [key for key in block.results if key != condition and key in values]

    def body(going: Any, *now: Any) -> list[Any]:
        inside = {**values, condition: going, **dict(zip(carried, now, strict=True))}
        _run_block(block, inside, training)
        return [_tensor(inside[key]) for key in (condition, *carried)]

    start = [_tensor(values[key]) for key in (condition, *carried)]
    out = dict(zip((condition, *carried), while_loop(lambda going, *_: going.reshape([]), body, start), strict=True))
    return tuple(out.get(key, values.get(key)) for key in operation.outputs)
