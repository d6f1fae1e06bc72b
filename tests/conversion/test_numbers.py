"""Python numbers made of tensors: what Python's arithmetic gives, raises or turns into, as the values decide."""
import numpy as np
import pytest

import kayax as paddle
from kayax.jit import to_static

EXPRESSIONS = [
    "int(x) // 3", "int(x) % -3", "int(x) / 3", "1 / int(x)", "7 // int(x)", "7 % int(x)", "1.5 / float(x)",
    "int(x) ** 2", "int(x) ** -1", "2 ** int(x)", "2.0 ** int(x)", "float(x) ** 2", "float(x) ** -1", "float(x) ** 0.5",
    "divmod(int(x), 3)", "round(float(x), 1)", "int(x / 0)", "paddle.to_tensor([7, -7]) // int(x)",
    "paddle.to_tensor([7, -7]) / int(x)", "paddle.to_tensor([7.0, -7.0]) ** int(x)", "str(int(x))", "repr(float(x))",
    "f'{float(x):.2f}'", "'{} of'.format(int(x))", "{3: 1, 0: 2, -2: 5}[int(x)]", "halved(x)",
]


def halved(x):
    n = int(x)
    n //= 2
    m = 12.0
    m /= n
    return m


def outcome(f, x):
    try:
        found = f(x)
    except (ArithmeticError, LookupError, ValueError) as error:
        return type(error)
    return found


@pytest.mark.filterwarnings("ignore::kayax.bridge.errors.FallbackWarning")
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_as_in_python(text, tmp_path):
    file = tmp_path / "written.py"
    file.write_text(f"def f(x):\n    return {text}\n")
    scope = {"paddle": paddle, "halved": halved}
    exec(compile(file.read_text(), str(file), "exec"), scope)
    static = to_static(scope["f"])
    for value in (3.0, -2.5, 0.0):
        x = paddle.to_tensor(value)
        wanted, found = outcome(scope["f"], x), outcome(static, x)
        if isinstance(wanted, (str, type)):
            assert found == wanted
        else:
            wanted, found = (v.numpy() if isinstance(v, paddle.Tensor) else v for v in (wanted, found))
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
