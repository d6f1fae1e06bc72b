"""Layers as operations: convolutions, pooling, normalization, dropout, recurrent networks, attention, losses."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.ops import rnn as rnn_ops
from kayax.bridge.ops.public import FUNCTIONAL_NAMES as F
from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.io.paddle.known import ints, number


def _padding(v: dict[str, Any]) -> Any:
    """A number for each side, or Paddle's word for them."""
    return v.get("paddings", 0) if v.get("padding_algorithm", "EXPLICIT") == "EXPLICIT" else v["padding_algorithm"]


def _layout(v: dict[str, Any], default: str = "NCHW") -> str:
    return default if v.get("data_format", default) == "AnyLayout" else v.get("data_format", default)


def _convolution(name: str) -> Callable:
    def run(v: dict[str, Any]) -> Any:
        return F[name](v["input"], v["filter"], v.get("bias"), v["strides"], _padding(v), v["dilations"],
                       v.get("groups", 1), _layout(v, "NCDHW" if name == "conv3d" else "NCHW"))
    return run


def _transposed(v: dict[str, Any]) -> Any:
    size = ints(v["output_size"]) if v.get("output_size") is not None else []
    return F["conv2d_transpose"](v["x"], v["filter"], v.get("bias"), v["strides"], _padding(v),
                                 0 if size else v.get("output_padding") or 0, v["dilations"], v.get("groups", 1),
                                 size or None, _layout(v))


def _pool(n: int) -> Callable:
    def run(v: dict[str, Any]) -> Any:
        x, size, layout = v["x"], ints(v["kernel_size"]), _layout(v, "NCHW" if n == 2 else "NCDHW")
        kind, last = v["pooling_type"], layout.endswith("C")
        if v.get("adaptive"):
            if kind == "avg":
                return F[f"adaptive_avg_pool{n}d"](x, size, layout)
            return F[f"adaptive_max_pool{n}d"](x, size)
        padding: Any = _padding(v)
        if v.get("global_pooling"):
            size, padding = [int(d) for d in (x.shape[1:-1] if last else x.shape[2:])], 0
        if kind == "avg":
            return F[f"avg_pool{n}d"](x, size, v["strides"], padding, v.get("ceil_mode", False),
                                      v.get("exclusive", True), None, layout)
        return F[f"max_pool{n}d"](x, size, v["strides"], padding, False, v.get("ceil_mode", False), layout)
    return run


def _pool_with_index(v: dict[str, Any]) -> tuple:
    if v.get("adaptive"):
        return tuple(F["adaptive_max_pool2d"](v["x"], ints(v["kernel_size"]), True))
    size = [int(d) for d in v["x"].shape[2:]] if v.get("global_pooling") else ints(v["kernel_size"])
    return tuple(F["max_pool2d"](v["x"], size, v["strides"], v["paddings"], True, v.get("ceil_mode", False)))


def _batch_norm(v: dict[str, Any]) -> Any:
    """Statistics move only in training mode, and not if the program was saved with frozen ones."""
    training = v["training"] and not v.get("use_global_stats", False)
    layout = {"NCHW": {2: "NC", 3: "NCL", 4: "NCHW", 5: "NCDHW"}, "NHWC": {2: "NC", 3: "NLC", 4: "NHWC", 5: "NDHWC"}}
    chosen = _layout(v)
    chosen = layout.get(chosen, {}).get(len(v["x"].shape), chosen)
    return F["batch_norm"](v["x"], v["mean"], v["variance"], v.get("scale"), v.get("bias"), training,
                           v.get("momentum", 0.9), v.get("epsilon", 1e-5), chosen)


def _layer_norm(v: dict[str, Any]) -> Any:
    shape = list(v["x"].shape[v.get("begin_norm_axis", 1):])
    weight, bias = (p.reshape(shape) if p is not None else None for p in (v.get("scale"), v.get("bias")))
    return F["layer_norm"](v["x"], shape, weight, bias, v.get("epsilon", 1e-5))


def _group_norm(v: dict[str, Any]) -> Any:
    return F["group_norm"](v["x"], v["groups"], v.get("epsilon", 1e-5), v.get("scale"), v.get("bias"), _layout(v))


def _instance_norm(v: dict[str, Any]) -> Any:
    return F["instance_norm"](v["x"], weight=v.get("scale"), bias=v.get("bias"), eps=v.get("epsilon", 1e-5))


