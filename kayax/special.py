"""``paddle.special``: functions that are public under `paddle`, under the names of ``torch.special``."""
from kayax.bridge.ops.public import TOP_LEVEL as _TOP

expm1, logsumexp, softmax = _TOP["expm1"], _TOP["logsumexp"], _TOP["softmax"]
__all__ = ["expm1", "logsumexp", "softmax"]
