"""The modules of this folder import each other by plain name."""
import itertools
import sys
from pathlib import Path

import jax
import pytest

_count = itertools.count(1)

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def bounded_memory():
    """Hundreds of programs are compiled here, none of them twice."""
    yield
    if next(_count) % 100 == 0:
        jax.clear_caches()
