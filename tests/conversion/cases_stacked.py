"""Tensors that are stacked out of lists whose length a tensor decides, used further in the program."""
from language import FALLBACK, case, dmat, dvec, vec, whole

import kayax as paddle
from kayax.nn import functional as F

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient
W = dmat((1.0, -2.0), (3.0, 4.0), (-5.0, 0.5))


def rows(x, n):
    return paddle.stack([x * (i + 1.0) for i in range(3) if i < n])


@case((X, whole(3)), (X, whole(1)), given_up=0)
def reductions(x, n):
    s = rows(x, n)
    flat = paddle.concat([x * i for i in range(3) if i <= n])
    return (s.mean(), s.sum(), s.sum(axis=0), paddle.max(s, axis=[0]), s.min(), s.mean(axis=0, keepdim=True),
            s.prod(axis=0), (s > 2).any(), (s > 0).all(axis=0), s.sum(axis=-1), s.amax(1).mean(), flat.mean())


@case((H, whole(2)), (H, whole(1)), given_up=0)
def rows_and_sizes(x, n):
    s = rows(x, n)
    total = x * 0.0
    for i, row in enumerate(s):
        total = total + row * i
    return (total, s[0], s[-1], s[n - 1], s[:, 1], s[:, :2].sum(), s[0, 1], [r for r in s[:2]], len(s), s.shape[0],
            s.shape[-1], s.ndim, s.dtype, isinstance(s, paddle.Tensor), s.shape)


@case((X, W, whole(2)), (X, W, whole(1)), given_up=0, slow=True)
def computed_row_by_row(x, w, n):
    s = rows(x, n)
    scores = F.log_softmax(F.linear(s, w) * 0.5, axis=-1)
    spread = (s - s.mean(axis=0)).square().mean().sqrt() if n > 1 else x.sum()
    return scores, -scores.sum(), spread, (s / s[0]).log().abs().max(), (1.0 / s).astype("float64"), s.clip(1.5, 2.5)


@case((dvec(0.0, 4.0, 9.0), whole(2)), given_up=0)
def no_gradient_from_rows_that_do_not_count(x, n):
    """The derivative of the root at 0 is infinite: eagerly, no root of such a row is taken."""
    items = [x[i + 1] * 2.0 for i in range(2) if i < n]
    items = items + [x[0]]
    items.pop()
    return paddle.stack(items).sqrt().sum()


@case((H, whole(2)), (H, whole(3)), given_up=0)
def tensor_of_numbers(x, n):
    whole = paddle.to_tensor([i for i in range(3) if i < n])
    return whole, whole.max(), paddle.to_tensor([i * 0.5 for i in range(3) if i < n]) * 2


@case((H, whole(0)), expect=ValueError)
def nothing_to_reduce(x, n):
    return rows(x, n).sum()


@case((H, whole(2)), expect=FALLBACK)
def sorted_by_rows(x, n):
    return paddle.sort(rows(x, n), axis=0)


@case((H, whole(3)), expect=FALLBACK)
def added_to_as_many_rows(x, n):
    return rows(x, n) + paddle.ones([3, 3])


@case((H, whole(2)), expect=FALLBACK)
def written_in_place(x, n):
    s = rows(x, n)
    s[0] = x
    return s


@case((H, whole(2)), expect=FALLBACK)
def added_to_in_place(x, n):
    s = rows(x, n)
    t = s
    t += 1.0
    return s.sum()


@case((dmat((1.0, 2.0), (3.0, 5.0)), whole(2)), (dmat((1.0, 2.0), (3.0, 5.0)), whole(1)), given_up=0, slow=True)
def stacked_along_another_axis(x, n):
    s = paddle.stack([x * (i + 1.0) for i in range(3) if i < n], axis=1)
    turned = s.transpose([1, 0, 2])
    return (s, turned, s.max(axis=1), s.mean(1, keepdim=True), s.sum(0), s.sum([1, 2]), s[:, -1], s[0], s[1, :2],
            len(s), s.shape[1], F.softmax(s, axis=-1) * x.unsqueeze(1), [part.sum() for part in s], turned[0],
            s.unsqueeze(0).sum())


@case((X, whole(2)), (X, whole(1)), given_up=0, slow=True)
def joined_along_another_axis(x, n):
    c = paddle.concat([paddle.stack([x, x * i]) for i in range(3) if i < n], axis=-1)
    return c, c.mean(axis=1), c.shape, c.T[1]


class Head(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        paddle.seed(0)
        self.layers = paddle.nn.Sequential(paddle.nn.Linear(3, 2), paddle.nn.LayerNorm(2), paddle.nn.GELU())
        self.dropout, self.words = paddle.nn.Dropout(0.5), paddle.nn.Embedding(4, 3)
        self.eval()

    def forward(self, x, n):
        tokens = paddle.stack([(x.sum() > i).astype("int64") for i in range(3) if i < n])
        return self.score(self.dropout(rows(x, n))), self.score(self.words(tokens))

    def score(self, items):
        return self.layers(items) if items.sum() > 0 else items.mean()


case((X, whole(2)), (X, whole(1)), name="given_to_layers", mixed=True, slow=True)(Head)
