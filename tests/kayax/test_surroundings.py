"""Devices, flags, checks of numbers, and the small functions around the operations."""
from __future__ import annotations

import numpy as np
import pytest

import kayax as paddle
from kayax.amp import debugging


def test_questions_about_devices_are_answered_without_an_accelerator() -> None:
    assert paddle.device.cuda.device_count() == paddle.device.xpu.device_count() == 0
    assert not paddle.cuda.is_available() and paddle.cuda.current_device() == 0
    assert paddle.get_device() == "cpu" and paddle.get_device(paddle.zeros([1])) == -1
    paddle.device.cuda.empty_cache()
    paddle.device.synchronize()
    for ask in (paddle.device.cuda.max_memory_allocated, paddle.device.get_device_properties,
                paddle.device.xpu.memory_used):
        with pytest.raises(ValueError, match="JAX"):
            ask()


def test_streams_and_events_keep_time() -> None:
    first, last, stream = paddle.device.Event(True), paddle.device.Event(True), paddle.device.current_stream()
    first.record(stream)
    with paddle.device.stream_guard(stream):
        paddle.ones([4]).sum()
    stream.record_event(last)
    assert stream.query() and last.query() and first.elapsed_time(last) > 0


def test_places_say_what_they_are() -> None:
    place = paddle.CPUPlace()
    assert not place.is_xpu_place() and not place.is_custom_place() and place.custom_device_type() == ""
    for make in (lambda: paddle.XPUPlace(0), lambda: paddle.CustomPlace("npu", 0)):
        with pytest.raises(ValueError, match="JAX"):
            make()


def test_typed_makers() -> None:
    assert paddle.FloatTensor([1, 2]).dtype == paddle.float32 and paddle.LongTensor(2, 3).shape == [2, 3]
    assert isinstance(paddle.zeros([1], "int64"), paddle.LongTensor)
    assert not isinstance(paddle.zeros([1]), paddle.LongTensor)


def test_nan_is_found_where_it_is_made() -> None:
    try:
        paddle.set_flags({"FLAGS_check_nan_inf": True})
        with pytest.raises(RuntimeError, match="`log`"):
            paddle.log(paddle.to_tensor([-1.0]))
    finally:
        paddle.set_flags({"FLAGS_check_nan_inf": False})
    assert np.isnan(paddle.log(paddle.to_tensor([-1.0])).item())
    with pytest.raises(ValueError, match="FLAGS_nonsense"):
        paddle.set_flags({"FLAGS_nonsense": 1})


def test_check_numerics_counts() -> None:
    stats, values = debugging.check_numerics(paddle.to_tensor([1.0, 0.0, 2.0]), "op", "x")
    assert stats.tolist() == [0, 0, 1] and values.tolist() == [2.0, 0.0, 1.0]
    with pytest.raises(RuntimeError, match="1 nan"):
        debugging.check_numerics(paddle.to_tensor([float("nan")]), "op", "x")


def test_operator_statistics_are_printed(capsys) -> None:
    with debugging.collect_operator_stats():
        paddle.ones([2], "float32") + paddle.ones([2], "float32")
    printed = capsys.readouterr().out
    assert "add" in printed and "op count: 2" in printed


def test_a_lazy_parameter_gets_its_value_when_it_is_used() -> None:
    with paddle.LazyGuard():
        layer = paddle.nn.Linear(3, 2)
    assert layer.weight.name.endswith(".w_0") and not layer.weight.stop_gradient
    layer(paddle.ones([1, 3])).sum().backward()
    assert layer.weight.shape == layer.weight.grad.shape == [3, 2]
    layer.bias.initialize()


def test_versions() -> None:
    paddle.utils.require_version("2.0", "3.9")
    with pytest.raises(Exception, match=r"3\.3\.1"):
        paddle.utils.require_version("4.0")
    with pytest.raises(ValueError, match="numbers"):
        paddle.utils.require_version("two")
    with pytest.raises(ImportError, match="pip install"):
        paddle.utils.try_import("no_such_module_anywhere")


def test_reader_in_batches() -> None:
    reader = paddle.batch(lambda: iter(range(5)), 2)
    assert list(reader()) == [[0, 1], [2, 3], [4]]
    assert len(list(paddle.batch(lambda: iter(range(5)), 2, drop_last=True)())) == 2


def test_parts_of_a_file(tmp_path) -> None:
    np.arange(6, dtype="float32").tofile(tmp_path / "data")
    stored = paddle.MmapStorage(str(tmp_path / "data"), 24)
    assert stored.get_slice("float32", 1, 6, 2).tolist() == [1.0, 3.0, 5.0]


def test_pytorch_forms() -> None:
    x = paddle.to_tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 1.0]])
    assert paddle.compat.max(x).item() == 5.0 and paddle.compat.max(x, 1).indices.tolist() == [0, 1]
    assert paddle.compat.min(x, x.flip(0)).tolist() == [[1.0, 1.0, 1.0]] * 2
    assert paddle.compat.sort(x, descending=True).values.tolist()[0] == [3.0, 2.0, 1.0]
    assert [p.shape for p in paddle.compat.split(x, 2, 1)] == [[2, 2], [2, 1]]
    assert paddle.compat.median(x, 1).values.tolist() == [2.0, 1.0]
    assert not paddle.compat.equal(paddle.to_tensor([1]), paddle.to_tensor([1.5]))
    with pytest.raises(TypeError, match=r"compat\.max takes"):
        paddle.compat.max(x, axis=1)


def test_pytorch_layers() -> None:
    nn, x = paddle.compat.nn, paddle.to_tensor(np.random.RandomState(0).standard_normal((1, 2, 4, 4)).astype("float32"))
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    for mode, numpy_mode in modes.items():
        want = np.pad(x.numpy(), [(0, 0), (0, 0), (0, 1), (1, 2)], mode=numpy_mode)
        np.testing.assert_array_equal(nn.functional.pad(x, [1, 2, 0, 1], mode).numpy(), want)
    swapped = [0, 2, 1, 3]
    attended = paddle.nn.functional.scaled_dot_product_attention(*[x.transpose(swapped)] * 3).transpose(swapped)
    np.testing.assert_allclose(nn.functional.scaled_dot_product_attention(x, x, x).numpy(), attended.numpy(), rtol=1e-6)
    linear = nn.Linear(4, 3)
    np.testing.assert_allclose(linear(x).numpy(), x.numpy() @ linear.weight.numpy().T + linear.bias.numpy(), rtol=1e-5)
    assert float(linear.weight.abs().max()) <= 0.5
    counted, left_out = (nn.AvgPool2D(2, padding=1, count_include_pad=c)(x)[0, 0, 0, 0].item() for c in (True, False))
    np.testing.assert_allclose([counted, left_out], [x[0, 0, 0, 0].item() / 4, x[0, 0, 0, 0].item()], rtol=1e-6)
    with pytest.raises(ValueError, match="pairs"):
        nn.functional.pad(x, [1])
