"""``paddle.sysconfig``: where Paddle keeps its C++ headers and libraries; Kayax has none."""
from __future__ import annotations


def _nothing_native(name: str) -> str:
    raise NotImplementedError(f"paddle.sysconfig.{name}: Kayax has no C++ headers or libraries to build against. "
                              "Native code goes through JAX's foreign function interface (jax.ffi).")


def get_include() -> str:
    """An error: there are no C++ headers."""
    return _nothing_native("get_include")


def get_lib() -> str:
    """An error: there are no C++ libraries."""
    return _nothing_native("get_lib")


__all__ = ["get_include", "get_lib"]
