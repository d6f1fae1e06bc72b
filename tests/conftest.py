"""Every test starts from the same seed, the default dtype, and conversion switched on, whatever ran before it."""
import os

# Compiling is most of the time: LLVM's optimizations are left out, XLA's own stay. Must be set before JAX starts.
os.environ["XLA_FLAGS"] = f"--xla_backend_optimization_level=0 {os.environ.get('XLA_FLAGS', '')}"

import pytest

import kayax as paddle


@pytest.fixture(autouse=True)
def fresh_state():
    paddle.seed(2024)
    yield
    paddle.set_default_dtype("float32")
    paddle.jit.enable_to_static(True)
