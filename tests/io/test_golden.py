"""Files written by every version of the format so far are read, predict and train (record_golden.py wrote them)."""
from pathlib import Path

import numpy as np
import pytest

import kayax as paddle
from kayax.io.container import VERSION
from kayax.io.model_format import load_set

FOLDER = Path(__file__).parent / "data" / "golden"
VERSIONS = sorted(path.name for path in FOLDER.iterdir())


def test_every_version_has_files():
    assert [f"v{number}" for number in range(1, VERSION + 1)] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_old_files_compute_what_they_did(version):
    net, expected = paddle.jit.load(str(FOLDER / version / "net")), np.load(FOLDER / version / "expected.npz")
    net.eval()
    x, scale = paddle.to_tensor(expected["x"]), paddle.to_tensor(2.0)
    out = net(x, scale)
    hidden, nothing, three = out.extra["parts"]
    assert (type(out).__name__, out._fields, nothing, three, out.extra["name"]) == (
        "Pair", ("logits", "extra"), None, 3, "golden")
    np.testing.assert_allclose(out.logits.numpy(), expected["logits"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hidden.numpy(), expected["hidden"], rtol=1e-5, atol=1e-6)
    assert net.count.numpy() == expected["count"]
    out.logits.sum().backward()
    np.testing.assert_allclose(net.first.weight.grad.numpy(), expected["gradient"], rtol=1e-5, atol=1e-5)
    assert net.second.weight is net.first.weight
    np.testing.assert_allclose(net.features(x[:, :4]).numpy(), expected["features"], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"needs width % 4 == 0, but width is 6"):
        net(x[:, :6], scale)


@pytest.mark.parametrize("version", VERSIONS)
def test_values_lie_in_one_file(version):
    parts = load_set(FOLDER / version / "net")
    assert "first.weight" in parts[".pdiparams"] and "second.weight" not in parts[".pdiparams"]
    assert len(parts[".features.pdiparams"]) == 0
