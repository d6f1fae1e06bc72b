"""Samplers. The orders are those of Paddle 3.3.1 with the same seeds."""
import numpy as np
import pytest

from kayax.bridge import rng
from kayax.bridge.convert import to_tensor
from kayax.io.dataset import IterableDataset
from kayax.io.sampler import (
    BatchSampler,
    DistributedBatchSampler,
    RandomSampler,
    Sampler,
    SequenceSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def test_sequence_and_base():
    assert list(SequenceSampler("abc")) == [0, 1, 2]
    assert len(SequenceSampler("abc")) == 3
    with pytest.raises(NotImplementedError, match="Mine does not define __iter__"):
        iter(type("Mine", (Sampler,), {})())


def test_random_sampler_draws_from_numpys_global_state():
    np.random.seed(7)
    drawn = list(RandomSampler(range(10)))
    np.random.seed(7)
    assert drawn == np.random.choice(np.arange(10), 10, replace=False).tolist() == [8, 5, 0, 2, 1, 9, 7, 3, 6, 4]
    assert len(RandomSampler(range(3), replacement=True, num_samples=50)) == 50
    assert set(RandomSampler(range(3), replacement=True, num_samples=50)) <= {0, 1, 2}


def test_random_sampler_generators():
    assert list(RandomSampler(range(10), num_samples=4, generator=iter([3, 1]))) == [3, 1]
    assert list(RandomSampler(range(10), num_samples=2, generator=iter([3, 1, 2]))) == [3, 1]
    first, second = (list(RandomSampler(range(10), generator=np.random.default_rng(5))) for _ in range(2))
    assert first == second
    assert sorted(first) == list(range(10))


def test_random_sampler_errors():
    with pytest.raises(TypeError, match="replacement"):
        RandomSampler(range(3), replacement=1)
    with pytest.raises(ValueError, match="num_samples=4 from a data_source of length 3"):
        RandomSampler(range(3), num_samples=4)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="positive integer"):
            RandomSampler(range(3), num_samples=bad)


def test_weighted_sampler():
    sampler = WeightedRandomSampler([0.0, 1.0, 0.0, 3.0], 200)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 200
    assert set(drawn) == {1, 3}
    assert drawn.count(3) > drawn.count(1)
    np.random.seed(1)
    drawn = list(WeightedRandomSampler(to_tensor([0.1, 0.9, 0.3]), 5))
    np.random.seed(1)
    weights = np.array([0.1, 0.9, 0.3], "float32").astype("float64")
    assert drawn == np.random.choice(3, 5, True, weights / weights.sum()).tolist()
    rows = WeightedRandomSampler(np.array([[1.0, 0, 0], [0, 0, 1.0]]), 3)
    assert list(rows) == [0, 0, 0, 2, 2, 2]
    assert len(rows) == 6


@pytest.mark.parametrize(("weights", "match"), [
    ([1.0, -1.0], "not negative"), ([1.0, np.nan], "finite"), ([0.0, 0.0], "at least 1 positive"),
    (np.ones((1, 1, 1)), "1 or 2 dim"),
])
def test_weighted_sampler_refuses(weights, match):
    with pytest.raises(ValueError, match=match):
        iter(WeightedRandomSampler(weights, 2))


def test_weighted_sampler_arguments():
    with pytest.raises(ValueError, match="at least 3 positive weights, but got 2"):
        iter(WeightedRandomSampler([1.0, 1.0], 3, replacement=False))
    with pytest.raises(ValueError, match="num_samples"):
        WeightedRandomSampler([1.0], 0)
    with pytest.raises(ValueError, match="replacement"):
        WeightedRandomSampler([1.0], 1, 1)


def test_subset_random_sampler():
    rng.seed(0)
    drawn = list(SubsetRandomSampler([5, 6, 9, 11]))
    assert sorted(drawn) == [5, 6, 9, 11]
    rng.seed(0)
    assert list(SubsetRandomSampler([5, 6, 9, 11])) == drawn
    with pytest.raises(ValueError, match="at least one"):
        SubsetRandomSampler([])


def test_batch_sampler():
    assert list(BatchSampler(range(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), batch_size=2)) == 3
    assert len(BatchSampler(range(5), batch_size=2, drop_last=True)) == 2
    assert list(BatchSampler(sampler=[4, 4, 2], batch_size=2)) == [[4, 4], [2]]
    assert sorted(i for batch in BatchSampler(range(5), shuffle=True, batch_size=2) for i in batch) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("arguments", "error", "match"), [
    ({}, ValueError, "neither"), ({"dataset": [1], "sampler": [0]}, ValueError, "both"),
    ({"dataset": IterableDataset()}, TypeError, "IterableDataset"),
    ({"sampler": [0], "shuffle": True}, ValueError, "shuffle=False"), ({"sampler": 3}, TypeError, "iterable"),
    ({"dataset": [1], "batch_size": 0}, ValueError, "positive integer"),
    ({"dataset": [1], "shuffle": 1}, TypeError, "shuffle"),
    ({"dataset": [1], "drop_last": None}, TypeError, "drop_last"),
])
def test_batch_sampler_refuses(arguments, error, match):
    with pytest.raises(error, match=match):
        BatchSampler(**arguments)


# Recorded from Paddle 3.3.1: (samples, batch_size, nranks, shuffle, drop_last) -> the batches of each rank.
DISTRIBUTED = {
    (10, 2, 2, False, False): [[[0, 1], [4, 5], [8]], [[2, 3], [6, 7], [9]]],
    (10, 3, 2, False, True): [[[0, 1, 2]], [[3, 4, 5]]],
    (11, 2, 3, True, False): [[[9, 5], [0, 3]], [[4, 7], [2, 6]], [[1, 10], [0, 8]]],
    (3, 2, 4, False, False): [[[0]], [[1]], [[2]], [[0]]],
    (17, 4, 2, True, True): [[[9, 4, 16, 0], [12, 7, 14, 2]], [[10, 5, 3, 1], [11, 6, 0, 13]]],
}


@pytest.mark.parametrize("case", DISTRIBUTED, ids=str)
def test_distributed_batches_are_paddles(case):
    n, batch_size, nranks, shuffle, drop_last = case
    for rank, expected in enumerate(DISTRIBUTED[case]):
        sampler = DistributedBatchSampler(range(n), batch_size, nranks, rank, shuffle, drop_last)
        sampler.set_epoch(2)
        assert list(sampler) == expected
        assert len(sampler) == len(expected)


def test_distributed_defaults_and_errors(monkeypatch):
    assert list(DistributedBatchSampler(range(4), 3)) == [[0, 1, 2], [3]]
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    assert list(DistributedBatchSampler(range(4), 3)) == [[2, 3]]
    with pytest.raises(ValueError, match="rank < num_replicas"):
        DistributedBatchSampler(range(4), 1, num_replicas=2, rank=2)
    with pytest.raises(ValueError, match="num_replicas"):
        DistributedBatchSampler(range(4), 1, num_replicas=0)


def test_distributed_shuffling_changes_with_the_epoch_alone():
    sampler = DistributedBatchSampler(range(20), 4, 1, 0, shuffle=True)
    first, second = list(sampler), list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first != second
