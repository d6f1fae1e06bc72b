"""``paddle.audio.datasets``: well-known sounds from local files."""
from kayax.audio.datasets.dataset import AudioClassificationDataset  # noqa: F401
from kayax.audio.datasets.esc50 import ESC50
from kayax.audio.datasets.tess import TESS

__all__ = ["ESC50", "TESS"]
