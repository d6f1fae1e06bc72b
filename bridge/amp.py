"""Automatic mixed precision: a policy, by operation, of which floating type its inputs are cast to at the door."""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.state import bump, state
from kayax.bridge.tensor import Tensor
from kayax.spec import dtype as dtypes

# Paddle's names of operations. White: cast to the low precision. Black: cast to float32.
WHITE = frozenset("""
    conv2d einsum matmul matmul_v2 linear_v2 max_pool2d_with_index mul fused_gemm_epilogue
    fused_rotary_position_embedding flash_attn fused_attention fused_feedforward fake_quantize_dequantize_abs_max
    fake_quantize_dequantize_moving_average_abs_max""".split())
_NOT_WHITE_IN_BFLOAT16 = frozenset("""
    fused_attention fused_feedforward fake_quantize_dequantize_abs_max
    fake_quantize_dequantize_moving_average_abs_max""".split())
BLACK_O1 = frozenset("""
    acos asin atanh bicubic_interp_v2 bilinear_interp_v2 c_softmax_with_cross_entropy
    c_softmax_with_multi_label_cross_entropy cosh cross_entropy cross_entropy2 cumprod cumsum dist erfinv exp expm1
    frobenius_norm group_norm hsigmoid_loss huber_loss layer_norm linear_interp_v2 log log10 log2 log_loss log_softmax
    lookup_table lookup_table_v2 margin_cross_entropy mean nearest_interp_v2 nll_loss pnorm pow reciprocal reduce_mean
    reduce_prod reduce_sum renorm rsqrt scatter sigmoid_cross_entropy_with_logits sinh softmax
    softmax_with_cross_entropy softmin softplus square tan tanh_shrink trilinear_interp_v2
    triplet_margin_loss""".split())
BLACK_O2 = frozenset("""
    bicubic_interp_v2 bilinear_interp_v2 linear_interp_v2 lookup_table lookup_table_v2 nearest_interp_v2 scatter
    trilinear_interp_v2""".split())
