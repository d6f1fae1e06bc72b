"""``paddle.distribution.transform``: maps between Tensors, with the determinants of their Jacobians."""
from kayax.distribution.transform_base import Transform
from kayax.distribution.transform_composed import ChainTransform, IndependentTransform, StackTransform
from kayax.distribution.transform_elementwise import (
    AbsTransform,
    AffineTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    TanhTransform,
)
from kayax.distribution.transform_event import ReshapeTransform, SoftmaxTransform, StickBreakingTransform

__all__ = ["AbsTransform", "AffineTransform", "ChainTransform", "ExpTransform", "IndependentTransform",
           "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "StackTransform",
           "StickBreakingTransform", "TanhTransform", "Transform"]
