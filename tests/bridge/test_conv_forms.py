"""Every form of a convolution gives the plain one's values and derivatives, in float64."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.ops import conv_forms as forms
from kayax.bridge.state import portable

Window = forms.Window

# form, image, weight, window (stride, pairs, dilation, holes), groups, channels last
CASES = {
    "pointwise": (forms._pointwise, (2, 3, 4, 4), (5, 3, 1, 1), ((1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1)), 1, False),
    "wide_pointwise": (forms._pointwise, (2, 3, 5), (7, 3, 1), ((2,), ((0, 0),), (1,), (1,)), 1, False),
    "small_image": (forms._unfolded, (2, 3, 2, 2), (4, 3, 3, 3), ((1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1)), 1, False),
    "small_result": (forms._unfolded, (2, 4, 4, 3), (5, 3, 3, 3), ((2, 2), ((1, 1), (1, 0)), (1, 1), (1, 1)), 1, True),
    "one_element": (forms._unfolded, (2, 3, 1, 1), (4, 3, 3, 3), ((4, 2), ((2, 1), (1, 1)), (1, 1), (1, 1)), 1, False),
    "far_padding": (forms._unfolded, (2, 3, 2), (4, 3, 3), ((3,), ((5, 4),), (2,), (1,)), 1, False),
    "small_transposed": (forms._unfolded, (2, 3, 2, 2), (4, 3, 4, 4), ((1, 1), ((2, 2), (2, 3)), (1, 1), (2, 2)), 1,
                         False),
    "depthwise": (forms._shifted, (2, 4, 7, 6), (4, 1, 3, 3), ((1, 2), ((1, 1), (0, 2)), (1, 1), (1, 1)), 4, False),
    "multiplied": (forms._shifted, (2, 5, 6, 3), (6, 1, 2, 3), ((1, 1), ((2, 0), (1, 1)), (2, 1), (1, 1)), 3, True),
    "depthwise_3d": (forms._shifted, (1, 2, 4, 3, 3), (2, 1, 2, 2, 2),
                     ((1,) * 3, ((1, 0),) * 3, (1,) * 3, (1,) * 3), 2, False),
    "depthwise_transposed": (forms._shifted, (2, 3, 4), (3, 1, 3), ((1,), ((2, 1),), (1,), (2,)), 3, False),
    "blocks": (forms._by_blocks, (2, 16, 5, 5), (8, 4, 3, 3), ((2, 1), ((1, 1), (1, 0)), (1, 1), (1, 1)), 4, False),
    "wide_groups": (forms._by_blocks, (1, 4, 4, 32), (6, 16, 2, 2), ((1, 1), ((0, 0), (0, 1)), (1, 1), (1, 1)), 2,
                    True),
    "transposed": (forms._with_holes, (2, 3, 5, 4), (4, 3, 2, 3), ((1, 1), ((0, 1), (2, 1)), (1, 2), (2, 3)), 1, False),
    "cropped": (forms._with_holes, (1, 2, 6), (3, 2, 4), ((1,), ((-1, 2),), (1,), (2,)), 1, False),
}


def derivatives(function, x, weight):
    """The values, the gradients and a derivative of their sum in one direction (forward over reverse)."""
    def loss(x, weight):
        y = function(x, weight)
        return jnp.sum(jnp.sin(y)), y

    def gradients(x, weight):
        return jax.grad(loss, (0, 1), has_aux=True)(x, weight)

    directions = jnp.cos(x), jnp.cos(3 * weight)
    return jax.jit(lambda x, weight: jax.jvp(gradients, (x, weight), directions))(x, weight)


@pytest.mark.parametrize("name", CASES)
def test_form(name):
    form, image, kernel, window, groups, last = CASES[name]
    window, random = Window(*window), np.random.default_rng(0)
    x, weight = jnp.asarray(random.normal(size=image)), jnp.asarray(random.normal(size=kernel))
    assert forms._form(x, weight, window, groups, last) is form
    found = derivatives(lambda x, w: forms.convolve(x, w, window, groups, last), x, weight)
    with portable():
        expected = derivatives(lambda x, w: forms.convolve(x, w, window, groups, last), x, weight)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10), found, expected)


def test_plain_where_it_is_fast():
    def form(image, kernel, **changes):
        n = len(image) - 2
        window = Window((1,) * n, ((0, 0),) * n, (1,) * n, (1,) * n)._replace(**changes)
        return forms._form(np.zeros(image), np.zeros(kernel), window, 1, False)

    assert form((1, 3, 8, 8), (4, 3, 3, 3)) is None
    assert form((1, 3, 4, 4), (4, 3, 1, 1), pairs=((1, 1), (1, 1))) is None
    assert form((1, 3, 4, 4), (4, 3, 4, 4)) is None                 # the image as a whole: a matrix product already
    assert form((1, 3, 1, 1), (4, 3, 4, 4), pairs=((3, 3), (3, 3))) is None
    assert form((0, 3, 2, 2), (4, 3, 3, 3)) is None


def test_half_precision_is_summed_in_float32():
    x = paddle.full([1, 2, 8, 8], 1.0).astype("bfloat16")
    weight = paddle.full([2, 1, 8, 8], 1.0).astype("bfloat16") * 1.0078125
    y = paddle.nn.functional.conv2d(x, weight, groups=2)
    assert y.dtype == paddle.bfloat16 and y.astype("float32").tolist() == [[[[64.5]], [[64.5]]]]


def test_a_depthwise_gradient_keeps_the_image_alone():
    x = jnp.ones((1, 2, 6, 6), "float32")
    weight = jnp.ones((2, 1, 3, 3), "float32")
    window = Window((1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1))
    _, pull = jax.vjp(lambda x, w: forms.convolve(x, w, window, 2, False), x, weight)
    assert sum(leaf.size for leaf in jax.tree.leaves(pull)) <= x.size + weight.size


def test_a_saved_model_predicts_and_trains_through_either_form(tmp_path):
    layer = paddle.nn.Sequential(paddle.nn.Conv2D(4, 4, 3, groups=4), paddle.nn.Conv2D(4, 8, 1))
    x = paddle.randn([2, 4, 6, 6])
    expected = layer(x)
    prefix = str(tmp_path / "net")
    paddle.jit.save(layer, prefix, input_spec=[paddle.static.InputSpec([None, 4, 6, 6])])
    loaded = paddle.jit.load(prefix)
    np.testing.assert_allclose(loaded(x).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    loaded.train()
    loss = loaded(x).sum()
    loss.backward()
    layer(x).sum().backward()
    for mine, theirs in zip(loaded.parameters(), layer.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.numpy(), rtol=1e-5, atol=1e-5)
