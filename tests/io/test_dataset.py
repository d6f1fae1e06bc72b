"""Datasets and how they are combined and split."""
import numpy as np
import pytest

from kayax.bridge import rng
from kayax.bridge.convert import to_tensor
from kayax.io.dataset import (
    ChainDataset,
    ComposeDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Numbers(Dataset):
    def __init__(self, start, stop):
        self.values = range(start, stop)

    def __getitem__(self, idx):
        return self.values[idx]

    def __len__(self):
        return len(self.values)


class Stream(IterableDataset):
    def __init__(self, *values):
        self.values = values

    def __iter__(self):
        return iter(self.values)


def test_a_dataset_says_which_method_is_missing():
    with pytest.raises(NotImplementedError, match="Dataset does not define __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="__len__"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(IterableDataset())
    with pytest.raises(RuntimeError, match="no __getitem__"):
        Stream(1)[0]
    with pytest.raises(RuntimeError, match="no length"):
        len(Stream(1))


def test_tensor_dataset_gives_rows():
    x, y = np.arange(12.0).reshape(4, 3), np.arange(4)
    dataset = TensorDataset([to_tensor(x), to_tensor(y)])
    assert len(dataset) == 4
    row, label = TensorDataset([x, y])[2]
    np.testing.assert_array_equal(row, x[2])
    assert label == 2
    with pytest.raises(ValueError, match=r"same first dimension, but got \[4, 3\]"):
        TensorDataset([to_tensor(x), to_tensor(y[:3])])


def test_compose_joins_fields():
    dataset = ComposeDataset([Numbers(0, 3), ComposeDataset([Numbers(5, 8), Numbers(7, 10)])])
    assert [dataset[i] for i in range(len(dataset))] == [(0, 5, 7), (1, 6, 8), (2, 7, 9)]
    with pytest.raises(ValueError, match=r"lengths \[3, 4\]"):
        ComposeDataset([Numbers(0, 3), Numbers(0, 4)])
    with pytest.raises(TypeError, match="number 0 is a Stream"):
        ComposeDataset([Stream(1)])
    with pytest.raises(ValueError, match="at least one"):
        ComposeDataset([])


def test_chain_and_concat():
    assert list(ChainDataset([Stream(1, 2), Stream(), Stream(3)])) == [1, 2, 3]
    with pytest.raises(TypeError, match="IterableDataset"):
        ChainDataset([Numbers(0, 1)])
    joined = ConcatDataset([Numbers(0, 3), Numbers(10, 12)])
    assert [joined[i] for i in range(-5, 5)] == [0, 1, 2, 10, 11] * 2
    assert joined.cumulative_sizes == [3, 5]
    with pytest.raises(ValueError, match="out of range"):
        joined[-6]
    with pytest.raises(IndexError, match="out of range"):
        joined[5]


def test_subset():
    subset = Subset(Numbers(10, 20), [5, 0, 9])
    assert [subset[i] for i in range(len(subset))] == [15, 10, 19]


@pytest.mark.parametrize(("lengths", "sizes"), [([3, 7], [3, 7]), ([0.3, 0.7], [3, 7]), ([0.5, 0.25, 0.25], [6, 2, 2])])
def test_random_split_divides_everything(lengths, sizes):
    parts = random_split(Numbers(0, 10), lengths)
    assert [len(part) for part in parts] == sizes
    assert sorted(part[i] for part in parts for i in range(len(part))) == list(range(10))


def test_random_split_follows_the_seed_or_the_generator():
    def draw(generator=None):
        return [part.indices for part in random_split(Numbers(0, 100), [50, 50], generator)]

    rng.seed(3)
    first = draw()
    second = draw()
    rng.seed(3)
    assert draw() == first != second
    assert draw(np.random.default_rng(1)) == draw(np.random.default_rng(1)) != first


def test_random_split_refuses_wrong_lengths():
    with pytest.raises(ValueError, match=r"length 10 .* got \[3, 6\]"):
        random_split(Numbers(0, 10), [3, 6])
    with pytest.raises(ValueError, match=r"number 0 is 1\.5"):
        random_split(Numbers(0, 10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="number 0 is empty"):
        random_split(Numbers(0, 3), [0.0, 1.0])
