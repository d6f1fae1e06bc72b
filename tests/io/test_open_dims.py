"""Open dimensions of saved models: names, constraints, and errors that say which dim needs which."""
import math
import os

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError
from kayax.jit import load, save
from kayax.static import InputSpec


class Fn(nn.Layer):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, *args):
        return self.fn(*args)


def spec(*shape, name="x"):
    return InputSpec(list(shape), "float32", name)


def refused(fn, *specs, **configs):
    with pytest.raises(ValueError) as caught:
        save(Fn(fn), os.devnull + "/never", input_spec=list(specs), **configs)
    for word in ("_d0", "_by_", "symbolic scope"):
        assert word not in str(caught.value), caught.value
    return str(caught.value)


def test_two_dims_that_must_be_equal_are_named():
    text = refused(lambda x, y: x + y, spec(None, 2), spec(2, None, name="y"))
    assert "left open: x.shape[0], y.shape[1]." in text
    assert "one name: InputSpec(['n', 2], 'float32', 'x') and InputSpec([2, 'n'], 'float32', 'y')" in text
    assert "test_open_dims.py" in text and "x + y" in text
    text = refused(lambda x: paddle.matmul(x, x), spec(None, None))
    assert "one name: InputSpec(['n', 'n'], 'float32', 'x')" in text


def test_a_missing_constraint_is_named():
    assert "constraints=['seq % 8 == 0']" in refused(lambda x: x.reshape([8, -1]), spec("seq"))
    assert "constraints=['seq % 2 == 0']" in refused(lambda x: x.split(2)[0], spec("seq"))
    text = refused(lambda x: x.reshape([8, -1]), spec(None))
    assert "name it (InputSpec(['size'], 'float32', 'x')) and say it" in text
    assert "constraints=['seq > 8']" in refused(lambda x: x * 2 if x.shape[0] > 8 else x, spec("seq"))


def test_constraints_make_it_work_and_are_checked(tmp_path):
    def fn(x):
        y = x.reshape([x.shape[0], -1, 8]).sum(-1)
        return y[:, :2] + y[:, -2:] if x.shape[1] >= 16 else y

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("batch", "seq")],
         constraints=["seq % 8 == 0", "16 <= seq <= 64", "batch >= 1"])
    loaded = load(str(tmp_path / "m"))
    for shape in ((1, 16), (3, 40)):
        x = np.random.default_rng(0).normal(size=shape).astype("float32")
        np.testing.assert_allclose(loaded(paddle.to_tensor(x)).numpy(), fn(paddle.to_tensor(x)).numpy(), rtol=1e-5,
                                   atol=1e-6)
    for size, text in ((20, "seq % 8 == 0, but seq is 20"), (72, "16 <= seq <= 64, but seq is 72")):
        with pytest.raises(ValueError, match=f"needs {text}"):
            loaded(paddle.ones([1, size]))


def test_constraints_that_make_no_sense():
    assert "names seq, which is no dimension" in refused(lambda x: x, spec(None), constraints=["seq % 8 == 0"])
    assert "not understood" in refused(lambda x: x, spec("n"), constraints=["n is even"])
    assert "contradict" in refused(lambda x: x + 1, spec("n"), constraints=["n >= 5", "n == 2*n"])
    with pytest.raises(ValueError, match="no option 'constraint'"):
        save(Fn(lambda x: x), os.devnull + "/never", input_spec=[spec("n")], constraint=["n >= 5"])


def test_equal_names_are_equal_sizes(tmp_path):
    specs = [spec("n", "k"), spec("k", "m", name="y")]
    save(Fn(lambda x, y: paddle.matmul(x, y)), str(tmp_path / "m"), input_spec=specs)
    loaded = load(str(tmp_path / "m"))
    assert loaded(paddle.ones([2, 3]), paddle.ones([3, 4])).shape == [2, 4]
    with pytest.raises(ValueError, match=r"'k' is 3 in input 'x', but 4 in axis 0 of input 'y'"):
        loaded(paddle.ones([2, 3]), paddle.ones([4, 4]))


