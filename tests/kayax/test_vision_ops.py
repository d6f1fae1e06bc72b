"""Errors and files of vision.ops; values are compared with Paddle's in tests/parity."""
import io

import numpy as np
import pytest
from PIL import Image

import kayax as paddle
from kayax.vision import ops

BOXES = paddle.to_tensor([[0.0, 0.0, 2.0, 2.0]])


@pytest.mark.parametrize("call, error, message", [
    (lambda: ops.roi_align(paddle.ones([1, 1, 3, 3]), BOXES, None, 2), AssertionError, "how many boxes each image has"),
    (lambda: ops.roi_pool(paddle.ones([1, 1, 3, 3]), BOXES, paddle.to_tensor([1]), 0), ValueError, "output_size"),
    (lambda: ops.psroi_pool(paddle.ones([1, 3, 3, 3]), BOXES, paddle.to_tensor([1]), 2), ValueError, "multiple of 2"),
    (lambda: ops.box_coder(BOXES, None, BOXES), TypeError, "a Tensor or four numbers"),
    (lambda: ops.prior_box(paddle.ones([1, 1, 2, 2]), paddle.ones([1, 3, 4, 4]), 2.0, steps=1.0), ValueError, "step_x"),
    (lambda: ops.yolo_box(paddle.ones([1, 6, 2, 2]), paddle.to_tensor([[4, 4]]), [1, 2], 2, 0.1, 2), ValueError,
     "for 1 anchors and 2 classes"),
    (lambda: ops.nms(BOXES, 0.3, paddle.ones([1]), paddle.zeros([1])), AssertionError, "must list the categories"),
    (lambda: ops.distribute_fpn_proposals(BOXES, 3, 2, 2, 8), AssertionError, "min_level < max_level"),
    (lambda: ops.decode_jpeg(paddle.ones([1], "uint8"), "cmyk"), ValueError, "one of unchanged, gray, rgb"),
])
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_number_of_boxes_cannot_be_part_of_a_program():
    chosen = paddle.jit.to_static(lambda boxes: ops.nms(boxes), full_graph=True)
    with pytest.raises(RuntimeError, match="depends on the values"):
        chosen(BOXES)


def test_read_and_decode(tmp_path):
    picture = Image.fromarray(np.full((8, 9, 3), 100, np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    data = ops.read_file(str(tmp_path / "a.jpg"))
    assert data.dtype == paddle.uint8 and data.shape == [len(buffer.getvalue())]
    assert ops.decode_jpeg(data).shape == [3, 8, 9] and ops.decode_jpeg(data, "gray").shape == [1, 8, 9]
    np.testing.assert_allclose(ops.decode_jpeg(data).numpy().astype(float), 100, atol=2)
