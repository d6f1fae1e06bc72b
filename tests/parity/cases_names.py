"""Second names and forms of arguments, windows, operators that no other table has. Several to a case: each compiles."""

from __future__ import annotations

from typing import Any

from harness import case, program
from specs import const, distinct, f32, ints, pos, spd

case("names/comparison", lambda P, x, y: [P.less(x, y), P.le(x, y), P.gt(x, y), P.ge(x, y), P.ne(x, y), P.eq(x, y)],
     [ints(0, 3, 2, 3), ints(0, 3, 3)])
case("names/arithmetic", lambda P, x, y: [P.true_divide(x, y), P.clamp(x, -0.5, 0.5), P.ger(y, y), P.sub(x, y)],
     [f32(2, 3), pos(3)])
case("names/dims", lambda P, x: [P.sum(input=x, dim=1), P.sum(x, 0, True), P.mean(x, dim=-1, keepdim=True),
                                 P.permute(x, [2, 0, 1]), P.swapdims(x, 0, 2), x.transpose(0, -1),
                                 P.unsqueeze(x, dim=1), P.squeeze(input=x, dim=1), P.flatten(x, start_dim=1),
                                 P.unbind(x, dim=1)[0]],
     [f32(2, 1, 3)])
case("names/bitwise", lambda P, x: [P.bitwise_invert(x), P.bitwise_or(input=x, other=x)], [ints(-5, 5, 4)])
case("names/take", lambda P, x, i: [P.take_along_dim(x, i, 1), P.narrow(x, 1, 1, 2), P.index_select(x, 1, i[0])],
     [f32(2, 4), ints(0, 4, 2, 2)])
case("names/empty", lambda P, x: [P.sum(input=x, dim=1), P.concat(tensors=[x, x], dim=0), P.add(input=x, other=x)],
     [f32(2, 0, 3)])
case("names/out", lambda P, x: P.exp(x, out=P.zeros([1])), [f32(2, 3)]).options(
    static="the result goes into a new cell")
case("view_as_complex", lambda P, x: P.view_as_complex(x), [f32(3, 2)])
case("view_as_real", lambda P, x: P.view_as_real(P.complex(x, x)), [f32(3)])
case("block_diag", lambda P, x, y, z: P.block_diag([x, y, z]), [f32(2, 3), f32(1, 2), f32(2)])
case("scatter_add", lambda P, x, i, v: P.scatter_add(x, 1, i, v), [f32(2, 4), ints(0, 4, 2, 3), f32(2, 3)])
for reduce in ("sum", "mean", "amax", "amin", "prod"):
    case(f"scatter_reduce/{reduce}", lambda P, x, v, how=reduce: P.scatter_reduce(
        x, 1, P.to_tensor([[0, 2, 2], [1, 1, 3]]), v, how),
        [pos(2, 4), pos(2, 3)] if reduce == "prod" else [distinct(2, 4), distinct(2, 3)])
case("histogramdd", lambda P, x: P.histogramdd(x, bins=[3, 2], ranges=[0.0, 3.0, 0.0, 3.0]),
     [pos(8, 2).fixed()]).options(static="eager")
case("nanmedian/axes", lambda P, x: [P.nanmedian(x, [0, 1], mode="min"), P.nanmedian(x, [1])],
     [const([[1.0, float("nan"), 3.0], [4.0, 2.0, 6.0]])])
case("linalg.lu_unpack", lambda P, x: P.linalg.lu_unpack(*P.linalg.lu(x)), [spd(3, 3)]).options(grad=False)
case("linalg.lu_solve", lambda P, x, b: P.linalg.lu_solve(b, *P.linalg.lu(x)),
     [spd(3, 3), f32(3, 2)]).options(grad=False)
case("linalg.eigvals", lambda P, x: P.sort(P.linalg.eigvals(x).real()), [spd(3, 3)]).options(grad=False)


@program("linalg.eig")
def _eig(P: Any) -> Any:
    x = P.to_tensor([[2.0, 1.0], [0.0, 3.0]])
    values, vectors = P.linalg.eig(x)
    residual = P.matmul(x.astype("complex64"), vectors) - vectors * values
    return {"values": P.sort(values.real()), "residual": residual.abs()}


@program("windows")
def _windows(P: Any) -> Any:
    return [make(6, periodic, dtype="float64") for periodic in (True, False) for make in (
        P.hann_window, P.hamming_window, P.blackman_window, P.bartlett_window, P.kaiser_window)]


@program("new-tensors")
def _new(P: Any) -> Any:
    x = P.ones([2, 3], "float32")
    return {"range": P.range(0, 5, 2), "down": P.range(5, 0, -2, "int64"), "zeros": x.new_zeros([2], dtype="int64"),
            "ones": x.new_ones(2, 1), "full": x.new_full([2], 3.0), "empty": list(x.new_empty([4]).shape),
            "grad": P.ones([2], requires_grad=True), "size": P.zeros(size=[2, 1]), "sizes": P.ones(2, 3, dtype="int32"),
            "eye": P.eye(n=2, m=3), "linspace": P.linspace(0, 1, steps=3), "full-size": P.full(size=[2], fill_value=1)}


@program("random/shapes-and-types")
def _shapes(P: Any) -> Any:
    x = P.full([2, 3], 0.5, "float64")
    made = {"rand_like": P.rand_like(x), "randn_like": P.randn_like(x, "float32"), "poisson": P.poisson(x),
            "randint_like": P.randint_like(x, 0, 5), "standard_gamma": P.standard_gamma(x),
            "binomial": P.binomial(P.full([2], 3, "int64"), P.full([2], 0.5)), "log_normal": P.log_normal(shape=[3]),
            "bernoulli": P.bernoulli(x, p=1)}
    return {name: [list(t.shape), str(t.dtype).rpartition(".")[2]] for name, t in made.items()}


@program("resize_")
def _resize(P: Any) -> Any:
    x = P.arange(6, dtype="float32").reshape([2, 3])
    return [x.resize_([2, 2]).clone(), x.resize_([5], fill_zero=True).clone()]


@program("autocast-and-modes")
def _modes(P: Any) -> Any:
    with P.autocast("cpu", enabled=False):
        inside = P.is_autocast_enabled()
    return [inside, P.is_autocast_enabled("cpu"), P.get_autocast_dtype(), P.broadcast_shapes([2, 1], [3])]


@program("names/in-no-list")
def unlisted(P):
    """Names of public modules that `__all__` leaves out, and that code uses."""
    utils, x = P.utils, P.to_tensor([[0.5, -2.0, 3.0, 1.0]])
    nest = {"b": 1, "a": [2, (3, 4)]}
    array = P.tensor.create_array("float32", [x])
    array = P.tensor.array_write(x * 2, P.to_tensor([1]), array)
    array = P.tensor.array_write(x * 3, P.to_tensor([0]), array)
    return [P.nn.HuberLoss(delta=0.5)(x, x * 2), P.incubate.nn.functional.swiglu(x),
            P.nn.spectral_norm is P.nn.utils.spectral_norm,
            P.distributed.group_sharded_parallel is P.distributed.sharding.group_sharded_parallel,
            utils.flatten(nest), list(utils.map_structure(lambda a, b: a + b, nest, nest)["a"]),
            list(utils.pack_sequence_as(nest, [5, 6, 7, 8])["a"][1]), utils.to_sequence(3), utils.is_sequence("a"),
            P.tensor.array_length(array), P.tensor.array_read(array, P.to_tensor([0])), array[1]]