def test_open_dims_that_merge_can_be_trained(tmp_path):
    """A reshape to [batch * seq, width] leaves residuals whose sizes show neither batch nor seq."""
    def fn(x, w):
        return paddle.tanh(paddle.matmul(x.reshape([-1, 3]), w)).reshape(x.shape)

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("batch", "seq", 3), spec(3, 3, name="w")])
    loaded, rng = load(str(tmp_path / "m")), np.random.default_rng(0)
    for shape in ((2, 5, 3), (1, 4, 3)):
        grads = []
        arrays = [rng.normal(size=s).astype("float32") for s in (shape, (3, 3))]
        for run in (fn, loaded):
            x, w = [paddle.to_tensor(a, stop_gradient=False) for a in arrays]
            run(x, w).sum().backward()
            grads.append((x.grad.numpy(), w.grad.numpy()))
        for a, b in zip(*grads, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_open_sizes_without_the_gradient(tmp_path):
    """JAX cannot differentiate a strided convolution of any size: the error says what can be done."""
    def fn(x):
        return nn.functional.conv2d(x, paddle.ones([2, 1, 3, 3]), stride=2)

    images = spec(None, 1, None, None)
    text = refused(fn, images)
    assert "The gradient of forward cannot be saved" in text and "jit.save(..., trainable=False)" in text
    save(Fn(fn), str(tmp_path / "m"), input_spec=[images], trainable=False)
    x = paddle.randn([2, 1, 7, 9])
    np.testing.assert_allclose(load(str(tmp_path / "m"))(x).numpy(), fn(x).numpy(), rtol=1e-5)


def test_the_gradient_of_a_strided_convolution_with_open_sizes(tmp_path):
    """Its padding would depend on what is left over at the end."""
    net = nn.Conv2D(1, 2, [3, 2], stride=[2, 3], padding=[[0, 0], [0, 0], [1, 0], [0, 2]], dilation=[2, 1])
    paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 1, "h", "w"])], constraints=["h >= 8", "w >= 8"])
    loaded = paddle.jit.load(tmp_path / "m")
    for h, w in ((8, 9), (11, 8)):
        grads = []
        for model in (net, loaded):
            x = paddle.arange(2 * h * w, dtype="float32").reshape([2, 1, h, w]) / 100
            x.stop_gradient = False
            (model(x) ** 2).sum().backward()
            grads.append([x.grad, *(p.grad for p in model.parameters())])
            model.clear_gradients()
        for mine, saved in zip(*grads, strict=True):
            np.testing.assert_allclose(saved.numpy(), mine.numpy(), rtol=1e-4, atol=1e-5)


F = nn.functional
# Operations whose tables, counts or derivatives follow from sizes; those with integers among their results too.
OF_SIZES = {
    "resizing": (lambda x: [
        F.interpolate(x, scale_factor=[1.5, 2]), F.interpolate(x, scale_factor=[0.5, 2], mode="bilinear"),
        F.interpolate(x, size=[x.shape[2] * 2, 3], mode="bicubic", align_corners=True),
        F.adaptive_avg_pool2d(x, [3, None]), F.adaptive_max_pool2d(x, 2, return_mask=True)],
                 ["n", 2, "h", "w"], [(2, 2, 5, 6), (1, 2, 4, 9)]),
    "running": (lambda x: [
        x.cumprod(1), x.logcumsumexp(0), x.cummax(1), x.prod([0, 2], keepdim=True),
        x.take_along_axis(x.argsort(1)[:, :2], 1), x.put_along_axis(x.argmin(1, keepdim=True), 2.0, 1),
        paddle.take(x, paddle.to_tensor([0, -1, 40]), mode="wrap"), x.topk(2), paddle.cdist(x, x + 1),
        paddle.searchsorted(x.flatten().sort(), x.flatten()), x],
                ["n", "s", 3], [(2, 5, 3), (3, 4, 3)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SIZES)
def test_operations_that_follow_from_sizes(name, tmp_path):
    fn, dims, shapes = OF_SIZES[name]
    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec(*dims)])
    loaded = load(str(tmp_path / "m"))
    for shape in shapes:
        array, found = np.random.default_rng(0).normal(size=shape).astype("float32"), []
        for run in (fn, loaded):
            x = paddle.to_tensor(array, stop_gradient=False)
            outs = [o for out in run(x) for o in (out if isinstance(out, (list, tuple)) else [out])]
            sum((o ** 2).sum() for o in outs if o.dtype == x.dtype).backward()
            found.append([o.numpy() for o in outs] + [x.grad.numpy()])
        for mine, saved in zip(*found, strict=True):
            np.testing.assert_allclose(saved, mine, rtol=1e-4, atol=1e-5)


