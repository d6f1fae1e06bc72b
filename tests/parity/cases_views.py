"""Views: which operations share memory, what a write through one is seen in, and what they know of where they lie."""

from __future__ import annotations

from harness import Caught, program

VIEWS = {
    "int": lambda P, x: x[1],
    "ints": lambda P, x: x[0, 1, 2],
    "negative": lambda P, x: x[-1, -2],
    "slice": lambda P, x: x[:, 1:3],
    "steps": lambda P, x: x[:, ::2, 1::2],
    "backwards": lambda P, x: x[:, ::-1],
    "ellipsis": lambda P, x: x[..., 1],
    "whole": lambda P, x: x[:],
    "none": lambda P, x: x[None, :, 1],
    "index_tensor": lambda P, x: x[P.to_tensor(-1)],
    "index_list": lambda P, x: x[[0, 1]],
    "index_mask": lambda P, x: x[x > 3],
    "reshape": lambda P, x: x.reshape([6, 4]),
    "view": lambda P, x: x.view([4, -1]),
    "view_as": lambda P, x: x.view_as(P.zeros([4, 6])),
    "flatten": lambda P, x: P.flatten(x, 1),
    "ravel": lambda P, x: x.ravel(),
    "unflatten": lambda P, x: x.unflatten(2, [2, 2]),
    "squeeze": lambda P, x: x[:, 1:2].squeeze(1),
    "unsqueeze": lambda P, x: P.unsqueeze(x, [0, 2]),
    "transpose": lambda P, x: x.transpose([2, 0, 1]),
    "permute": lambda P, x: x.permute([1, 0, 2]),
    "T": lambda P, x: x.T,
    "mT": lambda P, x: x.mT,
    "t": lambda P, x: x[0].t(),
    "moveaxis": lambda P, x: P.moveaxis(x, 0, -1),
    "unbind": lambda P, x: P.unbind(x, 1)[1],
    "iter": lambda P, x: list(x)[1],
    "slice_function": lambda P, x: P.slice(x, [0, 2], [0, -3], [1, 3]),
    "strided_slice": lambda P, x: P.strided_slice(x, [1], [2], [-4], [-1]),
    "diagonal": lambda P, x: x.diagonal(1, 0, 2),
    "unfold": lambda P, x: x.unfold(2, 2, 2),
    "as_strided": lambda P, x: x.as_strided([2, 2], [4, 1]),
    "atleast_3d": lambda P, x: P.atleast_3d(x[0]),
    "detach": lambda P, x: x.detach(),
    "of_a_view": lambda P, x: x[1].t()[1:3, 1],
    "transposed_reshape": lambda P, x: x.transpose([1, 0, 2]).reshape([-1]),
    "sliced_reshape": lambda P, x: x[:, 1:].reshape([2, 1, 2, 4]),
    "sliced_flatten": lambda P, x: x[:, 1:].flatten(),
    "contiguous": lambda P, x: x.mT.contiguous(),
    "astype": lambda P, x: x.astype("float32"),
    "to": lambda P, x: x.to("float32"),
    "cast": lambda P, x: x.cast("float32"),
    "expand": lambda P, x: x.expand([1, 2, 3, 4]),
    "split": lambda P, x: P.split(x, 3, 1)[1],
    "dropout": lambda P, x: P.nn.functional.dropout(x, 0.5, training=False),
    "clone": lambda P, x: x.clone(),
    "assign": lambda P, x: P.assign(x),
}


def base(P, *shape):
    total = 1
    for n in shape:
        total *= n
    return P.arange(total, dtype="float32").reshape(list(shape)).clone()


for name, make in VIEWS.items():

    @program(f"views/{name}")
    def shared(P, make=make):
        x = base(P, 2, 3, 4)
        y = make(P, x)
        strides, offset = list(y.strides), y.offset
        y.fill_(100.0)
        x[:, 1, 1:3] = 7.0
        return {"x": x, "y": y, "lies": [strides, offset, y.is_contiguous()]}


@program("views/writes")
def writes(P):
    """Every way to write through a view."""
    found = {}
    for name, write in {
        "add_": lambda y: y.add_(P.ones([3])),
        "setitem": lambda y: y.__setitem__(1, 9.0),
        "set_value": lambda y: y.set_value(P.full([3], 7.0)),
        "assign": lambda y: P.assign(P.full([3], 7.0), y),
        "out": lambda y: P.add(y, P.ones([3]), out=y),
        "zero_": lambda y: y.zero_(),
        "masked_fill_": lambda y: y.masked_fill_(y > 0, 5.0),
        "scatter_": lambda y: y.scatter_(P.to_tensor([0]), P.to_tensor([5.0])),
        "data": lambda y: setattr(y, "data", P.full([3], 7.0)),
        "unsqueeze_": lambda y: y.unsqueeze_(0).add_(P.ones([1])),
    }.items():
        x = base(P, 2, 3)
        y, z = x[0], x[:, 1]
        write(y)
        found[name] = [x, y, z]
        if name in ("add_", "setitem", "zero_"):
            found[name] += [x.inplace_version, z.inplace_version]
    return found


@program("views/writes_of_the_base")
def writes_of_the_base(P):
    """What a view sees of what is done to what it was made of."""
    found = {}
    for name, write in {
        "add_": lambda x: x.add_(P.ones([3])),
        "set_value": lambda x: x.set_value(P.full([2, 3], 7.0)),
        "reshape_": lambda x: x.reshape_([6]).add_(P.ones([1])),
        "transpose_": lambda x: x.transpose_([1, 0]).add_(P.ones([1])),
        "cast_": lambda x: x.cast_("float64").add_(P.ones([1], "float64")),
        "iadd": lambda x: x.__add__(1),
    }.items():
        x = base(P, 2, 3)
        y, d = x[0], x.detach()
        write(x)
        found[name] = [x, y, d if name not in ("cast_", "transpose_") else None]
    return found


@program("views/gradients")
def gradients(P):
    """A view's own gradient, of a leaf too, and writes that no gradient needs."""
    found = {}
    a = base(P, 2, 3)
    a.stop_gradient = False
    y = a[0]
    y.multiply_(P.full([3], 3.0))
    y.sum().backward()
    found["leaf"] = [a, a.grad, a.is_leaf]
    b = base(P, 2, 3)
    b.stop_gradient = False
    y = b[0]
    with P.no_grad():
        y.add_(P.ones([3]))
    (y * y).sum().backward()
    found["no_grad"] = [b, b.grad]
    c = base(P, 2, 3)
    c.stop_gradient = False
    x = c * 2
    x[1].add_(P.ones([3]))
    x.sum().backward()
    found["computed"] = [x, c.grad]
    writes = {"view": lambda x: x[0].add_(P.ones([3])), "detach": lambda x: x.detach().add_(P.ones([2, 3]))}
    for name, write in writes.items():
        x = b * 2
        loss = (x * x).sum()
        write(x)
        try:
            loss.backward()
        except RuntimeError as error:
            found[name] = Caught(error)
    return found
