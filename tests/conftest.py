"""Every test starts from the same seed, the default dtype, and conversion switched on, whatever ran before it."""
import pytest

import kayax as paddle


@pytest.fixture(autouse=True)
def fresh_state():
    paddle.seed(2024)
    yield
    paddle.set_default_dtype("float32")
    paddle.jit.enable_to_static(True)