def test_a_loop_with_integers_of_open_size_can_be_trained(tmp_path):
    def fn(x):
        def body(count, place, y):
            return count + 1, place + 1, y * 1.5 + place.astype("float32").unsqueeze(-1)

        return paddle.static.nn.while_loop(lambda count, place, y: count < 3, body,
                                           [paddle.zeros([], "int64"), x.argmax(-1), x * 2])[2]

    save(fn, str(tmp_path / "m"), input_spec=[spec("n", 3)])
    loaded, grads = load(str(tmp_path / "m")), []
    for run in (fn, loaded):
        x = paddle.arange(6, dtype="float32").reshape([2, 3])
        x.stop_gradient = False
        run(x).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(grads[1], grads[0], rtol=1e-6)


@pytest.mark.parametrize(("fn", "hint"), [
    (lambda x: x * 2 if x.shape[0] == 1 else x, "size >= 2"), (lambda x: x if x.shape[0] != 1 else x * 2, "size >= 2"),
    (lambda x: x * 2 if x.shape == [1, 3] else x, "size >= 2"), (lambda x: x * 2 if x.shape[0] in (1, 4) else x, None),
    (lambda x: x * 2 if x.shape[0] % 2 else x, "size % 2 == 0"), (lambda x: x * 2 if not x.shape[0] % 2 else x, None),
    (lambda x: x.squeeze(), "size >= 2"), (lambda x: x if x.shape[0] < 4 else x * 2, "size >= 4")])
def test_what_an_open_size_decides_is_refused(fn, hint):
    """Or else a program would take one of the ways for every size."""
    text = refused(fn, spec(None, 3))
    assert "left open: x.shape[0].\n" in text and "test_open_dims.py" in text
    assert hint is None or f"constraints=['{hint}']" in text


def test_what_is_the_same_for_all_sizes_is_decided(tmp_path):
    def fn(x):
        if x.shape[0] == 0 or x.shape == [x.shape[0], 4] or x.shape[1] != 3 or x.shape[0] == 1:
            return x
        return x.squeeze() + x.shape[0]

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("n", 3)], constraints=["n >= 2"])
    x = paddle.ones([2, 3])
    np.testing.assert_array_equal(load(str(tmp_path / "m"))(x).numpy(), fn(x).numpy())


def counted(x):
    for _ in range(x.shape[0]):
        x = x + 1
    return x


@pytest.mark.parametrize(("fn", "text"), [
    (lambda x: F.interpolate(x.unsqueeze([0, 1]), scale_factor=0.3), "(scale_factor=0.3) of the open size x."),
    (lambda x: paddle.unbind(x)[0], "axis 0 is open (x.shape[0]). unbind gives one"),
    (lambda x: paddle.fft.fft(x, axis=0).abs(), "XLA transforms axes of known size alone"),
    (counted, "let it be a Tensor: paddle.shape(x)[i]")])
def test_operations_that_need_a_known_size_say_so(fn, text):
    found = refused(fn, spec(None, 3))
    assert text in found and "x.shape[0]" in found and "test_open_dims.py" in found


def test_an_open_size_is_no_result():
    for fn in (lambda x: x.shape, lambda x: x.shape[0]):
        with pytest.raises(ConversionError, match=r"size n is open.* Return paddle\.shape\(x\)"):
            save(Fn(fn), os.devnull + "/never", input_spec=[spec("n", 3)])


TABLE, SIZES = {3: 10.0, 5: 20.0}, [1.0, 2.0, 4.0, 8.0]


def looked_up(x):
    try:
        return x * TABLE[x.shape[0]]
    except Exception:
        return x


@pytest.mark.parametrize(("fn", "text"), [
    (looked_up, "as a key"), (lambda x: x * TABLE.get(x.shape[0], 1.0), "as a key"),
    (lambda x: x * {3: 1, 4: 2}[x.shape[0]], "as a key"), (lambda x: x * len({x.shape[0], 3}), "as a key"),
    (lambda x: x * 2 if x.shape[0] in {3, 5} else x, "as a key"), (lambda x: x * (hash(x.shape[0]) % 7), "as a key"),
    (lambda x: x * SIZES[x.shape[0]], "known size"), (lambda x: x * np.ones(x.shape[0]).sum(), "known size"),
    (lambda x: x * len([0] * x.shape[0]), "known size"), (lambda x: x * x.shape[0].bit_length(), "known one"),
    (lambda x: x * [1, 3].count(x.shape[0]), "x.shape[0]' == '1'"), (lambda x: x * x.shape.index(3), "== '3'"),
    (lambda x: x * 2 if x.shape in ([3, 3], [5, 3]) else x, "== '5'"),
    (lambda x: x * 2 if {"n": x.shape[0]} == {"n": 3} else x, "== '3'"),
    (lambda x: x * 2 if f"n{x.shape[0]}" == "n3" else x, "not compared"),
    (lambda x: x * 2 if str(x.shape) == "[3, 3]" else x, "not compared"),
    (lambda x: x * 2 if "%s" % x.shape[0] == "3" else x, "not compared"),       # noqa: UP031
    (lambda x: x * 2 if ",".join(map(str, x.shape)) == "3,3" else x, "not compared")])
