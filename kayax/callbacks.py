"""``paddle.callbacks``: what happens around the epochs and batches of a Model."""
from kayax.hapi.callbacks import Callback, EarlyStopping, LRScheduler, ModelCheckpoint, ReduceLROnPlateau
from kayax.hapi.progress import ProgBarLogger
from kayax.hapi.trackers import VisualDL, WandbCallback

__all__ = ["Callback", "EarlyStopping", "LRScheduler", "ModelCheckpoint", "ProgBarLogger", "ReduceLROnPlateau",
           "VisualDL", "WandbCallback"]
