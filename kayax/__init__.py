"""Kayax: PaddlePaddle's imperative API on JAX. ``import kayax as paddle``."""
from __future__ import annotations

import os as _os

_root = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))
if _os.path.isfile(_os.path.join(_root, "bridge", "tensor.py")):        # a source checkout: the rooms lie beside us
    __path__.append(_root)
