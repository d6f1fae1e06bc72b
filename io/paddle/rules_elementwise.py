"""Element by element: arithmetic, comparisons, activations; and reductions."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.ops.public import FUNCTIONAL_NAMES as F
from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.io.paddle.known import Known, ints, number

_SAME = """abs acos acosh asin asinh atan atanh bitwise_not ceil cos cosh digamma erf erfinv exp expm1 floor isfinite
isinf isnan lgamma log log10 log1p log2 logical_not reciprocal round rsqrt sign sin sinh sqrt square tan tanh trunc
conj real imag as_real as_complex neg add_n"""

_FUNCTIONAL = "relu relu6 selu silu mish softsign sigmoid"

_BINARY = """add subtract multiply divide maximum minimum fmax fmin remainder floor_divide equal not_equal less_than
less_equal greater_than greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor atan2 bmm
mv dot kron heaviside equal_all"""

# Activations with attributes: the function, and for each of its arguments the attribute and its default in old files.
_ACTIVATIONS: dict[str, tuple[str, dict[str, tuple[str, Any]]]] = {
    "gelu": ("gelu", {"approximate": ("approximate", False)}),
    "leaky_relu": ("leaky_relu", {"negative_slope": ("negative_slope", 0.02)}),
    "elu": ("elu", {"alpha": ("alpha", 1.0)}),
    "celu": ("celu", {"alpha": ("alpha", 1.0)}),
    "hardtanh": ("hardtanh", {"min": ("t_min", -1.0), "max": ("t_max", 1.0)}),
    "hardsigmoid": ("hardsigmoid", {"slope": ("slope", 0.2), "offset": ("offset", 0.5)}),
    "hardshrink": ("hardshrink", {"threshold": ("threshold", 0.5)}),
    "softshrink": ("softshrink", {"threshold": ("threshold", 0.5)}),
    "softplus": ("softplus", {"beta": ("beta", 1.0), "threshold": ("threshold", 20.0)}),
    "thresholded_relu": ("thresholded_relu", {"threshold": ("threshold", 1.0), "value": ("value", 0.0)}),
    "softmax": ("softmax", {"axis": ("axis", -1)}),
    "log_softmax": ("log_softmax", {"axis": ("axis", -1)}),
    "maxout": ("maxout", {"groups": ("groups", 1), "axis": ("axis", 1)}),
}


def _first(function: Callable, *names: str) -> Callable:
    return lambda v: function(*(v[name] for name in names))


def _activation(name: str, arguments: dict[str, tuple[str, Any]]) -> Callable:
    return lambda v: F[name](v["x"], **{a: v.get(attr, default) for a, (attr, default) in arguments.items()})


def _hardswish(v: dict[str, Any]) -> Any:
    scale, threshold, offset = v.get("scale", 6.0), v.get("threshold", 6.0), v.get("offset", 3.0)
    if (scale, threshold, offset) == (6.0, 6.0, 3.0):
        return F["hardswish"](v["x"])
    return v["x"] * P["clip"](v["x"] + offset, 0.0, threshold) / scale


def _swish(v: dict[str, Any]) -> Any:
    return v["x"] * F["sigmoid"](v["x"] * v.get("beta", 1.0))


def _scale(v: dict[str, Any]) -> Any:
    factor = number(v.get("scale", 1.0))
    return P["scale"](v["x"], factor, v.get("bias", 0.0), v.get("bias_after_scale", True))


def _clip(v: dict[str, Any]) -> Any:
    return P["clip"](v["x"], number(v.get("min")), number(v.get("max")))


def _power(v: dict[str, Any]) -> Any:
    y = v["y"]
    return P["pow"](v["x"], number(y) if isinstance(y, Known) else y)


def _prelu(v: dict[str, Any]) -> Any:
    return F["prelu"](v["x"], v["alpha"].reshape([-1]) if v.get("mode") != "element" else v["alpha"],
                      data_format=v.get("data_format", "NCHW"))


def _matmul(v: dict[str, Any]) -> Any:
    return P["matmul"](v["x"], v["y"], v.get("transpose_x", False), v.get("transpose_y", False))


def _mul(v: dict[str, Any]) -> Any:
    """Paddle 2's product of flattened matrices."""
    x, y, rows, inner = v["x"], v["y"], v.get("x_num_col_dims", 1), v.get("y_num_col_dims", 1)
    out = P["matmul"](P["flatten"](P["flatten"](x, rows, -1), 0, rows - 1),
                      P["flatten"](P["flatten"](y, inner, -1), 0, inner - 1))
    return out.reshape([*x.shape[:rows], *y.shape[inner:]])


def _add_old(function: Callable) -> Callable:
    """Paddle 2 aligns the second operand at `axis`, Paddle 3 at the end."""
    def run(v: dict[str, Any]) -> Any:
        x, y, axis = v["x"], v["y"], v.get("axis", -1)
        if axis not in (-1, None) and len(x.shape) > len(y.shape) + axis:
            y = y.reshape([*y.shape, *[1] * (len(x.shape) - len(y.shape) - axis)])
        return function(x, y)
    return run


