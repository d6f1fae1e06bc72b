"""What parity with recorded values does not show: errors, other kinds of input, the base class."""
import numpy as np
import pytest
from PIL import Image

import kayax as paddle
from kayax.vision import transforms as T

PICTURE = Image.fromarray(np.random.RandomState(0).randint(0, 256, (6, 5, 3), dtype=np.uint8))


def test_what_is_no_image_is_refused():
    with pytest.raises(TypeError, match=r"PIL image, a Tensor, or a NumPy array .* got ndarray of the shape \[2\]"):
        T.resize(np.zeros(2), 3)
    with pytest.raises(RuntimeError, match=r"\[C, H, W\] or \[N, C, H, W\], but its shape is \[5\]"):
        T.center_crop(paddle.ones([5]), 3)


@pytest.mark.parametrize("call, error, message", [
    (lambda: T.resize(PICTURE, (1, 2, 3)), TypeError, "size must be a number or"),
    (lambda: T.resize(PICTURE, 3, "area"), ValueError, "one of nearest, .* for this kind of image"),
    (lambda: T.pad(PICTURE, (1, 2, 3)), ValueError, "got 3 numbers"),
    (lambda: T.pad(PICTURE, 1, 0, "wrap"), AssertionError, "padding_mode must be one of"),
    (lambda: T.adjust_hue(PICTURE, 0.7), ValueError, r"\[-0.5, 0.5\]"),
    (lambda: T.to_grayscale(PICTURE, 2), ValueError, "1 or 3"),
    (lambda: T.affine(PICTURE, 1, [0, 0], -1, 0), ValueError, "scale must be positive"),
    (lambda: T.RandomCrop(9)(PICTURE), ValueError, "pad_if_needed=True"),
    (lambda: T.ContrastTransform(-1), ValueError, "must not be negative"),
    (lambda: T.RandomErasing(value="red"), ValueError, "'random'"),
    (lambda: T.RandomRotation([1, 2, 3]), ValueError, "a number or a range"),
    (lambda: T.Resize(3, keys=("image", "smell")), NotImplementedError, "_apply_smell"),
])
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_compose_says_where_an_error_happened():
    with pytest.raises(ValueError, match="data_format says where its channels are") as caught:
        T.Compose([T.Resize(4), T.Normalize()])(PICTURE)
    assert "transform 1 of a Compose" in caught.value.__notes__[0]


def test_a_random_transform_cannot_be_part_of_a_program():
    flip = paddle.jit.to_static(T.RandomHorizontalFlip(), full_graph=True)
    with pytest.raises(RuntimeError, match="in the Dataset or the DataLoader"):
        flip(paddle.ones([3, 4, 4]))


def test_keys_pair_inputs_with_their_kinds():
    class Both(T.BaseTransform):
        def _get_params(self, inputs):
            return len(inputs)

        def _apply_image(self, image):
            return image + self.params

        _apply_mask = _apply_image

    assert Both(keys=("image", "mask"))((1, 2, "label")) == (4, 5, "label")
    assert Both()(1) == 2
    with pytest.raises(NotImplementedError, match="define `_apply_boxes`"):
        Both(keys=("boxes",))(1)


def test_batches_and_bytes_of_tensors():
    images = np.random.RandomState(0).randint(0, 256, (2, 3, 6, 5), dtype=np.uint8)
    batch = paddle.to_tensor(images)
    np.testing.assert_array_equal(T.hflip(batch).numpy(), images[..., ::-1])
    turned = T.rotate(batch, 180.0)
    assert turned.dtype == paddle.uint8
    np.testing.assert_array_equal(turned.numpy(), images[..., ::-1, ::-1])
    gray = T.to_grayscale(batch).numpy()
    np.testing.assert_allclose(gray[:, 0], np.tensordot(images, [0.2989, 0.587, 0.114], (1, 0)), atol=1)
    np.testing.assert_array_equal(T.erase(batch, 1, 2, 2, 2, np.full((3, 2, 2), 9)).numpy()[:, :, 1:3, 2:4], 9)


def test_an_array_keeps_its_channel_axis():
    plane = np.asarray(PICTURE)[:, :, :1].copy()
    for change in (T.hflip, T.vflip, lambda x: T.rotate(x, 30), lambda x: T.pad(x, 1), lambda x: T.resize(x, (3, 3)),
                   lambda x: T.adjust_brightness(x, 0.5)):
        assert change(plane).shape[2:] == (1,)
