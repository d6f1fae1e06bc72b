"""DataLoader, read in this process and by workers: the same batches, in the same order, as in Paddle 3.3.1."""
import collections
import random
import threading

import ml_dtypes
import numpy as np
import pytest

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor
from kayax.io.dataset import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset
from kayax.io.loader import DataLoader
from kayax.io.sampler import BatchSampler
from kayax.io.worker import get_worker_info

BOTH = pytest.mark.parametrize("num_workers", [0, 2])
Pair = collections.namedtuple("Pair", "x y")


class Made(Dataset):
    """Samples made by a function."""

    def __init__(self, make, length=8):
        self.make, self.length = make, length

    def __getitem__(self, idx):
        return self.make(idx)

    def __len__(self):
        return self.length


class Shards(IterableDataset):
    def __init__(self, *stops):
        self.stops = stops

    def __iter__(self):
        info = get_worker_info()
        if info is None:
            return iter(range(self.stops[-1]))
        return iter(range(self.stops[info.id], self.stops[info.id + 1]))


def lists(loader):
    return [[np.asarray(field).tolist() for field in batch] for batch in loader]


@BOTH
@pytest.mark.parametrize(("make", "dtypes"), [
    (lambda i: i, "int64"), (lambda i: i * 0.5, "float64"), (lambda i: i > 1, "bool"), (lambda i: 1j * i, "complex128"),
    (lambda i: np.float32(i), "float32"), (lambda i: np.int32(i), "int32"), (lambda i: np.zeros(2, "uint8"), "uint8"),
    (lambda i: np.array(2.0), "float64"), (lambda i: np.zeros(2, "float16"), "float16"),
    (lambda i: np.zeros(3000, ml_dtypes.bfloat16), "bfloat16"), (lambda i: to_tensor([1.0, i]), "float32"),
])
def test_dtypes_are_paddles(make, dtypes, num_workers):
    batch = next(iter(DataLoader(Made(make), batch_size=2, num_workers=num_workers)))
    assert isinstance(batch, Tensor)
    assert batch.dtype.name == dtypes
    assert batch.shape == [2, *np.shape(make(0))]
    assert batch.stop_gradient


@BOTH
def test_structures(num_workers):
    def make(i):
        return (np.full((40, 40), i, "float32"), {"a": i, "b": [np.ones(3, "int32"), f"s{i}"]}, Pair(i, (i, 2.0)))

    batch = next(iter(DataLoader(Made(make), batch_size=2, num_workers=num_workers)))
    image, mapping, pair = batch
    assert type(batch) is list
    np.testing.assert_array_equal(image.numpy(), np.stack([make(0)[0], make(1)[0]]))
    assert mapping["a"].numpy().tolist() == [0, 1]
    assert mapping["b"][0].shape == [2, 3]
    assert mapping["b"][1] == ["s0", "s1"]
    assert pair[1][0].numpy().tolist() == [0, 1]


@BOTH
def test_without_batching_samples_come_as_they_are(num_workers):
    loader = DataLoader(Made(lambda i: (np.full(2, i), i, f"s{i}")), batch_size=None, num_workers=num_workers)
    assert len(loader) == 8
    samples = list(loader)
    assert [sample[1:] for sample in samples] == [[i, f"s{i}"] for i in range(8)]
    assert samples[3][0].numpy().tolist() == [3, 3]
    stream = DataLoader(Shards(0, 2, 5), batch_size=None, num_workers=num_workers)
    assert list(stream) == ([0, 2, 1, 3, 4] if num_workers else [0, 1, 2, 3, 4])


@BOTH
def test_a_collate_fn_makes_the_batches(num_workers):
    loader = DataLoader(Made(lambda i: i), batch_size=3, num_workers=num_workers,
                        collate_fn=lambda samples: Pair(np.array(samples) * 10, len(samples)))
    batches = list(loader)
    assert [batch.y for batch in batches] == [3, 3, 2]
    assert batches[1].x.numpy().tolist() == [30, 40, 50]


def test_an_array_that_a_collate_fn_keeps_is_copied():
    kept = np.zeros(4096, "float32")
    first = next(iter(DataLoader(Made(lambda i: i), collate_fn=lambda samples: kept)))
    kept[:] = 1
    assert not first.numpy().any()


# Recorded from Paddle 3.3.1: DataLoader(batch_size=4, shuffle=True) after numpy.random.seed(7); random.seed(3), of the
# samples (i, numpy.random.randint(0, 1000), random.randint(0, 1000)), two epochs.
PADDLE = {
    0: [[[[8, 5, 0, 2], [366, 554, 730, 904], [243, 606, 557, 133]],
         [[1, 9, 7, 3], [167, 998, 68, 432], [378, 937, 618, 485]], [[6, 4], [895, 391], [640, 594]]],
        [[[8, 5, 1, 9], [152, 183, 949, 112], [67, 620, 13, 930]],
         [[4, 3, 6, 2], [763, 189, 960, 290], [857, 480, 265, 564]], [[7, 0], [312, 201], [239, 196]]]],
    2: [[[[8, 5, 0, 2], [828, 156, 28, 70], [951, 952, 104, 418]],
         [[1, 4, 7, 3], [739, 565, 983, 660], [570, 601, 472, 493]], [[6, 9], [39, 721], [979, 78]]],
        [[[1, 3, 2, 5], [526, 93, 223, 212], [433, 320, 322, 888]],
         [[9, 0, 4, 6], [377, 863, 785, 608], [38, 779, 810, 838]], [[7, 8], [251, 274], [85, 71]]]],
}


