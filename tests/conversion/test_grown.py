"""`jit.loop_bound`, and lists of staged length in saved programs."""
import pytest

import kayax as paddle
from kayax.bridge.errors import ConversionError
from kayax.static import InputSpec


@pytest.mark.parametrize("n", [-1, 1.5, True, None])
def test_a_bound_is_a_whole_number(n):
    with pytest.raises(TypeError, match="loop_bound takes a Python int"):
        paddle.jit.loop_bound(n)


def test_bounds_hold_inside_of_their_block():
    @paddle.jit.to_static(full_graph=True)
    def count(n, x):
        items = []
        with paddle.jit.loop_bound(3):
            with paddle.jit.loop_bound(1):
                pass
            for _ in range(n):
                x = x + 1.0
                items.append(x)
        for _ in range(n):
            x = x + 1.0
            items.append(x)
        return len(items)

    with pytest.raises(ConversionError, match="loop_bound"):
        count(paddle.to_tensor(2), paddle.ones([1]))


def test_a_saved_program_cannot_return_a_list_of_staged_length(tmp_path):
    def some(x):
        items = [x]
        if x.sum() > 0:
            items.append(x * 2.0)
        return items

    with pytest.raises(ConversionError, match="saved program"):
        paddle.jit.save(paddle.jit.to_static(some, input_spec=[InputSpec([2])]), str(tmp_path / "some"))
