"""``paddle.vision.ops``: operations of object detection."""
