"""Every test starts from the same seed, the default dtype, and conversion switched on, whatever ran before it.

Compiling is most of the time: LLVM's optimizations and XLA's newer emitters of fusions are left out (XLA's own passes
stay), and what one process of a run has compiled the others load. Both must be set before JAX starts.
"""
import gc
import os
import shutil
import tempfile
from importlib.metadata import version

FLAGS = ["--xla_backend_optimization_level=0"]
if version("jaxlib").startswith("0.10."):       # with a flag that they do not know later ones abort
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")
os.environ["XLA_FLAGS"] = " ".join([*FLAGS, os.environ.get("XLA_FLAGS", "")])
FOLDER = "JAX_COMPILATION_CACHE_DIR"
MADE_HERE = FOLDER not in os.environ            # the workers of pytest-xdist find it made
if MADE_HERE:
    os.environ |= {FOLDER: tempfile.mkdtemp(prefix="compiled-"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                   "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}

import pytest  # noqa: E402

import kayax as paddle  # noqa: E402


@pytest.fixture(autouse=True)
def fresh_state():
    paddle.seed(2024)
    yield
    paddle.set_default_dtype("float32")
    paddle.jit.enable_to_static(True)


def pytest_collection_finish():
    """The garbage collector need not go through the tables of cases again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure():
    if MADE_HERE:
        shutil.rmtree(os.environ[FOLDER], ignore_errors=True)
