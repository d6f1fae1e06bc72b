"""The models that travel, each with its input specs and two calls of different sizes."""
import sys
from pathlib import Path

import pytest

import kayax as paddle

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Each model saved once: name -> (prefix of the files, calls with what they give here)."""
    from travellers import TRAVELLERS
    folder, made = tmp_path_factory.mktemp("saved"), {}

    def get(name):
        if name not in made:
            make, specs, calls = TRAVELLERS[name]
            paddle.seed(7)
            model = make()
            model.eval()
            prefix = folder / name
            paddle.jit.save(model, prefix, specs, trainable=False)
            made[name] = prefix, [(arrays, model(*map(paddle.to_tensor, arrays)).numpy()) for arrays in calls]
        return made[name]

    return get