# ---- reductions ------------------------------------------------------------------------------------------------


def axes_of(v: dict[str, Any], name: str = "axis") -> Any:
    """The axes of a reduction; all of them are None."""
    axes = ints(v.get(name) if v.get(name) is not None else [])
    return None if not axes or v.get("reduce_all") is True else axes


def _reduction(name: str, axis: str = "axis", dtype: bool = False) -> Callable:
    def run(v: dict[str, Any]) -> Any:
        more = {}
        kind = v.get("dtype", v.get("out_dtype"))
        if dtype and isinstance(kind, str) and "Undefined" not in kind:
            more["dtype"] = kind
        axes = axes_of(v, axis)
        if name == "prod" and axes is not None and len(axes) == 1:
            axes = axes[0]
        return P[name](v["x"], axis=axes, keepdim=v.get("keepdim", False), **more)
    return run


def _extreme(name: str) -> Callable:
    def run(v: dict[str, Any]) -> Any:
        axis = None if v.get("flatten") else number(v.get("axis", -1))
        kind = v.get("dtype", "int64")
        return P[name](v["x"], axis, v.get("keepdims", v.get("keepdim", False)),
                       kind if kind in ("int32", "int64") else "int64")
    return run


def _top(v: dict[str, Any]) -> tuple:
    return tuple(P["topk"](v["x"], number(v["k"]), v.get("axis", -1), v.get("largest", True), v.get("sorted", True)))


def _argsort(v: dict[str, Any]) -> tuple:
    order = v.get("axis", -1), v.get("descending", False), v.get("stable", False)
    return P["sort"](v["x"], *order), P["argsort"](v["x"], *order)


def _cumsum(v: dict[str, Any]) -> Any:
    x, axis = v["x"], None if v.get("flatten") else int(number(v.get("axis", -1)))
    if axis is None:
        x, axis = x.flatten(), 0
    if v.get("reverse"):
        x = P["flip"](x, [axis])
    out = P["cumsum"](x, axis)
    if v.get("exclusive"):
        out = out - x
    return P["flip"](out, [axis]) if v.get("reverse") else out


def _p_norm(v: dict[str, Any]) -> Any:
    x = v["x"].flatten() if v.get("asvector") else v["x"]
    axis = 0 if v.get("asvector") else v.get("axis", -1)
    return P["linalg.norm" if "linalg.norm" in P else "norm"](x, v.get("porder", 2.0), axis, v.get("keepdim", False))


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{name: _first(P[name], "x") for name in _SAME.split() if name in P and name != "add_n"},
    "add_n": lambda v: P["add_n"](v["inputs"]),
    **{name: _first(F[name], "x") for name in _FUNCTIONAL.split() if name in F},
    **{name: _add_old(P[name]) for name in _BINARY.split()},
    **{name: _activation(*how) for name, how in _ACTIVATIONS.items()},
    "logsigmoid": _first(F["log_sigmoid"], "x"), "tanh_shrink": _first(F["tanhshrink"], "x"),
    "hardswish": _hardswish, "swish": _swish, "scale": _scale, "clip": _clip, "pow": _power, "elementwise_pow": _power,
    "prelu": _prelu, "matmul": _matmul, "paddle2_mul": _mul,
    "increment": lambda v: v["x"] + v.get("value", v.get("step", 1)),
    "logit": lambda v: P["logit"](v["x"], v.get("eps")), "einsum": lambda v: (P["einsum"](v["equation"], *v["x"]),),
    "addmm": lambda v: P["addmm"](v["input"], v["x"], v["y"], v.get("beta", 1.0), v.get("alpha", 1.0)),
    "lerp": _first(P["lerp"], "x", "y", "weight"),
    "cast": lambda v: v["x"].astype(v["dtype"]),
    "sum": _reduction("sum", dtype=True), "mean": _reduction("mean"), "max": _reduction("max"),
    "min": _reduction("min"), "amax": _reduction("amax"), "amin": _reduction("amin"), "any": _reduction("any"),
    "all": _reduction("all"), "prod": _reduction("prod", "dims"), "logsumexp": _reduction("logsumexp"),
    "mean_all": lambda v: P["mean"](v["x"]), "argmax": _extreme("argmax"), "argmin": _extreme("argmin"),
    "topk": _top, "argsort": _argsort, "cumsum": _cumsum, "p_norm": _p_norm,
    "cumprod": lambda v: P["cumprod"](v["x"], v["dim"]),
    "squared_l2_norm": lambda v: P["sum"](v["x"] * v["x"]).reshape([1]),
    "frobenius_norm": lambda v: P["sqrt"](P["sum"](v["x"] * v["x"], axes_of(v), keepdim=v.get("keepdim", False))),
}
