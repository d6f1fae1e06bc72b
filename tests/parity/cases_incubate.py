"""paddle.incubate. Where real Paddle has no CPU kernel, plain operations are the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness import case, fill_layer, layer, program, random_state, table
from specs import const, f32, pos

op = table("incubate")
INCUBATE = "incubate."
SOURCE, TARGET = (const(v, "int64") for v in ([0, 1, 2, 1], [1, 1, 0, 2]))
op(INCUBATE + "graph_send_recv", [f32(3, 2), SOURCE, TARGET], "mean", 3)
op(INCUBATE + "softmax_mask_fuse", [f32(1, 2, 3, 3), f32(1, 1, 3, 3).fixed()])
case(
    INCUBATE + "softmax_mask_fuse_upper_triangle",
    lambda P, x: P.incubate.softmax_mask_fuse_upper_triangle(x),
    [f32(1, 2, 3, 3)],
    oracle=lambda P, x: P.nn.functional.softmax(x + P.triu(P.full([3, 3], -1e9), 1), -1),
)
op(INCUBATE + "identity_loss", [f32(2, 3)], "mean")
op(INCUBATE + "identity_loss", [f32(2, 3)], 0)

F = INCUBATE + "nn.functional."
FUSED = {  # a call, what it should equal, its inputs
    "fused_linear": (
        lambda f, P, x, w, b: f.fused_linear(x, w, b, transpose_weight=True),
        lambda f, P, x, w, b: P.matmul(x, w, transpose_y=True) + b,
        [f32(2, 3), f32(4, 3), f32(4)],
    ),
    "fused_linear_activation": (
        lambda f, P, x, w, b: f.fused_linear_activation(x, w, b, trans_x=True, activation="gelu"),
        lambda f, P, x, w, b: P.nn.functional.gelu(P.matmul(x, w, transpose_x=True) + b),
        [f32(3, 2), f32(3, 4), f32(4)],
    ),
    "fused_matmul_bias": (
        lambda f, P, x, w: f.fused_matmul_bias(x, w),
        lambda f, P, x, w: P.matmul(x, w),
        [f32(2, 3), f32(3, 4)],
    ),
    "fused_bias_act": (
        lambda f, P, x, b: [f.fused_bias_act(x, b), f.fused_bias_act(x, b, act_method="swiglu")],
        lambda f, P, x, b: [P.nn.functional.gelu(x + b), P.nn.functional.swiglu(x + b)],
        [f32(2, 4), f32(4)],
    ),
    "fused_bias_dropout_residual_layer_norm": (
        lambda f, P, x, r, b, s: f.fused_bias_dropout_residual_layer_norm(x, r, b, s, dropout_rate=0.0),
        lambda f, P, x, r, b, s: P.nn.functional.layer_norm(r + x + b, [4], s),
        [f32(2, 4), f32(2, 4), f32(4), pos(4)],
    ),
    "fast_rms_norm": (
        lambda f, P, x, s: f.fast_rms_norm(x, s, 1e-4)[0],
        lambda f, P, x, s: x * P.rsqrt((x * x).mean(-1, keepdim=True) + 1e-4) * s,
        [f32(2, 4), pos(4)],
    ),
    "fast_ln": (
        lambda f, P, x, s, b: f.fast_ln(x, s, b)[0],
        lambda f, P, x, s, b: P.nn.functional.layer_norm(x, [4], s, b),
        [f32(2, 4), pos(4), f32(4)],
    ),
}
for name, (fused, plain, inputs) in FUSED.items():
    case(
        F + name,
        lambda P, *tensors, f=fused: f(P.incubate.nn.functional, P, *tensors),
        inputs,
        oracle=lambda P, *tensors, f=plain: f(None, P, *tensors),
        grad_atol=1e-4,
    )
for label, options in {"plain": {}, "entered": {"residual": 1, "bias": 1}}.items():

    def tensors(P, x, options):
        return {"residual": x * 0.5, "bias": P.ones([4])} if options else {}

    case(
        F + f"fused_layer_norm/{label}",
        lambda P, x, s, b, o=options: P.incubate.nn.functional.fused_layer_norm(
            x, s, b, 1e-5, 0.7, 2, **tensors(P, x, o)
        )[: 2 if o else 1],
        [f32(2, 3, 4), pos(4), f32(4)],
        grad=False,
    )
    case(
        F + f"fused_rms_norm/{label}",
        lambda P, x, s, b, o=options: P.incubate.nn.functional.fused_rms_norm(
            x, s, b, 1e-5, 2, **tensors(P, x, o)
        )[: 2 if o else 1],
        [f32(2, 3, 4), pos(4), f32(4)],
        grad=False,
    )


def rotated(P, x, sin, cos, adjacent):
    """Rotary embedding of [batch, time, heads, size] by plain operations."""
    if adjacent:
        partner = P.stack([-x[..., 1::2], x[..., ::2]], -1).reshape(x.shape)
    else:
        partner = P.concat([-x[..., 2:], x[..., :2]], -1)
    return x * cos + partner * sin


def angles(P, time):
    angle = np.arange(time)[:, None] * np.repeat(10000.0 ** (-np.arange(0, 4, 2) / 4), 2)
    return [P.to_tensor(f(angle).astype("float32")).reshape([1, time, 1, 4]) for f in (np.sin, np.cos)]


case(
    F + "fused_rotary_position_embedding",
    lambda P, q, k: list(P.incubate.nn.functional.fused_rotary_position_embedding(q, k)[:2]),
    [f32(2, 3, 2, 4), f32(2, 3, 1, 4)],
    oracle=lambda P, q, k: [rotated(P, x, *angles(P, 3), True) for x in (q, k)],
)
case(
    F + "fused_rotary_position_embedding/halves-positions",
    lambda P, q, sin, cos, at: P.incubate.nn.functional.fused_rotary_position_embedding(
        q, sin=sin, cos=cos, position_ids=at, use_neox_rotary_style=False
    )[0],
    [f32(2, 3, 2, 4), f32(5, 4), f32(5, 4), const([[0, 1, 2], [4, 0, 3]], "int64")],
    oracle=lambda P, q, sin, cos, at: rotated(
        P, q, *[P.gather(t, at.reshape([-1])).reshape([2, 3, 1, 4]) for t in (sin, cos)], False
    ),
)
case(
    F + "variable_length_memory_efficient_attention",
    lambda P, q, k, v: P.incubate.nn.functional.variable_length_memory_efficient_attention(
        q, k, v, P.to_tensor([[3], [2]], "int32"), P.to_tensor([[4], [3]], "int32")
    ),
    [f32(2, 1, 3, 2), f32(2, 1, 4, 2), f32(2, 1, 4, 2)],
    oracle=lambda P, q, k, v: P.matmul(
        P.nn.functional.softmax(
            P.matmul(q, k, transpose_y=True) / 2**0.5
            + P.to_tensor([[0.0] * 4, [0.0, 0.0, 0.0, -1e9]]).reshape([2, 1, 1, 4])
        ),
        v,
    )
    * P.to_tensor([[1.0] * 3, [1.0, 1.0, 0.0]]).reshape([2, 1, 3, 1]),
)

layer("incubate.nn.FusedDropoutAdd", lambda P: P.incubate.nn.FusedDropoutAdd(0.0), [f32(2, 3), f32(2, 3)])


@program("incubate.nn.FusedTransformerEncoderLayer", rtol=1e-3, atol=1e-5)
def encoder(P):
    """The fused layer with the weights of a plain one, before and behind whose blocks the layer norms are."""
    found = {}
    x = P.to_tensor(random_state("encoder").standard_normal((2, 3, 4)).astype("float32"))
    mask = P.to_tensor([[True, True, False]] * 3)
    for before in (False, True):
        plain = P.nn.TransformerEncoderLayer(4, 2, 6, 0.0, normalize_before=before)
        fill_layer(P, plain, "encoder")
        if P.__name__ == "paddle":
            found[str(before)] = plain(x, mask)
            continue
        fused = P.incubate.nn.FusedTransformerEncoderLayer(4, 2, 6, 0.0, normalize_before=before)
        attention, ffn, old = fused.fused_attn, fused.ffn, plain.self_attn
        projections = (old.q_proj, old.k_proj, old.v_proj)
        attention.qkv_weight.set_value(P.stack([p.weight.t().reshape([2, 2, 4]) for p in projections]))
        attention.qkv_bias.set_value(P.stack([p.bias.reshape([2, 2]) for p in projections]))
        pairs = [
            (attention.linear_weight, old.out_proj.weight),
            (attention.linear_bias, old.out_proj.bias),
            (attention.pre_ln_scale if before else attention.ln_scale, plain.norm1.weight),
            (attention.pre_ln_bias if before else attention.ln_bias, plain.norm1.bias),
            (ffn._linear1_weight, plain.linear1.weight),
            (ffn._linear1_bias, plain.linear1.bias),
            (ffn._linear2_weight, plain.linear2.weight),
            (ffn._linear2_bias, plain.linear2.bias),
            (ffn._ln1_scale if before else ffn._ln2_scale, plain.norm2.weight),
            (ffn._ln1_bias if before else ffn._ln2_bias, plain.norm2.bias),
        ]
        for new, value in pairs:
            new.set_value(value)
        found[str(before)] = fused(x, mask)
    return found


def trained(P, wrap, steps=7, converted=False):
    net = P.nn.Linear(3, 2)
    fill_layer(P, net, "averaged")
    inner = P.optimizer.Adam(0.1, parameters=net.parameters())
    optimizer, after = wrap(P, inner, net)

    def step(x):
        net(x).square().mean().backward()
        optimizer.step()
        if after is not None:
            after.step()
        optimizer.clear_grad()

    run = P.jit.to_static(step) if converted and P.__name__ != "paddle" else step
    for i in range(steps):
        run(P.to_tensor(random_state("averaged", i).standard_normal((4, 3)).astype("float32")))
    return net, after


for converted in (False, True):

    @program(f"incubate.LookAhead/converted={converted}", rtol=1e-3)
    def look_ahead(P, converted=converted):
        net, _ = trained(P, lambda P, inner, net: (P.incubate.LookAhead(inner, 0.3, 3), None), converted=converted)
        return dict(net.named_parameters())

    @program(f"incubate.ModelAverage/converted={converted}", rtol=1e-3)
    def model_average(P, converted=converted):
        net, average = trained(
            P,
            lambda P, inner, net: (inner, P.incubate.ModelAverage(0.5, net.parameters(), 2, 3)),
            converted=converted,
        )
        with average.apply():
            inside = {name: p.numpy() for name, p in net.named_parameters()}
        return {"inside": inside, "after": dict(net.named_parameters())}


def bowl(P):
    A = P.to_tensor(np.array([[3.0, 0.5], [0.5, 1.0]], "float32"))
    return lambda x: P.dot(x, P.matmul(A, x)) - P.dot(P.to_tensor([1.0, 2.0]), x)


for name in ("minimize_bfgs", "minimize_lbfgs"):

    @program(f"incubate.optimizer.functional.{name}", rtol=1e-3, atol=1e-3)
    def minimized(P, name=name):
        found = getattr(P.incubate.optimizer.functional, name)(bowl(P), P.to_tensor([1.5, -0.5]), tolerance_grad=1e-4)
        return {"position": found[2], "value": found[3].reshape([1]), "gradient": found[4]}


def cubes(x):
    return x * x * x + x.sum()


@program("incubate.autograd", rtol=1e-3)
def derivatives(P):
    A = P.incubate.autograd
    x, v = P.to_tensor([1.0, -2.0, 0.5]), P.to_tensor([0.3, 1.0, -1.0])
    batch = P.to_tensor([[1.0, 2.0], [0.5, -1.0]])
    return {
        "vjp": list(A.vjp(cubes, x, v)),
        "jvp": list(A.jvp(cubes, x, v)),
        "jacobian": A.Jacobian(cubes, x)[:],
        "row": A.Jacobian(cubes, x)[1, :],
        "two": A.Jacobian(lambda a, b: a * b, [x, v])[:],
        "batched": A.Jacobian(lambda t: t * t, batch, is_batched=True)[:],
        "hessian": A.Hessian(lambda t: (t * t * t).sum(), x)[:],
    }




def pruned(P: Any, algorithm: str, whole: bool) -> Any:
    """A small network pruned, and trained for a step after that; in 3.3.1 `decorate` fails: masked by hand there."""
    asp = P.incubate.asp
    net = P.nn.Sequential(P.nn.Conv2D(5, 4, 2), P.nn.Flatten(), P.nn.Linear(16, 6), P.nn.Linear(6, 3))
    rng = np.random.RandomState(4)
    for p in net.parameters():
        p.set_value(np.abs(rng.randn(*p.shape)).astype("float32") + 0.01)
    optimizer = P.optimizer.Momentum(0.1, parameters=net.parameters())
    optimizer = asp.decorate(optimizer) if whole else optimizer
    masks = asp.prune_model(net, mask_algo=algorithm, with_mask=whole)
    before = [np.asarray(p.numpy()) for p in net.parameters()]
    (net(P.to_tensor(rng.randn(2, 5, 3, 3).astype("float32"))) ** 2).mean().backward()
    optimizer.step()
    after = [p.numpy() * (1 if whole else masks.get(p.name, 1)) for p in net.parameters()]
    return [before, after, [asp.calculate_density(value) for value in after]]


for algorithm in ("mask_1d", "mask_2d_greedy", "mask_2d_best"):
    program(f"incubate.asp/{algorithm}", oracle=lambda P, a=algorithm: pruned(P, a, False))(
        lambda P, a=algorithm: pruned(P, a, True))
