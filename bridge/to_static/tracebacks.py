"""Errors of converted code as the user's code would have raised them: without the frames between."""
from __future__ import annotations

import os
import types

from kayax.bridge.errors import is_ours

_FULL = "KAYAX_TRACEBACK"


def of_users(error: Exception) -> Exception:
    """The error with the frames of Kayax and JAX taken out of its traceback, unless ``KAYAX_TRACEBACK=full``."""
    if os.environ.get(_FULL) == "full":
        return error
    if getattr(error, "_explained", False):             # its cause is the same error inside of an operation
        error.__cause__ = None
    if hasattr(error, "__notes__"):
        error.__notes__ = [note for note in error.__notes__ if "JAX" not in note]
    kept: list[types.TracebackType] = []
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if not is_ours(code.co_filename):
            if kept and _is_part(code, kept[-1].tb_frame.f_code):
                kept.pop()
            kept.append(tb)
        tb = tb.tb_next
    shown = None
    for tb in reversed(kept):
        shown = types.TracebackType(shown, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    return error.with_traceback(shown)


def _is_part(code: types.CodeType, outer: types.CodeType) -> bool:
    """Whether code is a block of the function `outer`, moved into a function of its own by a rewrite."""
    return code is not outer and code.co_qualname == outer.co_qualname and code.co_filename == outer.co_filename
