"""Devices: names, places, moving tensors, and eight host devices."""
import subprocess
import sys
import textwrap

import pytest

import kayax as paddle


@pytest.fixture(autouse=True)
def on_the_host():
    yield
    paddle.set_device("cpu")


def test_set_device():
    place = paddle.set_device("cpu")
    assert place == paddle.CPUPlace() and paddle.get_device() == "cpu"
    assert paddle.ones([1]).place == paddle.CPUPlace()


@pytest.mark.parametrize("name", ["gpu:99", "tpu"])
def test_devices_that_are_not_here(name):
    with pytest.raises(ValueError, match="not here"):
        paddle.set_device(name)


@pytest.mark.parametrize("name", ["abacus", "gpu:x", "cpu:0:1", ""])
def test_unknown_devices(name):
    with pytest.raises(ValueError, match="must be 'cpu'"):
        paddle.set_device(name)
    with pytest.raises(TypeError, match="device"):
        paddle.set_device(3)


def test_places():
    assert repr(paddle.CPUPlace()) == "Place(cpu)" and repr(paddle.CUDAPlace(1)) == "Place(gpu:1)"
    assert paddle.CUDAPlace(1) == paddle.CUDAPlace(1) != paddle.CUDAPlace(0)
    assert len({paddle.CPUPlace(), paddle.CPUPlace()}) == 1
    assert paddle.CUDAPlace(1).get_device_id() == 1 and paddle.CPUPlace().is_cpu_place()


def test_to():
    x = paddle.to_tensor([1.5], stop_gradient=False)
    assert x.to("float64").dtype == paddle.float64
    assert x.to("cpu").place == paddle.CPUPlace()
    assert x.to(paddle.CPUPlace(), "int32").dtype == paddle.int32
    other = paddle.ones([1], "float64")
    assert x.to(other).dtype == paddle.float64
    x.to("float64").backward()
    assert x.grad.dtype == paddle.float32


def test_eight_host_devices():
    script = textwrap.dedent("""
        import os
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"
        import jax, numpy as np, kayax as paddle
        assert len(jax.devices()) == 8
        place = paddle.set_device("cpu:3")
        assert paddle.get_device() in ("cpu", "cpu:3")
        x = paddle.ones([2], "float32")
        assert x.array.devices() == {jax.devices()[3]}, x.array.devices()
        assert x.place == place, (x.place, place)
        net = paddle.jit.to_static(paddle.nn.Linear(2, 2))
        y = net(x)
        y.sum().backward()
        assert y.array.devices() == {jax.devices()[3]} == net.weight.grad.array.devices()
        z = x.to("cpu:1")
        assert z.array.devices() == {jax.devices()[1]}
        try:
            x + z
        except ValueError as error:
            assert "device" in str(error), error
        net.to("cpu:1")
        assert net(z).array.devices() == {jax.devices()[1]}
        print("fine")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "fine", done.stderr
