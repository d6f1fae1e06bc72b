"""The crossing from imperative cells to pure functions: tensors, the tape, the one door, conversion."""
import os as _os

import jax as _jax

if _os.environ.get("KAYAX_X64", "1") != "0":
    _jax.config.update("jax_enable_x64", True)          # labels are int64 and float64 exists
