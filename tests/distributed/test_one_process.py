"""Scripts for many processes, run in one: what they ask and call works, and what cannot says what to do."""
import numpy as np
import pytest

import kayax as paddle
import kayax.distributed as dist
from kayax import nn
from kayax.distributed import fleet


@pytest.fixture(autouse=True)
def forgotten():
    yield
    dist.destroy_process_group()


def test_where_a_process_stands(monkeypatch):
    env = dist.ParallelEnv()
    assert (dist.get_rank(), dist.get_world_size(), env.rank, env.world_size, env.local_rank, env.nranks) == (
        0, 1, 0, 1, 0, 1)
    assert dist.is_available() and not dist.is_initialized()
    group = dist.init_parallel_env()
    assert dist.is_initialized() and dist.get_group() is group and group.nranks == 1
    assert dist.get_world_size(dist.new_group([0])) == 1
    with pytest.raises(ValueError, match="ranks from 0 to 0"):
        dist.new_group([0, 1])


def test_collectives_give_this_processs_value():
    x = paddle.to_tensor([1.0, 2.0])
    for call in (lambda: dist.all_reduce(x), lambda: dist.broadcast(x, 0), lambda: dist.reduce(x, 0)):
        assert call().wait()
    np.testing.assert_array_equal(x.numpy(), [1, 2])
    gathered, into, objects = [], paddle.zeros([2]), []
    dist.all_gather(gathered, x)
    dist.all_gather(into, x)
    dist.all_gather_object(objects, {"a": 1})
    assert len(gathered) == 1 and objects == [{"a": 1}]
    for found in (gathered[0], into):
        np.testing.assert_array_equal(found.numpy(), x.numpy())
    for call in (dist.scatter, dist.reduce_scatter):
        part = paddle.zeros([2])
        call(part, [x])
        np.testing.assert_array_equal(part.numpy(), x.numpy())
    received = []
    dist.alltoall(received, [x])
    np.testing.assert_array_equal(received[0].numpy(), x.numpy())
    dist.barrier()
    with pytest.raises(ValueError, match="one entry for each process"):
        dist.scatter(paddle.zeros([2]), [x, x])
    with pytest.raises(ValueError, match="process 1"):
        dist.broadcast(x, 1)


