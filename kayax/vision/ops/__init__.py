"""``paddle.vision.ops``: operations of object detection."""
from kayax.bridge.ops.deformable import deform_conv2d
from kayax.vision.models._common import ConvNormActivation  # noqa: F401
from kayax.vision.ops._boxes import box_coder, prior_box, yolo_box
from kayax.vision.ops._deformable import DeformConv2D
from kayax.vision.ops._files import decode_jpeg, read_file
from kayax.vision.ops._pooling import PSRoIPool, RoIAlign, RoIPool, psroi_pool, roi_align, roi_pool
from kayax.vision.ops._selection import distribute_fpn_proposals, generate_proposals, matrix_nms, nms
from kayax.vision.ops._yolo_loss import yolo_loss

__all__ = [
    "yolo_loss", "yolo_box", "prior_box", "box_coder", "deform_conv2d", "DeformConv2D",
    "distribute_fpn_proposals", "generate_proposals", "read_file",
    "decode_jpeg", "roi_pool", "RoIPool", "psroi_pool", "PSRoIPool", "roi_align", "RoIAlign", "nms", "matrix_nms",
]
