"""paddle.geometric: segments, messages, sampling."""

from __future__ import annotations

from harness import case, program, words
from specs import const, distinct, f32

G = "geometric."
IDS = const([0, 0, 1, 3, 3], "int64")
for how in words("mean max"):
    case(f"{G}segment_{how}", lambda P, x, i, h=how: getattr(P.geometric, f"segment_{h}")(x, i), [distinct(5, 3), IDS],
         static="the shape depends on values")

SRC, DST = const([0, 1, 2, 0, 3], "int32"), const([1, 2, 1, 0, 1], "int32")
for how in words("sum mean min"):
    case(f"{G}send_u_recv/{how}", lambda P, x, s, d, h=how: P.geometric.send_u_recv(x, s, d, h),
         [distinct(4, 3), SRC, DST], static=how in ("mean", "min") or "converted with another reduction")
case(G + "send_u_recv/out_size", lambda P, x, s, d: P.geometric.send_u_recv(x, s, d, "sum", 3), [f32(4, 3), SRC, DST],
     static="converted above")
for message, how in (("sub", "max"), ("div", "mean")):
    case(f"{G}send_ue_recv/{message}", lambda P, *t, m=message, h=how: P.geometric.send_ue_recv(*t, m, h),
         [distinct(4, 2, 3), distinct(5, 3), SRC, DST], static="converted above", grad=message != "div")
    case(f"{G}send_uv/{message}", lambda P, x, y, s, d, m=message: P.geometric.send_uv(x, y, s, d, m),
         [f32(4, 3), f32(4, 1), SRC, DST], static="converted above")


@program(G + "reindex")
def reindex(P):
    x, a, b = (P.to_tensor(v, dtype="int64") for v in ([0, 5, 2], [8, 9, 0, 4, 7, 6, 7], [0, 2, 3, 5, 1]))
    m, n = (P.to_tensor(v, dtype="int32") for v in ([2, 3, 2], [1, 3, 1]))
    return P.geometric.reindex_graph(x, a, m), P.geometric.reindex_heter_graph(x, [a, b], [m, n])
