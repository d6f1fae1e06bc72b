"""Files of sound with a class each."""
from __future__ import annotations

import os
from typing import Any

from kayax.audio import backends
from kayax.audio.features import MFCC, LogMelSpectrogram, MelSpectrogram, Spectrogram
from kayax.io import local_data
from kayax.io.dataset import Dataset

_FEATURES: dict[str, Any] = {"raw": None, "melspectrogram": MelSpectrogram, "mfcc": MFCC,
                             "logmelspectrogram": LogMelSpectrogram, "spectrogram": Spectrogram}


class AudioClassificationDataset(Dataset):
    """Sounds, or a feature of them, with the number of their class.

    files, labels: of equal length. feat_type: "raw" for the sound [time], or "spectrogram", "melspectrogram",
    "logmelspectrogram" or "mfcc", whose further arguments are `kwargs`.
    """

    def __init__(self, files: list[str], labels: list[int], feat_type: str = "raw", sample_rate: int | None = None,
                 **kwargs: Any):
        super().__init__()
        if feat_type not in _FEATURES:
            raise RuntimeError(f"feat_type must be one of {', '.join(_FEATURES)}, but got {feat_type!r}.")
        self.files, self.labels, self.feat_type, self.sample_rate = files, labels, feat_type, sample_rate
        self.feat_config = kwargs
        self._layers: dict[int, Any] = {}

    def _feature(self, rate: int) -> Any:
        if rate not in self._layers:
            rated = {} if self.feat_type == "spectrogram" else {"sr": rate}
            self._layers[rate] = _FEATURES[self.feat_type](**rated, **self.feat_config)
        return self._layers[rate]

    def __getitem__(self, idx: int) -> tuple[Any, int]:
        sound, self.sample_rate = backends.current().load(self.files[idx])
        if sound.shape[0] != 1:
            raise ValueError(f"{self.files[idx]} has {sound.shape[0]} channels, but one was expected.")
        out = sound if self.feat_type == "raw" else self._feature(self.sample_rate)(sound)
        return out.squeeze(0), self.labels[idx]

    def __len__(self) -> int:
        return len(self.files)


def need_folder(folder: str, url: str) -> str:
    """The path of an unpacked dataset in Paddle's folder of downloads, or an error that says what to do."""
    path = os.path.join(local_data.HOME, folder)
    if not os.path.isdir(path):
        raise FileNotFoundError(f"The folder {path} is not there, and nothing is downloaded here: get {url} and unpack "
                                f"it into {local_data.HOME}.")
    return path
