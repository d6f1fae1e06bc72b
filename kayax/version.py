"""``paddle.version``: the version of Paddle whose API this is; Kayax's own is ``kayax.__version__``."""
from __future__ import annotations

import importlib.metadata

full_version = "3.3.1"
major, minor, patch = full_version.split(".")
rc = "0"
istaged = True
commit = "unknown"
with_pip_cuda_libraries = "OFF"
hip = None                          # not a function in Paddle, either, where there is no such device


def _found(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "False"


def cuda() -> str:
    """The version of the CUDA runtime that JAX's extra installed, "False" without it."""
    return next((v for v in map(_found, ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12")) if v != "False"), "False")


def cudnn() -> str:
    """The version of cuDNN that JAX's extra installed, "False" without it."""
    return next((v for v in map(_found, ("nvidia-cudnn-cu13", "nvidia-cudnn-cu12")) if v != "False"), "False")


def nccl() -> str:
    """The version of NCCL that JAX's extra installed, "0" without it."""
    return next((v for v in map(_found, ("nvidia-nccl-cu13", "nvidia-nccl-cu12")) if v != "False"), "0")


def xpu() -> str:
    """"False": JAX has no such device."""
    return "False"


def xpu_xre() -> str:
    """"False": JAX has no such device."""
    return "False"


def xpu_xccl() -> str:
    """"False": JAX has no such device."""
    return "False"


def xpu_xhpc() -> str:
    """"False": JAX has no such device."""
    return "False"


def tensorrt() -> str:
    """"None": XLA does not use it."""
    return "None"


def cuda_archs() -> list[int]:
    """An empty list: XLA compiles for the GPU it finds."""
    return []


def show() -> None:
    """Print the version of Paddle whose API this is, of Kayax, of JAX, and of the CUDA libraries."""
    import jax

    import kayax
    facts = {"full_version": full_version, "major": major, "minor": minor, "patch": patch, "rc": rc,
             "kayax": kayax.__version__, "jax": jax.__version__, "cuda": cuda(), "cudnn": cudnn(), "nccl": nccl()}
    for name, value in facts.items():
        print(f"{name}: {value}")


__all__ = ["cuda", "cuda_archs", "cudnn", "hip", "nccl", "show", "tensorrt", "xpu", "xpu_xccl", "xpu_xhpc", "xpu_xre"]