def test_several_processes_are_not_taken_for_one(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    assert (dist.get_rank(), dist.get_world_size()) == (1, 2)
    for call in (dist.init_parallel_env, lambda: dist.all_reduce(paddle.ones([1])), fleet.init,
                 lambda: paddle.DataParallel(nn.Linear(1, 1))):
        with pytest.raises(RuntimeError, match="single process"):
            call()


def test_data_parallel_is_the_network():
    net = nn.Linear(2, 3)
    wrapped = paddle.DataParallel(net)
    assert list(wrapped.state_dict()) == ["weight", "bias"] and wrapped._layers is net
    assert repr(wrapped) == "DataParallel(\n  (_layers): Linear(in_features=2, out_features=3, dtype=float32)\n)"
    with wrapped.no_sync():
        np.testing.assert_array_equal(wrapped(paddle.ones([1, 2])).numpy(), net(paddle.ones([1, 2])).numpy())


def test_fleet_with_one_worker():
    strategy = fleet.DistributedStrategy()
    strategy.amp = True
    strategy.hybrid_configs = {"dp_degree": 1, "mp_degree": 1}
    assert strategy.hybrid_configs["pp_degree"] == 1 and "amp=True" in repr(strategy)
    fleet.init(is_collective=True, strategy=strategy)
    assert (fleet.worker_index(), fleet.worker_num(), fleet.is_first_worker()) == (0, 1, True)
    assert fleet.get_hybrid_communicate_group().get_model_parallel_world_size() == 1
    net = nn.Linear(2, 2)
    assert fleet.distributed_model(net) is net
    optimizer = paddle.optimizer.SGD(parameters=net.parameters())
    assert fleet.distributed_optimizer(optimizer) is optimizer
    assert fleet.UtilBase().get_file_shard(["a", "b"]) == ["a", "b"]
    strategy.hybrid_configs = {"mp_degree": 2}
    with pytest.raises(RuntimeError, match="needs 2 processes"):
        fleet.init(strategy=strategy)
    with pytest.raises(AttributeError, match="no option"):
        strategy.nothing = 1


def test_the_grid_of_processes():
    grid = fleet.CommunicateTopology(["data", "pipe", "model"], [2, 2, 2])
    assert grid.world_size() == 8 and grid.get_rank(data=1, pipe=0, model=1) == 5
    assert tuple(grid.get_coord(6)) == (1, 1, 0)
    assert grid.get_axis_list("model", 1) == [1, 3, 5, 7]
    assert grid.get_comm_list("pipe") == [[0, 2], [1, 3], [4, 6], [5, 7]]


def test_spawn_runs_here():
    seen = []
    dist.spawn(seen.append, args=(3,)).join()
    dist.spawn(seen.append, args=(4,), nprocs=1)
    assert seen == [3, 4]
    with pytest.raises(RuntimeError, match="2 processes"):
        dist.spawn(seen.append, nprocs=2)


def test_absent_names_can_be_imported_and_say_what_to_do():
    from kayax.distributed import Strategy, split
    from kayax.distributed.rpc import init_rpc
    for call in (lambda: split(1, None, None), lambda: Strategy(), lambda: fleet.MultiSlotDataGenerator()):
        with pytest.raises(NotImplementedError, match=r"is not available\. "):
            call()
    with pytest.raises(NotImplementedError, match=r"paddle\.distributed\.rpc\.init_rpc"):
        init_rpc("a")
    with pytest.raises(NotImplementedError, match="shard_tensor"):
        class Mine(Strategy):
            pass
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dist.nothing


def test_sharded_models_are_saved_whole(tmp_path):
    net = nn.Linear(2, 2)
    optimizer = paddle.optimizer.SGD(parameters=net.parameters())
    model, _, _ = dist.sharding.group_sharded_parallel(net, optimizer, "p_g_os")
    dist.sharding.save_group_sharded_model(model, str(tmp_path / "out"), optimizer)
    np.testing.assert_array_equal(paddle.load(str(tmp_path / "out" / "model.pdmodel"))["weight"].numpy(),
                                  net.weight.numpy())


def test_local_files(tmp_path):
    files = fleet.utils.LocalFS()
    folder = str(tmp_path / "a" / "b")
    files.mkdirs(folder)
    files.touch(folder + "/x")
    assert files.ls_dir(folder) == ([], ["x"]) and files.is_file(folder + "/x")
    files.mv(folder + "/x", folder + "/y")
    with pytest.raises(FileExistsError):
        files.touch(folder + "/y", exist_ok=False)
    files.delete(folder)
    assert not files.is_exist(folder)


def test_divided_layers_are_whole():
    from kayax.distributed.fleet.meta_parallel.parallel_layers.random import get_rng_state_tracker
    mp = fleet.meta_parallel
    assert mp.ColumnParallelLinear(2, 3).bias is None and mp.RowParallelLinear(2, 3).bias.shape == [3]
    assert mp.VocabParallelEmbedding(5, 2)(paddle.to_tensor([1])).shape == [1, 2]
    scores, labels = paddle.to_tensor([[1.0, 2.0]]), paddle.to_tensor([1])
    np.testing.assert_allclose(mp.ParallelCrossEntropy()(scores, labels).numpy(),
                               [[nn.functional.cross_entropy(scores, labels).item()]], rtol=1e-6)
    tracker = get_rng_state_tracker()
    mp.model_parallel_random_seed(7)
    with tracker.rng_state("model_parallel_rng"):
        inside = paddle.rand([2]).numpy()
    outside = paddle.rand([2]).numpy()
    mp.model_parallel_random_seed(7)
    np.testing.assert_array_equal(paddle.rand([2]).numpy(), outside)
    with tracker.rng_state("model_parallel_rng"):
        np.testing.assert_array_equal(paddle.rand([2]).numpy(), inside)
    with pytest.raises(ValueError, match="no random state"), tracker.rng_state("other"):
        pass


def test_a_pipeline_runs_its_layers_in_turn():
    mp = fleet.meta_parallel
    shared = lambda forward=None: mp.SharedLayerDesc("table", nn.Linear, forward, "weight", 2, 2)       # noqa: E731
    x, losses = paddle.to_tensor([[1.0, -1.0]]), []
    for interval in (0, 2):
        paddle.seed(1)
        pipe = mp.PipelineLayer([shared(), mp.LayerDesc(nn.Tanh), lambda x: x * 2, nn.Linear(2, 2),
                                 shared(lambda layer, x: x @ layer.weight.t())],
                                loss_fn=lambda out, y: ((out - y) ** 2).mean(), recompute_interval=interval)
        names = ["shared_layers.table.weight", "shared_layers.table.bias", "3.weight", "3.bias"]
        assert list(pipe.state_dict()) == names
        table, last = pipe.shared_layers["table"], pipe.run_function[3]
        wanted = last(paddle.tanh(table(x)) * 2) @ table.weight.t()
        np.testing.assert_allclose(pipe(x).numpy(), wanted.numpy(), rtol=1e-6)
        sgd = paddle.optimizer.SGD(0.01, parameters=pipe.parameters())
        losses.append([float(pipe.train_batch([x, paddle.zeros([1, 2])], sgd)) for _ in range(2)])
    assert losses[0] == losses[1] and losses[0][1] < losses[0][0]
    with pytest.raises(RuntimeError, match="2 stages"):
        mp.PipelineLayer([nn.Tanh()], num_stages=2)
