"""`paddle.shape` as code of static graphs uses it: a Tensor that is a shape, a size, a bound, computed with."""
from language import FALLBACK, case, mat, num, vec

import kayax as paddle
from kayax.nn import functional as F

X = mat([1.0, -2.0, 3.0, 4.0], [0.5, 6.0, -7.0, 8.0])


@case((X,))
def reshape_by_a_size(x):
    batch = paddle.shape(x)[0]
    return x.reshape([batch, -1, 2]) * batch, paddle.zeros([batch, 3]) + x.sum()


@case((X,))
def sizes_by_unpacking(x):
    rows, columns = paddle.shape(x)
    return paddle.reshape(x, (rows * columns // 2, -1)), paddle.expand(x.sum().reshape([1, 1]), [columns, rows])


@case((X,))
def shapes_joined(x):
    sizes = paddle.shape(x)
    return x.reshape(paddle.concat([sizes[:1], paddle.to_tensor([2, -1])])), paddle.full(sizes, 2.0) + x


@case((X,))
def slices_and_ranges(x):
    total = x.sum() * 0
    for i in range(paddle.shape(x)[1]):
        total = total + x[:, i].prod() * i
    return total, x[:, :paddle.shape(x)[1] - 1], paddle.arange(paddle.shape(x)[1], dtype="float32") + x


@case((X,))
def sizes_of_images(x):
    image = x.reshape([1, 1, 2, 4])
    size = paddle.shape(image)[2:]
    return F.interpolate(image, size=size * 2), F.adaptive_avg_pool2d(image, [size[0], 2])


@case((X,))
def as_python_numbers(x):
    return [x[:, i] for i in range(int(paddle.shape(x)[1]))], paddle.shape(x)[0].item() * x


@case((X,))
def a_size_that_decides(x):
    return x + 1 if paddle.shape(x)[0] > 1 else x - 1


@case((vec(1.0, 2.0),), (vec(-1.0, -2.0),), expect=FALLBACK)
def a_size_that_a_branch_changes(x):
    size = paddle.shape(x)[0]
    if x.sum() > 0:
        size += 2
    return paddle.zeros([size])


@case((num(1.0),))
def numbers_that_wrap_around(x):
    size = paddle.to_tensor(200, dtype="uint8")
    return x + paddle.zeros([size + size])