def test_python_does_not_decide_for_an_open_size(fn, text):
    """Where it would take its symbol for a size: as another key, another text, another item."""
    found = refused(fn, spec(None, 3))
    assert text in found and "x.shape[0]" in found and "test_open_dims.py" in found


def test_what_python_does_with_a_size_holds_for_all(tmp_path, capfd):
    table = paddle.arange(64, dtype="float32").reshape([32, 2])

    def fn(x):
        n = int(x.shape[0])
        print(f"rows: {n}, {x.shape}")
        half = [n // 2 + 1, *divmod(n, 2), round(n / 2), -n, abs(n), n ** 2]
        y = x * sum(half) / float(n) ** 0.5 + x * n ** -0.5 / math.sqrt(n)
        y = y + x if isinstance(n, int) and type(n) is int else y
        z = paddle.concat([x[n // 2:], x[:n // 2], x[-n:], x[n - 1:]]) + x[n - 1]
        sizes = paddle.to_tensor([n, n + 1], "float32") * paddle.to_tensor(x.shape).max()
        return y, z, table[:n] * 2 + table[n], sizes, x.slice([0], [1], [n]), x.clip(max=n), table[n // 2:n + 1]

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("n", 3)], constraints=["2 <= n <= 31"])
    assert "rows: n, paddle.Size([n, 3])" in capfd.readouterr().out
    loaded = load(str(tmp_path / "m"))
    for n in (5, 2):
        x = paddle.arange(3 * n, dtype="float32").reshape([n, 3])
        for mine, saved in zip(fn(x), loaded(x), strict=True):
            assert (mine.shape, mine.dtype) == (saved.shape, saved.dtype)
            np.testing.assert_allclose(saved.numpy(), mine.numpy(), rtol=1e-5)
    assert "constraints=['n <= 32']" in refused(lambda x: x[:, :2] + table[:x.shape[0]], spec("n", "m"))
    text = refused(lambda x: x[:, :2] + table[:x.shape[0]], spec(None, None))
    assert "left open: x.shape[0]." in text and "name it (InputSpec(['size', None], 'float32', 'x'))" in text
    assert "constraints=['size <= 32']" in text
    assert "constraints=['n < 32']" in refused(lambda x: table[x.shape[0]], spec("n", 3))


def test_padding_of_open_sizes(tmp_path):
    def fn(x):
        return [F.pad(x, [1, 2], mode=m, data_format="NCL") for m in ("reflect", "circular", "replicate")] + [
            F.pad(x, [0, 8 - x.shape[2]], data_format="NCL")]

    assert "constraints=['n > 2']" in refused(lambda x: fn(x)[0], spec(1, 2, "n"))
    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec(1, 2, "n")], constraints=["3 <= n <= 8"])
    x = paddle.arange(10, dtype="float32").reshape([1, 2, 5])
    for mine, saved in zip(fn(x), load(str(tmp_path / "m"))(x), strict=True):
        np.testing.assert_array_equal(saved.numpy(), mine.numpy())


def test_a_saved_program_does_not_print_tensors():
    with pytest.raises(ConversionError, match="its program runs without Python"):
        save(Fn(lambda x: (print(x), x)[1]), os.devnull + "/never", input_spec=[spec("n", 3)])


def test_pools_whose_padding_follows_from_open_sizes(tmp_path):
    """With such a padding in the reduction itself, XLA's program for the positions damages the process's memory."""
    def fn(x):
        out, places = F.max_pool2d(x, 3, 2, 1, return_mask=True, ceil_mode=True)
        return out, F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), places

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("n", 2, "h", "w")])
    loaded = load(str(tmp_path / "m"))
    for shape in ((2, 2, 7, 8), (1, 2, 8, 5)):
        array, found = np.random.default_rng(0).normal(size=shape).astype("float32"), []
        for run in (fn, loaded):
            x = paddle.to_tensor(array, stop_gradient=False)
            outs = run(x)
            (outs[0] ** 2 + outs[1] ** 2).sum().backward()
            found.append([*outs, x.grad])
        for mine, saved in zip(*found, strict=True):
            np.testing.assert_allclose(saved.numpy(), mine.numpy(), rtol=1e-5, atol=1e-6)