# Our operations whose kernels have other names in Paddle.
_ALSO = {
    "matmul": ("matmul_v2",), "linear": ("linear_v2", "matmul_v2", "matmul", "fused_gemm_epilogue"),
    "mm": ("matmul_v2", "matmul"), "scaled_dot_product_attention": ("flash_attn",), "sum": ("reduce_sum",),
    "mean": ("reduce_mean",), "prod": ("reduce_prod",), "embedding": ("lookup_table_v2", "lookup_table"),
    "cross_entropy": ("softmax_with_cross_entropy", "cross_entropy2"), "norm": ("pnorm", "frobenius_norm"),
    "conv1d": ("conv2d",), "tanhshrink": ("tanh_shrink",), "softmax_with_cross_entropy": ("cross_entropy",),
    "binary_cross_entropy_with_logits": ("sigmoid_cross_entropy_with_logits",), "smooth_l1_loss": ("huber_loss",),
}
# Operations of which only the first input has a say and is cast: their parameters stay float32.
_FIRST_ONLY = frozenset({"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "sync_batch_norm"})
_LOW = (np.dtype("float16"), dtypes.to_numpy("bfloat16"))
_FLOAT32 = np.dtype("float32")


class Policy:
    """What `auto_cast` stands for: equal policies are one object, so programs are told apart by it."""

    def __init__(self, level: str, dtype: str, white: frozenset[str], black: frozenset[str], promote: bool):
        self.level, self.dtype, self.white, self.black, self.promote = level, dtype, white, black, promote
        self.low = dtypes.to_numpy(dtype)
        self._kinds: dict[str, str] = {}

    def kind(self, name: str) -> str:
        """Whether an operation is on the white list, the black list, or neither ("gray")."""
        found = self._kinds.get(name)
        if found is None:
            short = name.rpartition(".")[2]
            names = {name, short, *_ALSO.get(short, ())}
            found = "black" if names & self.black else "white" if names & self.white else "gray"
            self._kinds[name] = found
        return found

    def cast(self, name: str, inputs: list[Any]) -> list[Any]:
        """The inputs of an operation, cast as the policy says. Only float32 and the low precisions are touched."""
        if name == "amp_cast":
            return inputs
        kind = self.kind(name)
        considered = inputs[:1] if name.rpartition(".")[2] in _FIRST_ONLY else inputs
        if kind == "white":
            wanted = self.low
        elif kind == "black":
            wanted = _FLOAT32
        elif self.level == "OD" or (self.level == "O2" and not self.promote):
            wanted = self.low if self.level == "O2" else _FLOAT32
        else:
            wanted = _FLOAT32 if self.level == "O1" or self.promote else self.low
            found = {x.storage.array.dtype for x in considered if isinstance(x, Tensor)}
            if _FLOAT32 not in found or not found & set(_LOW):
                return inputs
        return [*(_cast(x, wanted) for x in considered), *inputs[len(considered):]]


@op(name="amp_cast")
def _amp_cast(x: Any, dtype: str) -> Any:
    return jnp.asarray(x, dtypes.to_numpy(dtype))


def _cast(x: Any, wanted: np.dtype) -> Any:
    if not isinstance(x, Tensor):
        return x
    dtype = x.storage.array.dtype
    return _amp_cast(x, wanted.name) if dtype != wanted and (dtype == _FLOAT32 or dtype in _LOW) else x


def _names(value: Any, what: str) -> frozenset[str]:
    if value is None:
        return frozenset()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{what} must be a list or set of operation names, but got {value!r}.")
    return frozenset(value)


@functools.lru_cache(maxsize=256)
def _policy(level: str, dtype: str, white: frozenset[str], black: frozenset[str], promote: bool) -> Policy:
    base = WHITE - (_NOT_WHITE_IN_BFLOAT16 if dtype == "bfloat16" else frozenset())
    blacks = {"O1": BLACK_O1, "O2": BLACK_O2, "OD": frozenset()}[level]
    return Policy(level, dtype, (base | white) - black, (blacks - white) | black, promote)


@contextlib.contextmanager
def auto_cast(enable: bool = True, custom_white_list: Any = None, custom_black_list: Any = None, level: str = "O1",
              dtype: str = "float16", use_promote: bool = True) -> Iterator[None]:
    """Run operations in mixed precision inside a `with` block.

    custom_white_list, custom_black_list: names of operations to run in low precision, or in float32, besides the
        built-in lists (`white_list()`, `black_list()`).
    level: "O0" off, "OD" only the white list is low, "O1" white low, black float32, others as their inputs are,
        "O2" everything but the black list is low (with `decorate`). dtype: "float16" or "bfloat16".
    use_promote: under O2, an operation with a float32 input computes in float32.
    """
    if level not in ("O0", "OD", "O1", "O2"):
        raise ValueError(f"level must be 'O0', 'OD', 'O1' or 'O2', but got {level!r}.")
    if dtype not in ("float16", "bfloat16"):
        raise ValueError(f"dtype must be 'float16' or 'bfloat16', but got {dtype!r}.")
    white, black = _names(custom_white_list, "custom_white_list"), _names(custom_black_list, "custom_black_list")
    if white & black:
        raise ValueError(f"An operation cannot be on both lists: {', '.join(sorted(white & black))}.")
    held = state.amp
    state.amp = _policy(level, dtype, white, black, use_promote) if enable and level != "O0" else None
    try:
        yield
    finally:
        state.amp = held


amp_guard = auto_cast


def autocast(device_type: str, dtype: str = "float16", enabled: bool = True, cache_enabled: bool = True) -> Any:
    """`auto_cast` at level O1 under PyTorch's names. device_type, cache_enabled: accepted; they change nothing here."""
    return auto_cast(enabled, dtype=dtype if isinstance(dtype, str) else dtypes.convert(dtype).name)


def white_list() -> dict[str, dict[str, set[str]]]:
    """The operations that run in low precision, by dtype and level."""
    return {d: {level: set(WHITE - (_NOT_WHITE_IN_BFLOAT16 if d == "bfloat16" else frozenset()))
                for level in ("OD", "O1", "O2")} for d in ("float16", "bfloat16")}


def black_list() -> dict[str, dict[str, set[str]]]:
    """The operations that run in float32, by dtype and level."""
    return {d: {"OD": set(), "O1": set(BLACK_O1), "O2": set(BLACK_O2)} for d in ("float16", "bfloat16")}


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether `auto_cast` is on, which is so for every kind of device at once."""
    return state.amp is not None


def get_autocast_dtype(device_type: str | None = None) -> str:
    """The low precision of the present `auto_cast` on every kind of device, "float16" outside of it."""
    return state.amp.dtype if state.amp is not None else "float16"


def is_float16_supported(device: Any = None) -> bool:
    """True: XLA computes float16 on every platform (on a CPU without being faster)."""
    return True


def is_bfloat16_supported(device: Any = None) -> bool:
    """True: XLA computes bfloat16 on every platform (on a CPU without being faster)."""
    return True


def keep_float32(layer: Any, dtype: str) -> bool:
    """Whether `decorate` leaves a layer's parameters in float32."""
    return dtype in getattr(layer, "_amp_keep_float32", ())


def decorate(models: Any, optimizers: Any = None, level: str = "O1", dtype: str = "float16",
             master_weight: bool | None = None, save_dtype: str | None = None, master_grad: bool = False,
             excluded_layers: Any = None) -> Any:
    """Prepare models and optimizers for O2: low-precision parameters, float32 masters in the optimizers.

    Batch norms keep float32 parameters (layer and instance norms too under float16), and so do `excluded_layers`
    (layers or their classes). With level "O1" everything is returned as it is. save_dtype: the dtype that `state_dict`
    gives. master_weight: None or True for float32 masters. master_grad: gradients are cast to float32 before they are
    used (what the masters' update does in any case).
    """
    if level not in ("O1", "O2"):
        raise ValueError(f"level must be 'O1' or 'O2', but got {level!r}.")
    if dtype not in ("float16", "bfloat16"):
        raise ValueError(f"dtype must be 'float16' or 'bfloat16', but got {dtype!r}.")
    if level == "O2":
        kinds, objects = _excluded(excluded_layers)
        for model in _as_list(models):
            _cast_model(model, dtype, kinds, objects, save_dtype)
        for optimizer in _as_list(optimizers) if optimizers is not None else ():
            optimizer._multi_precision = master_weight is not False
    return models if optimizers is None else (models, optimizers)


def _excluded(layers: Any) -> tuple[tuple[type, ...], list[Any]]:
    found = _as_list(layers) if layers is not None else []
    return tuple(x for x in found if isinstance(x, type)), [x for x in found if not isinstance(x, type)]


def _cast_model(model: Any, dtype: str, kinds: tuple[type, ...], objects: Sequence[Any],
                save_dtype: str | None) -> None:
    if not hasattr(model, "named_sublayers"):
        raise TypeError(f"decorate casts Layers, but got {type(model).__name__}.")
    spared = {s for o in objects for s in o.sublayers(include_self=True)}
    for layer in model.sublayers(include_self=True):
        if layer in spared or isinstance(layer, kinds) or keep_float32(layer, dtype):
            continue
        for store in (layer._parameters, layer._buffers):
            for tensor in store.values():
                if tensor is not None and tensor.storage.array.dtype == _FLOAT32:
                    tensor.storage.array = tensor.storage.array.astype(dtypes.to_numpy(dtype))
        layer.__dict__["_dtype"] = dtype
    bump()
    if save_dtype is not None:
        wanted = dtypes.to_numpy(save_dtype)
        model.register_state_dict_hook(lambda values: type(values)(
            (k, _as_dtype(v, wanted)) for k, v in values.items()))


def _as_dtype(tensor: Tensor, wanted: np.dtype) -> Tensor:
    if not tensor.dtype.is_floating or tensor.dtype.numpy == wanted:
        return tensor
    new = _amp_cast(tensor.detach(), wanted.name)
    new.name = tensor.name
    return new


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
