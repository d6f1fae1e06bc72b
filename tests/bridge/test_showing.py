"""What conversion shows when it is asked to."""
import pytest

import kayax as paddle


@pytest.fixture(autouse=True)
def quiet_afterwards():
    yield
    paddle.jit.set_verbosity(0)
    paddle.jit.set_code_level(0)


def test_rewritten_code_and_reasons(capsys):
    paddle.jit.set_verbosity(1)
    paddle.jit.set_code_level(100, also_to_stdout=True)

    @paddle.jit.to_static
    def chosen(x):
        if x.sum() > 0:
            return x
        return -x

    chosen(paddle.ones([1]))
    chosen(paddle.ones([2]))
    found = capsys.readouterr()
    assert "def chosen(x)" in found.err and "def chosen(x)" in found.out
    assert "chosen: a program is made for" in found.err and "the first call" in found.err
    assert "new arguments" in found.err
    with pytest.raises(TypeError, match="set_verbosity takes a number"):
        paddle.jit.set_verbosity("loud")


def test_silent_unless_asked(capsys, monkeypatch):
    def plain(x):
        return x + 1 if x.sum() > 0 else x

    paddle.jit.to_static(plain)(paddle.ones([1]))
    assert capsys.readouterr().err == ""
