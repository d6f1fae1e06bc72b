"""Attention: scaled dot product, MultiHeadAttention, the Transformer's layers, masks and caches."""

from __future__ import annotations

import numpy as np
from harness import case, layer
from specs import bools, const, f32

F = "nn.functional."
TIGHT = {"grad_atol": 1e-4}


def attention(options):
    return lambda P, q, k, v: P.nn.functional.scaled_dot_product_attention(q, k, v, **options)


def plain_attention(scale=None, causal=False):
    """The textbook formula: Paddle 3.3.1 has no CPU kernel for some of the variants."""

    def oracle(P, q, k, v, *mask):
        q, k, v = (t.transpose([0, 2, 1, 3]) for t in (q, k, v))
        if k.shape[1] != q.shape[1]:
            k, v = (P.repeat_interleave(t, q.shape[1] // t.shape[1], axis=1) for t in (k, v))
        scores = P.matmul(q, k, transpose_y=True) * (scale or q.shape[-1] ** -0.5)
        if causal:
            scores = scores + P.triu(P.full(scores.shape[-2:], -1e30), 1)
        if mask:
            m = mask[0]
            scores = scores + (P.where(m, 0.0, -1e30) if m.dtype == P.bool else m)
        return P.matmul(P.nn.functional.softmax(scores), v).transpose([0, 2, 1, 3])

    return oracle


QKV = [f32(2, 4, 2, 3), f32(2, 5, 2, 3), f32(2, 5, 2, 3)]
SAME = [f32(2, 4, 2, 3)] * 3
SDPA = F + "scaled_dot_product_attention"
case(SDPA, attention({}), QKV, oracle=plain_attention())
case(SDPA + "/causal", attention({"is_causal": True}), SAME, oracle=plain_attention(causal=True))
case(SDPA + "/scale", attention({"scale": 0.3}), SAME, oracle=plain_attention(0.3))
case(SDPA + "/gqa", attention({}), [f32(1, 4, 4, 3), f32(1, 4, 2, 3), f32(1, 4, 2, 3)], oracle=plain_attention())
for name, mask in (("mask", f32(2, 1, 4, 5).fixed()), ("bool-mask", bools(2, 1, 4, 5))):
    case(
        f"{SDPA}/{name}",
        lambda P, q, k, v, m: P.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=m),
        [*QKV, mask],
        oracle=plain_attention(),
    )

E, H = 4, 2
X = f32(2, 3, E)
layer("nn.MultiHeadAttention", lambda P: P.nn.MultiHeadAttention(E, H), [X], **TIGHT)
layer("nn.MultiHeadAttention/cross", lambda P: P.nn.MultiHeadAttention(E, H), [X, f32(2, 4, E), f32(2, 4, E)], **TIGHT)
layer(
    "nn.MultiHeadAttention/kdim-vdim",
    lambda P: P.nn.MultiHeadAttention(E, H, kdim=3, vdim=5),
    [X, f32(2, 4, 3), f32(2, 4, 5)],
    **TIGHT,
)
layer("nn.MultiHeadAttention/weights", lambda P: P.nn.MultiHeadAttention(E, H, need_weights=True), [X], **TIGHT)
layer("nn.MultiHeadAttention/no-bias", lambda P: P.nn.MultiHeadAttention(E, H, bias_attr=False), [X], **TIGHT)
for name, mask in (
    ("float-mask", f32(2, H, 3, 3).fixed()),
    ("bool-mask", bools(1, 1, 3, 3)),
    ("broadcast-mask", f32(3, 3).fixed()),
):
    layer(
        f"nn.MultiHeadAttention/{name}",
        lambda P: P.nn.MultiHeadAttention(E, H),
        [X, mask],
        call=lambda P, net, x, m: net(x, x, x, attn_mask=m),
        **TIGHT,
    )


def with_cache(P, net, x, y):
    cache = net.gen_cache(x)
    first, cache = net(x, x, x, cache=cache)
    second, cache = net(y, y, y, cache=cache)
    return first, second, cache.k, cache.v


def with_static_cache(P, net, x, y):
    cache = net.gen_cache(y, y, P.nn.MultiHeadAttention.StaticCache)
    return net(x, y, y, cache=cache)[0]


layer(
    "nn.MultiHeadAttention/cache",
    lambda P: P.nn.MultiHeadAttention(E, H),
    [X, f32(2, 1, E)],
    call=with_cache,
    static="calls gen_cache of the layer",
    **TIGHT,
)
layer(
    "nn.MultiHeadAttention/static-cache",
    lambda P: P.nn.MultiHeadAttention(E, H),
    [X, f32(2, 4, E)],
    call=with_static_cache,
    static="calls gen_cache of the layer",
    **TIGHT,
)

for norm in (False, True):
    label = "pre" if norm else "post"
    encoder = {"normalize_before": norm, "dropout": 0.0}
    layer(
        f"nn.TransformerEncoderLayer/{label}",
        lambda P, o=encoder: P.nn.TransformerEncoderLayer(E, H, 6, **o),
        [X],
        **TIGHT,
    )
    layer(
        f"nn.TransformerDecoderLayer/{label}",
        lambda P, o=encoder: P.nn.TransformerDecoderLayer(E, H, 6, **o),
        [X, f32(2, 4, E)],
        **TIGHT,
    )
layer(
    "nn.TransformerEncoderLayer/gelu-eval",
    lambda P: P.nn.TransformerEncoderLayer(E, H, 6, dropout=0.3, activation="gelu"),
    [X],
    train=False,
    **TIGHT,
)
layer(
    "nn.TransformerEncoderLayer/mask",
    lambda P: P.nn.TransformerEncoderLayer(E, H, 6, dropout=0.0),
    [X, f32(3, 3).fixed()],
    call=lambda P, net, x, m: net(x, src_mask=m),
    **TIGHT,
)
layer(
    "nn.TransformerEncoderLayer/weights",
    lambda P: P.nn.TransformerEncoderLayer(
        E, H, 6, dropout=0.0, attn_dropout=0.0, act_dropout=0.0, bias_attr=[False, True]
    ),
    [X],
    **TIGHT,
)
layer(
    "nn.TransformerEncoder",
    lambda P: P.nn.TransformerEncoder(P.nn.TransformerEncoderLayer(E, H, 6, dropout=0.0), 2, P.nn.LayerNorm(E)),
    [X],
    **TIGHT,
)
layer(
    "nn.TransformerDecoder",
    lambda P: P.nn.TransformerDecoder(P.nn.TransformerDecoderLayer(E, H, 6, dropout=0.0), 2),
    [X, f32(2, 4, E), f32(3, 3).fixed(), f32(3, 4).fixed()],
    **TIGHT,
)


def encoder_cache(P, net, x, y):
    cache = net.gen_cache(x)
    first, cache = net(x, cache=cache)
    second, cache = net(y, cache=cache)
    return first, second


def decoder_cache(P, net, x, memory):
    cache = net.gen_cache(memory)
    first, cache = net(x[:, :1], memory, cache=cache)
    second, cache = net(x[:, 1:2], memory, cache=cache)
    return first, second


layer(
    "nn.TransformerEncoder/cache",
    lambda P: P.nn.TransformerEncoder(P.nn.TransformerEncoderLayer(E, H, 6, dropout=0.0), 2),
    [X, f32(2, 1, E)],
    call=encoder_cache,
    static="calls gen_cache of the layer",
    **TIGHT,
)
layer(
    "nn.TransformerDecoder/cache",
    lambda P: P.nn.TransformerDecoder(P.nn.TransformerDecoderLayer(E, H, 6, dropout=0.0), 2),
    [X, f32(2, 4, E)],
    call=decoder_cache,
    static="calls gen_cache of the layer",
    **TIGHT,
)
layer("nn.Transformer", lambda P: P.nn.Transformer(E, H, 1, 1, 6, dropout=0.0), [X, f32(2, 4, E)], **TIGHT)
layer(
    "nn.Transformer/pre-masks",
    lambda P: P.nn.Transformer(E, H, 1, 1, 6, dropout=0.0, normalize_before=True),
    [X, f32(2, 3, E), f32(3, 3).fixed(), f32(3, 3).fixed(), f32(3, 3).fixed()],
    **TIGHT,
)
case(
    "nn.Transformer.generate_square_subsequent_mask",
    lambda P: P.nn.Transformer(E, H, 1, 1, 6).generate_square_subsequent_mask(3),
    static="a layer made inside the function",
)


def hidden(rows, kind):
    """The mask that startend_row_indices [keys, n] mean, for four queries, in NumPy."""
    row, column = np.arange(4)[:, None], np.arange(4)
    at = np.asarray(rows).T
    masks = {
        "causal-1": lambda: (row >= at[0]) | (row < column),
        "causal-2": lambda: ((row >= at[0]) & (row < at[1])) | (row < column),
        "both-2": lambda: (row >= at[0]) | (row < at[1]),
        "both-4": lambda: ((row >= at[0]) & (row < at[1])) | ((row >= at[2]) & (row < at[3])),
    }
    return masks[kind]()


FLASH_MASKS = {
    "causal-1": [[4], [3], [4], [4]],
    "causal-2": [[2, 3], [3, 4], [4, 4], [4, 4]],
    "both-2": [[3, 0], [4, 1], [4, 0], [4, 2]],
    "both-4": [[2, 3, 0, 0], [3, 4, 0, 1], [4, 4, 0, 1], [4, 4, 1, 3]],
}
for kind, rows in FLASH_MASKS.items():
    causal, seen = kind.startswith("causal"), ~hidden(rows, kind)
    case(
        f"{F}flashmask_attention/{kind}",
        lambda P, q, k, v, rows, c=causal: P.nn.functional.flashmask_attention(
            q, k, v, rows, causal=c
        ),
        [*SAME, const(np.array(rows)[None, None].repeat(2, 0), "int32")],
        oracle=lambda P, q, k, v, _, m=seen: plain_attention()(P, q, k, v, P.to_tensor(m)),
    )
case(
    f"{F}flashmask_attention/window",
    lambda P, q, k, v: P.nn.functional.flashmask_attention(q, k, v, window_size=(1, 0)),
    SAME,
    oracle=lambda P, q, k, v: plain_attention()(P, q, k, v, P.tril(P.triu(P.ones([4, 4]), -1)).astype("bool")),
)
case(
    f"{F}sparse_attention",
    lambda P, q, k, v, at, columns: P.nn.functional.sparse_attention(
        q, k, v, at, columns, key_padding_mask=P.to_tensor([[1.0, 1.0, 0.0]])
    ),
    [f32(1, 1, 3, 2)] * 3 + [const([[[0, 2, 4, 5]]], "int32"), const([[[0, 1, 1, 2, 0]]], "int32")],
    oracle=lambda P, q, k, v, *_: P.matmul(
        P.nn.functional.softmax(
            P.matmul(q, k, transpose_y=True) / 2**0.5
            + P.to_tensor([[0.0, 0.0, -1e9], [-1e9, 0.0, -1e9], [0.0, -1e9, -1e9]])
        ),
        v,
    ),
)
