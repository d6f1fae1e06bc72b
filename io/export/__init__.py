"""Saved programs in the formats of other frameworks: StableHLO, ONNX, PaddlePaddle's own."""
