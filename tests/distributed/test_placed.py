"""Tensors and Layers placed on meshes: values are those of the whole, placements are kept, gradients go through."""
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import kayax as paddle
import kayax.distributed as dist
from kayax import nn


def test_a_mesh_as_in_paddle():
    mesh = dist.ProcessMesh([[2, 4, 5], [0, 1, 3]], dim_names=["x", "y"])
    assert repr(mesh) == "{shape: [2,3], process_ids: [2,4,5,0,1,3], dim_names: [x,y]}"
    assert (mesh.shape, mesh.ndim, mesh.process_ids, mesh.get_dim_size("y")) == ([2, 3], 2, [2, 4, 5, 0, 1, 3], 3)
    assert mesh.get_rank_by_dim_and_process_id("x", 3) == 1 and mesh.get_rank_by_dim_and_process_id("x", 9) == -1
    assert mesh[0] == dist.ProcessMesh([2, 4, 5]) and mesh[0].dim_names == ["y"]
    assert mesh[:, 1].process_ids == [4, 1] and mesh[:, 1].dim_names == ["x"]
    assert mesh["y"].process_ids == [0, 1, 3] and mesh["x"].process_ids == [2, 0]
    assert mesh.get_mesh_with_dim("y", 1).process_ids == [4, 1]
    dist.set_mesh(mesh)
    assert dist.get_mesh() is mesh
    dist.set_mesh(None)
    for wrong, error in (([0, 0], AssertionError), ("ab", ValueError), ([-1], AssertionError)):
        with pytest.raises(error):
            dist.ProcessMesh(wrong)


def test_a_placed_tensor_keeps_values_and_placements():
    mesh = dist.ProcessMesh([0, 1], dim_names=["x"])
    x = dist.shard_tensor([[1.0, 2.0], [3.0, 4.0]], mesh, [dist.Shard(0)], stop_gradient=False)
    assert x.is_dist() and x.process_mesh == mesh and x.placements == [dist.Shard(0)] and x.num_shard == 2
    assert repr(x.placements) == "[Shard(dim=0)]" and not paddle.ones([1]).is_dist()
    moved = dist.reshard(x * 2, mesh, [dist.Replicate()])
    assert moved.placements == [dist.Replicate()] and moved.placements[0].is_replicated()
    dist.unshard_dtensor(moved).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 2), 2.0))
    weight = dist.shard_tensor(nn.Linear(2, 2).weight, mesh, [dist.Shard(1)])
    assert isinstance(weight, paddle.nn.Parameter) and not weight.stop_gradient
    made = dist.dtensor_from_fn(paddle.ones, mesh, [dist.Partial()], [2])
    assert made.placements[0].is_partial() and made.numpy().tolist() == [1, 1]
    with pytest.raises(TypeError, match="ProcessMesh"):
        dist.shard_tensor(x, [0, 1], [dist.Shard(0)])
    with pytest.raises(ValueError, match="placements"):
        dist.reshard(x, mesh, dist.Shard(0))


def test_a_placed_layer_trains():
    mesh = dist.ProcessMesh([0, 1], dim_names=["x"])

    def halves(name, layer, mesh):
        if isinstance(layer, nn.Linear):
            layer.weight = dist.shard_tensor(layer.weight, mesh, [dist.Shard(1)])

    seen = []
    net = dist.shard_layer(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1D(4)), mesh, halves,
                           input_fn=lambda inputs, mesh: seen.append(mesh))
    assert net[0].weight.placements == [dist.Shard(1)] and net[0].bias.placements == [dist.Replicate()]
    assert net[1]._mean.is_dist() and next(iter(net.state_dict())) == "0.weight"
    sgd = dist.shard_optimizer(paddle.optimizer.SGD(0.1, net.parameters()), dist.ShardingStage1("x", mesh))
    before = net[0].weight.numpy()
    for batch in dist.shard_dataloader([[paddle.rand([3, 2])]], mesh, shard_dims="x"):
        assert batch[0].placements == [dist.Shard(0)]
        (net(batch[0]) ** 3).sum().backward()
    sgd.step()
    assert seen == [mesh] and not np.array_equal(before, net[0].weight.numpy())


def test_streams_have_their_own_signatures():
    x, out = paddle.ones([2]), []
    assert dist.stream.all_reduce(x, use_calc_stream=True).wait()
    from kayax.distributed.communication import stream
    stream.all_gather(out, x, sync_op=False)
    assert out[0].numpy().tolist() == [1, 1]
    dist.stream.scatter(x, paddle.zeros([2]))
    assert x.numpy().tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="sync_op"):
        dist.stream.broadcast(x, 0, sync_op=False, use_calc_stream=True)


@pytest.mark.slow
def test_arrays_are_divided_over_devices():
    """In a process of its own, which has four devices."""
    script = textwrap.dedent("""
        import numpy as np, kayax as paddle, kayax.distributed as dist
        mesh = dist.ProcessMesh([[0, 1], [2, 3]], dim_names=["data", "model"])
        value = np.arange(24, dtype="float32").reshape(4, 6)
        x = dist.shard_tensor(value, mesh, [dist.Shard(0), dist.Shard(1)])
        assert {s.data.shape for s in x.array.addressable_shards} == {(2, 3)}
        net = paddle.nn.Linear(6, 2)
        wanted = net(paddle.to_tensor(value)).numpy()
        dist.shard_layer(net, mesh, lambda n, l, m: setattr(
            l, "weight", dist.shard_tensor(l.weight, m, [dist.Replicate(), dist.Shard(1)])))
        adam = dist.shard_optimizer(paddle.optimizer.Adam(0.1, parameters=net.parameters()))
        for run in (net, paddle.jit.to_static(net)):
            y = run(x)
            np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-5)
        y.sum().backward()
        adam.step()
        assert len(net.weight.array.sharding.device_set) == 4
        whole = dist.unshard_dtensor(dist.reshard(x, mesh, [dist.Replicate(), dist.Replicate()]))
        assert whole.array.sharding.is_fully_replicated and not whole.is_dist() and (whole.numpy() == value).all()
    """)
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
