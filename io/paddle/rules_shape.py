"""Shapes and places: reshaping, joining, cutting, gathering, writing into."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.errors import DataDependentShapeError
from kayax.bridge.ops.public import FUNCTIONAL_NAMES as F
from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.bridge.tensor import Tensor
from kayax.io.paddle.known import ints, number
from kayax.io.paddle.windows import is_known, parts_of, starts_of, window, write_window


def _axes(v: dict[str, Any]) -> list[int]:
    return [int(a) for a in ints(v.get("axis") if v.get("axis") is not None else [])]


def _squeeze(v: dict[str, Any]) -> Any:
    return P["squeeze"](v["x"], _axes(v) or None)


def _slice(v: dict[str, Any]) -> Any:
    """Bounds are clamped; `decrease_axis` are taken away again."""
    x = v["input"]
    if not (is_known(v["starts"]) and is_known(v["ends"])):
        return _window(v)
    index: list[Any] = [slice(None)] * len(x.shape)
    gone = set(v.get("decrease_axis") or ())
    for axis, start, end in zip(v["axes"], ints(v["starts"]), ints(v["ends"]), strict=True):
        # One element is a plain index, which stays valid where the size is open.
        index[axis] = start if axis in gone else slice(start, None if _far(end) else end)
    return x[tuple(index)]


def _window(v: dict[str, Any]) -> Any:
    """A slice that starts where the program says, of the sizes that the file declares."""
    x, gone = v["input"], set(v.get("decrease_axis") or ())
    declared = list(v["result_shape"]) if v.get("result_shape") is not None else [-1] * (len(x.shape) - len(gone))
    for axis in sorted(gone):
        declared.insert(axis, 1)
    starts, ends = (parts_of(v[name], len(v["axes"])) for name in ("starts", "ends"))
    places, axes, sizes = [], [], []
    index: list[Any] = [slice(None)] * len(x.shape)
    for axis, start, end in zip(v["axes"], starts, ends, strict=True):
        if not isinstance(start, Tensor) and not isinstance(end, Tensor):
            index[axis] = slice(start, None if _far(end) else end)
        elif declared[axis] == -1:
            raise DataDependentShapeError(f"A slice of axis {axis} has a size that only the values tell, which an XLA "
                                          "program cannot express.")
        else:
            places.append(start)
            axes.append(axis)
            sizes.append(declared[axis])
    out = window(x[tuple(index)], starts_of(places), axes, sizes)
    return P["squeeze"](out, sorted(gone)) if gone else out


def _far(end: Any) -> bool:
    return isinstance(end, int) and end >= 2**31 - 1


def _strided(v: dict[str, Any]) -> Any:
    out = P["strided_slice"](v["x"], v["axes"], ints(v["starts"]), ints(v["ends"]), ints(v["strides"]))
    gone = v.get("decrease_axis")
    return P["squeeze"](out, list(gone)) if gone else out


def _split(v: dict[str, Any]) -> list[Any]:
    axis = int(number(v.get("axis", 0)))
    sections = ints(v["sections"]) if v.get("sections") is not None else []
    return P["split"](v["x"], sections or v["num"], axis)


def _gather(v: dict[str, Any]) -> Any:
    axis = v.get("axis")
    return P["gather"](v["x"], v["index"], int(number(axis)) if axis is not None else 0)


def _pad3d(v: dict[str, Any]) -> Any:
    layout = v.get("data_format", "NCDHW")
    mode = {"edge": "replicate"}.get(v.get("mode", "constant"), v.get("mode", "constant"))
    return F["pad"](v["x"], ints(v["paddings"]), mode, v.get("pad_value", v.get("value", 0.0)), layout)


def _pad(v: dict[str, Any]) -> Any:
    value = number(v.get("pad_value", 0.0))
    return F["pad"](v["x"], ints(v["paddings"]), "constant", 0.0 if value is None else value)


def _set(v: dict[str, Any]) -> Any:
    """``x[...] = values`` as a new value."""
    if not (is_known(v["starts"]) and is_known(v["ends"])):
        if v.get("decrease_axes") or isinstance(v["values"], list) or any(s != 1 for s in ints(v["steps"])):
            raise DataDependentShapeError("A write to a place that only the values tell needs steps of 1, and a window "
                                          "of as many axes.")
        return write_window(v["x"], v["values"], starts_of(v["starts"]), list(v["axes"]))
    x = v["x"].clone()
    index: list[Any] = [slice(None)] * len(x.shape)
    gone = set(v.get("decrease_axes") or ())
    for axis, start, end, step in zip(v["axes"], ints(v["starts"]), ints(v["ends"]), ints(v["steps"]), strict=True):
        index[axis] = start if axis in gone else slice(start, None if _far(end) else end, step)
    values = v["values"]
    if isinstance(values, list):
        values = P["full"](v["shape"], values[0], x.dtype) if len(values) == 1 else _literal(values, v["shape"], x)
    x[tuple(index)] = values
    return x


def _literal(values: list[Any], shape: list[int], like: Any) -> Any:
    from kayax.bridge.convert import to_tensor
    return to_tensor(values).astype(like.dtype).reshape(shape)


def _take_along(v: dict[str, Any]) -> Any:
    return P["take_along_axis"](v["arr"], v["indices"], v["axis"], False)


def _put_along(v: dict[str, Any]) -> Any:
    return P["put_along_axis"](v["arr"], v["indices"], v["values"], v["axis"], v.get("reduce", "assign"),
                               v.get("include_self", True), False)


def _triangle(v: dict[str, Any]) -> Any:
    """Paddle 2 has one operation for both triangles."""
    return P["tril" if v.get("lower", True) else "triu"](v["x"], v.get("diagonal", 0))


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "reshape": lambda v: v["x"].reshape(ints(v["shape"])),
    "transpose": lambda v: P["transpose"](v["x"], v["perm"]),
    "squeeze": _squeeze,
    "unsqueeze": lambda v: P["unsqueeze"](v["x"], _axes(v)),
    "flatten": lambda v: P["flatten"](v["x"], v.get("start_axis", 1), v.get("stop_axis", -1)),
    "concat": lambda v: P["concat"](v["x"], int(number(v.get("axis", 0)))),
    "stack": lambda v: P["stack"](v["x"], v.get("axis", 0)),
    "unstack": lambda v: P["unstack"](v["x"], v.get("axis", 0)),
    "unbind": lambda v: P["unbind"](v["x"], v.get("axis", 0)),
    "split": _split,
    "split_with_num": lambda v: P["split"](v["x"], v["num"], int(number(v.get("axis", 0)))),
    "slice": _slice, "strided_slice": _strided,
    "expand": lambda v: P["expand"](v["x"], ints(v["shape"])),
    "expand_as": lambda v: P["expand"](v["x"], v["target_shape"] if v.get("y") is None else v["y"].shape),
    "tile": lambda v: P["tile"](v["x"], ints(v["repeat_times"])),
    "broadcast_tensors": lambda v: P["broadcast_tensors"](v["input"]),
    "meshgrid": lambda v: list(P["meshgrid"](*v["inputs"])),
    "gather": _gather,
    "gather_nd": lambda v: P["gather_nd"](v["x"], v["index"]),
    "index_select": lambda v: P["index_select"](v["x"], v["index"], v.get("axis", 0)),
    "index_sample": lambda v: P["index_sample"](v["x"], v["index"]),
    "take_along_axis": _take_along, "put_along_axis": _put_along,
    "scatter": lambda v: P["scatter"](v["x"], v["index"], v["updates"], v.get("overwrite", True)),
    "scatter_nd_add": lambda v: P["scatter_nd_add"](v["x"], v["index"], v["updates"]),
    "where": lambda v: P["where"](v["condition"], v["x"], v["y"]),
    "masked_fill": lambda v: P["masked_fill"](v["x"], v["mask"], v["value"]),
    "masked_select": lambda v: P["masked_select"](v["x"], v["mask"]),
    "nonzero": lambda v: P["nonzero"](v["x"]),
    "flip": lambda v: P["flip"](v["x"], v["axis"]),
    "roll": lambda v: P["roll"](v["x"], ints(v["shifts"]), v.get("axis") or None),
    "tril": lambda v: P["tril"](v["x"], v.get("diagonal", 0)),
    "triu": lambda v: P["triu"](v["x"], v.get("diagonal", 0)),
    "tril_triu": _triangle,
    "diagonal": lambda v: P["diagonal"](v["x"], v.get("offset", 0), v.get("axis1", 0), v.get("axis2", 1)),
    "diag": lambda v: P["diag"](v["x"], v.get("offset", 0), v.get("padding_value", 0.0)),
    "pad3d": _pad3d, "pad": _pad,
    "set_value": _set, "set_value_": _set, "set_value_with_tensor": _set, "set_value_with_tensor_": _set,
    "pixel_shuffle": lambda v: F["pixel_shuffle"](v["x"], v["upscale_factor"], v.get("data_format", "NCHW")),
    "pixel_unshuffle": lambda v: F["pixel_unshuffle"](v["x"], v["downscale_factor"], v.get("data_format", "NCHW")),
    "channel_shuffle": lambda v: F["channel_shuffle"](v["x"], v["groups"], v.get("data_format", "NCHW")),
    "one_hot": lambda v: F["one_hot"](v["x"], int(number(v["num_classes"]))),
    "searchsorted": lambda v: P["searchsorted"](v["sorted_sequence"], v["values"], v.get("out_int32", False),
                                                v.get("right", False)),
}
