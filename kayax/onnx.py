"""``paddle.onnx``: export to ONNX."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.convert import to_onnx

_OPSET = 18


def export(layer: Any, path: str, input_spec: Sequence[Any] | None = None, opset_version: int | None = None,
           **configs: Any) -> None:
    """Write a Layer as ``path.onnx``, in evaluation mode; open dims stay open.

    input_spec: an InputSpec or example Tensor for each argument, unless the converted layer knows them.
    opset_version: 18 is what is written; an older one is refused (Paddle's default is 9).
    configs: `weights`, "float16" or "bfloat16" to store the parameters in half the space.

    Raises ExportError, which names every operation that ONNX cannot express.
    """
    if opset_version not in (None, _OPSET):
        raise ValueError(f"Models are written in opset {_OPSET}, so opset_version={opset_version} cannot be given. "
                         "Leave it out, and convert the file with onnx.version_converter if an older one is needed.")
    weights = configs.pop("weights", "float32")
    if configs:
        raise TypeError(f"onnx.export has no option {sorted(configs)[0]!r}; there is `weights`.")
    to_onnx(layer, path, input_spec, weights)


__all__ = ["export"]
