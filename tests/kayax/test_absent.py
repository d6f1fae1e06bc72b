"""Names of Paddle that are not here say what to do instead."""
import hashlib
import importlib

import pytest

import kayax as paddle
from kayax.absent import ABSENT, IMPORTABLE


@pytest.mark.parametrize("module", ABSENT)
def test_an_absent_name_names_its_alternative(module):
    place = importlib.import_module(f"kayax.{module}".rstrip("."))
    for advice, names in ABSENT[module].items():
        assert advice.endswith(".")
        for name in names.split():
            if module in IMPORTABLE:
                with pytest.raises(NotImplementedError, match="is not available") as error:
                    getattr(place, name)()
            else:
                assert not hasattr(place, name)
                with pytest.raises(AttributeError, match=f"{name} is not available") as error:
                    getattr(place, name)
            assert advice in str(error.value)


def test_a_name_that_nobody_knows_is_missing():
    for place in (paddle, paddle.nn, paddle.nn.functional, paddle.static, paddle.static.nn, paddle.distributed,
                  paddle.incubate, paddle.linalg):
        with pytest.raises(AttributeError, match=f"'{place.__name__}' has no attribute 'no_such_name'"):
            _ = place.no_such_name


def test_weights_are_found_in_paddles_folder(tmp_path, monkeypatch):
    from kayax.utils import download
    monkeypatch.setattr(download, "WEIGHTS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="Put the file of https://host/net.pdparams there"):
        download.get_weights_path_from_url("https://host/net.pdparams")
    (tmp_path / "net.pdparams").write_bytes(b"values")
    digest = hashlib.md5(b"values").hexdigest()
    assert download.get_weights_path_from_url("https://host/net.pdparams", digest) == str(tmp_path / "net.pdparams")
    with pytest.raises(RuntimeError, match="damaged"):
        download.get_weights_path_from_url("https://host/net.pdparams", "0" * 32)
    (tmp_path / "net").mkdir()
    assert paddle.utils.download.get_path_from_url("https://host/net.tar.gz", str(tmp_path)) == str(tmp_path / "net")