def test_no_words_of_the_engine_reach_the_user():
    for fn in (lambda x: paddle.linalg.cond(x), lambda x: paddle.linalg.norm(x, "nuc")):
        text = refused(fn, spec("n", "n"))
        assert "traced" not in text and "_DimExpr" not in text and "jnp" not in text


def test_attention_of_open_sizes_with_constraints(tmp_path):
    """Every size open, the head's too, and what is known of two of them."""
    def fn(q, k):
        heads = [x.reshape([x.shape[0], x.shape[1], 2, x.shape[2] // 2]) for x in (q, k)]
        out = F.scaled_dot_product_attention(heads[0], heads[1], heads[1])
        blocks = F.scaled_dot_product_attention(*[heads[0].reshape([-1, 8, 2, heads[0].shape[3]])] * 3, is_causal=True)
        return out.flatten(2) / q.shape[2] ** 0.5 + blocks.reshape(q.shape)

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("batch", "seq", "width", name="q"),
                                                  spec("batch", "keys", "width", name="k")],
         constraints=["seq % 8 == 0", "batch >= 1", "width % 2 == 0"])
    loaded, rng = load(str(tmp_path / "m")), np.random.default_rng(0)
    for shapes in (((2, 8, 6), (2, 3, 6)), ((1, 16, 4), (1, 5, 4))):
        arrays, found = [rng.normal(size=s).astype("float32") for s in shapes], []
        for run in (fn, loaded):
            tensors = [paddle.to_tensor(a, stop_gradient=False) for a in arrays]
            out = run(*tensors)
            (out ** 2).sum().backward()
            found.append([out, *(t.grad for t in tensors)])
        for mine, saved in zip(*found, strict=True):
            np.testing.assert_allclose(saved.numpy(), mine.numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="needs seq % 8 == 0, but seq is 9"):
        loaded(paddle.ones([1, 9, 4]), paddle.ones([1, 5, 4]))


def test_statistics_and_powers_of_open_sizes(tmp_path):
    def fn(x):
        often, weights = paddle.arange(x.shape[1]) + 1, x[0].abs() + 1
        return [paddle.linalg.cov(x, fweights=often, aweights=weights), paddle.linalg.cov(x, rowvar=False, ddof=False),
                paddle.linalg.corrcoef(x), paddle.vander(x[0]), paddle.vander(x[0], increasing=True)]

    save(Fn(fn), str(tmp_path / "m"), input_spec=[spec("n", "s")], constraints=["n >= 2", "s >= 2"], trainable=False)
    loaded = load(str(tmp_path / "m"))
    for shape in ((3, 4), (2, 2)):
        x = paddle.to_tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))
        for mine, saved in zip(fn(x), loaded(x), strict=True):
            np.testing.assert_allclose(saved.numpy(), mine.numpy(), rtol=1e-4, atol=1e-5)
    assert "constraints=['n >= 2']" in refused(lambda x: paddle.linalg.cov(x), spec("n", 3))
    assert "constraints=['n >= s']" in refused(lambda x: paddle.linalg.cond(x), spec("n", "s"))


def test_open_sizes_that_may_turn_out_to_decide(tmp_path):
    """The axis of a cross product is the first of size 3; tensors of two shapes are not equal."""
    assert "constraints=['n >= 4']" in refused(lambda x: paddle.cross(x, x + 1), spec("n", 3))
    assert "'n' == 's'" in refused(lambda x, y: x + paddle.equal_all(x, y).astype("float32"), spec("n"), spec("s"))
    net = nn.BatchNorm1D(2)
    save(net, str(tmp_path / "m"), input_spec=[spec("n", 2)])       # a batch of one is left as it is
    loaded = load(str(tmp_path / "m"))
    for n in (3, 1):
        x = paddle.arange(2 * n, dtype="float32").reshape([n, 2]) ** 2
        np.testing.assert_allclose(loaded(x).numpy(), net(x).numpy(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(loaded._mean.numpy(), net._mean.numpy(), rtol=1e-6)


def test_a_diagonal_of_open_size(tmp_path):
    save(Fn(lambda x: paddle.diag_embed(x, offset=1)), str(tmp_path / "m"), input_spec=[spec("n", "k")])
    x = paddle.rand([2, 3])
    np.testing.assert_array_equal(load(str(tmp_path / "m"))(x).numpy(), paddle.diag_embed(x, offset=1).numpy())