def _dropout(v: dict[str, Any]) -> Any:
    # Without a word the program is of the time when Paddle scaled at inference.
    mode = "upscale_in_train" if v.get("mode") == "upscale_in_train" else "downscale_in_infer"
    return F["dropout"](v["x"], number(v.get("p", 0.5)), training=v["training"], mode=mode)


def _embedding(v: dict[str, Any]) -> Any:
    index = v.get("padding_idx", -1)
    return F["embedding"](v["x"], v["weight"], padding_idx=None if index in (-1, None) else index)


def _rnn(v: dict[str, Any]) -> tuple:
    """Weights come as all matrices, by layer and direction, and then all biases in the same order."""
    kind = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "tanh", "RNN_RELU": "relu"}[v["mode"]]
    directions = (False, True) if v.get("is_bidirec") else (False,)
    weights = v["weight_list"]
    count = v["num_layers"] * len(directions)
    each = len(weights) // 2 // count
    ordered: list[Any] = []
    for i in range(count):
        ordered += weights[i * each:(i + 1) * each] + weights[(count + i) * each:(count + i + 1) * each]
    how = (v.get("sequence_length"), kind, directions, v["num_layers"], True, True, True)
    if v["training"] and v.get("dropout_prob", 0.0) > 0:
        out, *states = rnn_ops.rnn_dropout(v["x"], v["pre_state"], ordered, *how, v["dropout_prob"])
    else:
        out, *states = rnn_ops.rnn(v["x"], v["pre_state"], ordered, *how)
    return (out, None, states)


def _resize(mode: str) -> Callable:
    def run(v: dict[str, Any]) -> Any:
        names = {"linear": ("out_w",), "trilinear": ("out_d", "out_h", "out_w")}.get(mode, ("out_h", "out_w"))
        scale = v.get("scale")
        size: Any = next((ints(v[n]) for n in ("out_size", "size_tensor") if v.get(n) is not None), None)
        if size is None and not scale and v.get("scale_tensor") is None:
            size = [v[name] for name in names]
        factor = None if size is not None else scale or v["scale_tensor"].tolist()
        return F["interpolate"](v["x"], size, factor, mode, v.get("align_corners", False), v.get("align_mode", 0),
                                _layout(v))
    return run


def _cross_entropy(v: dict[str, Any]) -> tuple:
    loss, softmax = F["softmax_with_cross_entropy"](
        v["input"], v["label"], v.get("soft_label", False), v.get("ignore_index", -100), True,
        return_softmax=True, axis=v.get("axis", -1))
    return softmax, loss


def _attention(v: dict[str, Any]) -> Any:
    return F["scaled_dot_product_attention"](v["q"], v["k"], v["v"], v.get("attn_mask"), v.get("dropout", 0.0),
                                             v.get("causal", False), v["training"])


def _uniform(v: dict[str, Any]) -> Any:
    return P["uniform"](ints(v["shape"]), v["dtype"], number(v["min"]), number(v["max"]))


def _gaussian(v: dict[str, Any]) -> Any:
    return P["normal"](v["mean"], v["std"], ints(v["shape"])).astype(v["dtype"])


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "conv2d": _convolution("conv2d"), "depthwise_conv2d": _convolution("conv2d"), "conv3d": _convolution("conv3d"),
    "conv2d_transpose": _transposed, "depthwise_conv2d_transpose": _transposed,
    "pool2d": _pool(2), "pool3d": _pool(3), "max_pool2d_with_index": _pool_with_index,
    "batch_norm": _batch_norm, "batch_norm_": _batch_norm, "sync_batch_norm_": _batch_norm,
    "layer_norm": _layer_norm, "group_norm": _group_norm, "instance_norm": _instance_norm,
    "dropout": _dropout, "embedding": _embedding, "rnn": _rnn,
    "bilinear_interp": _resize("bilinear"), "nearest_interp": _resize("nearest"),
    "bicubic_interp": _resize("bicubic"), "linear_interp": _resize("linear"),
    "cross_entropy_with_softmax": _cross_entropy, "flash_attn": _attention,
    "uniform": _uniform, "gaussian": _gaussian,
    "label_smooth": lambda v: F["label_smooth"](v["x"], epsilon=v["epsilon"]),
    "grid_sample": lambda v: F["grid_sample"](v["x"], v["grid"], v.get("mode", "bilinear"),
                                              v.get("padding_mode", "zeros"), v.get("align_corners", True)),
}