@BOTH
def test_orders_and_random_numbers_are_paddles(num_workers):
    def make(i):
        return i, np.random.randint(0, 1000), random.randint(0, 1000)

    np.random.seed(7)
    random.seed(3)
    loader = DataLoader(Made(make, 10), batch_size=4, shuffle=True, num_workers=num_workers)
    assert [lists(loader), lists(loader())] == PADDLE[num_workers]


@BOTH
@pytest.mark.parametrize(("drop_last", "expected"), [
    (False, ([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], [[0, 1], [3, 4], [2], [5, 6], [7, 8], [9]])),
    (True, ([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], [[0, 1], [3, 4], [5, 6], [7, 8]])),
])
def test_iterable_datasets_are_divided(drop_last, expected, num_workers):
    """The batches that Paddle 3.3.1 gives, in its order."""
    loader = DataLoader(Shards(0, 3, 10), batch_size=2, num_workers=num_workers, drop_last=drop_last)
    for _ in range(2):
        assert [batch.numpy().tolist() for batch in loader] == expected[num_workers > 0]
    with pytest.raises(ValueError, match="no length"):
        len(loader)


@BOTH
def test_lengths_and_samplers(num_workers):
    dataset = Made(lambda i: (i,), 10)
    loader = DataLoader(dataset, batch_size=4, num_workers=num_workers, drop_last=True)
    assert len(loader) == len(iter(loader)) == len(list(loader)) == 2
    sampler = BatchSampler(sampler=[3, 1, 2], batch_size=2)
    loader = DataLoader(dataset, batch_sampler=sampler, num_workers=num_workers)
    assert len(loader) == 2
    assert lists(loader) == [[[3, 1]], [[2]]]
    assert lists(DataLoader(dataset, batch_sampler=[["a"], ["b", 3]][1:], num_workers=num_workers)) == [[["b", "3"]]]


@pytest.mark.parametrize("options", [
    {}, {"use_shared_memory": False}, {"use_buffer_reader": False}, {"persistent_workers": True},
    {"prefetch_factor": 5, "reader_buffer_size": 1},
], ids=str)
def test_large_batches_come_whole_and_in_order(options):
    def make(i):
        return np.full((1 + i // 4, 300, 100), i, "float32")        # the batches grow

    loader = DataLoader(Made(make, 24), batch_size=4, num_workers=2, **options)
    for _ in range(2):
        batches = list(loader)
        assert [batch.shape[1] for batch in batches] == [1, 2, 3, 4, 5, 6]
        for number, batch in enumerate(batches):
            np.testing.assert_array_equal(batch.numpy()[:, 0, 0, 0], np.arange(4) + 4 * number)
            assert (batch.numpy() == batch.numpy()[:, :1, :1, :1]).all()


@BOTH
def test_combined_datasets(num_workers):
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    tensors = TensorDataset([to_tensor(x), to_tensor(y)])
    rows = list(DataLoader(tensors, batch_size=4, num_workers=num_workers))
    np.testing.assert_array_equal(np.concatenate([row[0].numpy() for row in rows]), x)
    assert rows[0][1].dtype.name == "int64"
    joined = ConcatDataset([Subset(Made(lambda i: i), [7, 5]), Made(lambda i: -i, 2)])
    assert [b.numpy().tolist() for b in DataLoader(joined, batch_size=3, num_workers=num_workers)] == [[7, 5, 0], [-1]]


def test_a_batch_is_on_the_device_before_it_is_asked_for():
    loader = DataLoader(Made(lambda i: i), num_workers=1, reader_buffer_size=2)
    iterator = iter(loader)
    first = next(iterator)
    reader = iterator._reader
    for _ in range(500):
        if reader.out.qsize() == 2:
            break
        threading.Event().wait(0.01)
    assert reader.out.qsize() == 2
    assert first.item() == 0
    assert [int(batch) for batch in iterator] == [1, 2, 3, 4, 5, 6, 7]


def test_places():
    batch = next(iter(DataLoader(Made(lambda i: i), places="cpu", return_list=False, feed_list=[])))
    assert batch.place.is_cpu_place()


@pytest.mark.parametrize(("arguments", "error", "match"), [
    ({"num_workers": -1}, ValueError, "num_workers"), ({"prefetch_factor": 0}, ValueError, "prefetch_factor"),
    ({"timeout": -1}, ValueError, "timeout"), ({"batch_size": 0}, ValueError, "batch_size"),
    ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "leave out batch_size"),
    ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "leave out batch_size"),
    ({"collate_fn": 3}, TypeError, "collate_fn"), ({"worker_init_fn": "f"}, TypeError, "worker_init_fn"),
    ({"shuffle": 1}, TypeError, "shuffle"),
])
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        DataLoader(Made(lambda i: i), **arguments)
    for refused in ({"shuffle": True}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError, match="IterableDataset"):
            DataLoader(Shards(0, 1), **refused)


@BOTH
@pytest.mark.parametrize(("make", "error", "match"), [
    (lambda i: None, TypeError, "NoneType: give the DataLoader a collate_fn"),
    (lambda i: [1] * (i + 1), RuntimeError, r"numbers of fields: \[1, 2\]"),
    (lambda i: np.zeros(i), ValueError, r"shapes \[\(0,\), \(1,\)\]"),
    (lambda i: next(iter(())), RuntimeError, "raised StopIteration"),
])
def test_samples_that_make_no_batch(make, error, match, num_workers):
    with pytest.raises(error, match=match):
        next(iter(DataLoader(Made(make), batch_size=2, num_workers=num_workers)))
