"""Worker processes: scripts without a main guard, exceptions, kills, timeouts, early ends, and nothing left behind."""
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from kayax.io import loader_pool as pool
from kayax.io.dataset import Dataset, IterableDataset
from kayax.io.loader import DataLoader
from kayax.io.worker import get_worker_info


class Made(Dataset):
    """Samples made by a function."""

    def __init__(self, make, length=8):
        self.make, self.length = make, length

    def __getitem__(self, idx):
        return self.make(idx)

    def __len__(self):
        return self.length


class Picky(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
        self.one = one


def run_script(body, tmp_path, expect=0):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(body))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False,
                          cwd=tmp_path, env=environment)
    assert done.returncode == expect, done.stderr
    return done


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


SCRIPT = """
    import random, sys
    import numpy as np
    from kayax.io.dataset import Dataset
    from kayax.io.loader import DataLoader
    from kayax.io.worker import get_worker_info

    print("the script runs")
    SCALE = 3

    class Squares(Dataset):
        def __getitem__(self, i):
            return np.full((100, 100), scaled(i), "float32"), "jax" in sys.modules
        def __len__(self):
            return 6

    def scaled(i):
        return SCALE * i

    def show(worker_id):
        sys.stdout.write(f"worker {worker_id} {get_worker_info().num_workers}\\n")

    for epoch in range(2):
        loader = DataLoader(Squares(), batch_size=2, num_workers=2, worker_init_fn=show)
        for batch_id, (x, heavy) in enumerate(loader()):
            sys.stdout.write(f"{epoch} {batch_id} {list(x.shape)} {x.numpy()[1, 5, 5]} {heavy.numpy().any()}\\n")
            sys.stdout.flush()
"""


def test_a_script_without_main_guard(tmp_path):
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    lines = run_script(SCRIPT, tmp_path).stdout.splitlines()
    assert lines.count("the script runs") == 1
    assert lines.count("worker 0 2") == lines.count("worker 1 2") == 2
    for epoch in range(2):
        for batch in range(3):              # and the workers got by without importing JAX
            assert f"{epoch} {batch} [2, 100, 100] {3.0 * (2 * batch + 1)} False" in lines
    if before:
        assert not {name for name in set(os.listdir("/dev/shm")) - before if "kayax" in name or "psm" in name}


def test_a_dataset_in_a_module_of_its_own(tmp_path):
    (tmp_path / "my_data.py").write_text(textwrap.dedent("""
        import sys
        import kayax as paddle

        class Halves(paddle.io.IterableDataset):
            def __iter__(self):
                half = paddle.io.get_worker_info().id
                return iter([(half, "jax" in sys.modules)] * 2)
    """))
    done = run_script("""
        import kayax as paddle
        from my_data import Halves

        for half, heavy in paddle.io.DataLoader(Halves(), batch_size=2, num_workers=2):
            print(half.numpy().tolist(), heavy.numpy().any())
    """, tmp_path)
    assert done.stdout == "[0, 0] False\n[1, 1] False\n"


def test_what_a_worker_does_not_have_is_loaded_when_it_is_used(tmp_path):
    done = run_script("""
        import kayax.bridge.rng
        from kayax.io.dataset import Dataset
        from kayax.io.loader import DataLoader

        class Seeds(Dataset):
            def __getitem__(self, i):
                return kayax.bridge.rng.default_generator().initial_seed()
            def __len__(self):
                return 2

        import numpy as np
        np.random.seed(0)
        first = [int(batch) for batch in DataLoader(Seeds(), num_workers=2)]
        np.random.seed(0)
        assert first == [int(batch) for batch in DataLoader(Seeds(), num_workers=2)]
        print(first[1] - first[0])
    """, tmp_path)
    assert done.stdout == "1\n"


def test_an_interrupt_ends_the_script_and_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        import os, signal, time
        from kayax.io.dataset import Dataset
        from kayax.io.loader import DataLoader

        signal.signal(signal.SIGINT, signal.default_int_handler)    # what runs in the background inherits "ignore"

        class Slow(Dataset):
            def __getitem__(self, i):
                if i > 1:
                    time.sleep(60)
                return os.getpid()
            def __len__(self):
                return 8

        for pid in DataLoader(Slow(), num_workers=2):
            print(int(pid), flush=True)
    """))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            pids = [int(process.stdout.readline()) for _ in range(2)]
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()                      # so that a hang fails this test alone
    assert process.returncode in (1, -signal.SIGINT)
    assert stderr.count("Traceback") == 1
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    assert wait_until(lambda: all(map(gone, pids)))


def test_workers_end_with_a_killed_parent(tmp_path):
    done = run_script("""
        import os, signal
        from kayax.io.dataset import Dataset
        from kayax.io.loader import DataLoader

        class Pids(Dataset):
            def __getitem__(self, i):
                return os.getpid()
            def __len__(self):
                return 8

        for pid in DataLoader(Pids(), num_workers=1):
            print(int(pid), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """, tmp_path, expect=-signal.SIGKILL)
    assert wait_until(lambda: gone(int(done.stdout)))


def test_an_exception_keeps_its_type_and_shows_the_workers_traceback():
    def fails_in_this_line(i):
        raise KeyError("missing") if i == 2 else Picky("this", i)

    with pytest.raises(Picky, match="this and 0") as caught:
        list(DataLoader(Made(fails_in_this_line), num_workers=2))
    assert caught.value.one == "this"
    assert "fails_in_this_line" in str(caught.value.__cause__)
    assert "DataLoader worker 0 (pid " in caught.value.__notes__[0]
    with pytest.raises(KeyError) as caught:
        list(DataLoader(Made(lambda i: fails_in_this_line(2)), num_workers=1))
    assert caught.value.args == ("missing",)


def test_batches_before_an_exception_come_first():
    def make(i):
        return 1 // (5 - i)

    loader = iter(DataLoader(Made(make), num_workers=2))
    seen = [int(next(loader)) for _ in range(5)]
    with pytest.raises(ZeroDivisionError):
        next(loader)
    with pytest.raises(StopIteration):
        next(loader)
    assert seen == [0, 0, 0, 0, 1]


def test_an_exception_in_worker_init_fn():
    def init(worker_id):
        if worker_id == 1:
            raise OSError(2, "no such disk")

    with pytest.raises(OSError, match="no such disk") as caught:
        list(DataLoader(Made(lambda i: i), num_workers=2, worker_init_fn=init))
    assert caught.value.errno == 2


def test_a_dataset_that_cannot_be_sent():
    with pytest.raises(TypeError, match=r"Made .* cannot be sent to worker processes: cannot pickle .*lock"):
        iter(DataLoader(Made(threading.Lock()), num_workers=1))


@pytest.mark.parametrize(("end", "words"), [
    (lambda: os.kill(os.getpid(), signal.SIGKILL), r"killed by signal SIGKILL \(exit code -9\)"),
    (lambda: os._exit(3), "exited with code 3"),
])
@pytest.mark.parametrize("ahead", [True, False])
def test_a_worker_that_dies_is_named(end, words, ahead):
    def make(i):
        if i == 4:
            end()
        return i, os.getpid()

    pid = None
    with pytest.raises(RuntimeError, match=words) as caught:
        for i, owner in DataLoader(Made(make), num_workers=2, prefetch_factor=1, use_buffer_reader=ahead):
            pid = int(owner) if int(i) % 2 == 0 else pid
    assert f"worker 0 (pid {pid})" in str(caught.value)
    assert len(list(DataLoader(Made(lambda i: i), num_workers=2))) == 8


def test_a_warm_worker_that_was_killed_is_replaced():
    pids = {int(pid) for pid in DataLoader(Made(lambda i: os.getpid()), num_workers=2)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: all(worker.process.poll() for worker in pool._idle if worker.pid in pids))
    again = {int(pid) for pid in DataLoader(Made(lambda i: os.getpid()), num_workers=2)}
    assert len(again) == 2
    assert not again & pids


def test_a_timeout_names_the_worker():
    def make(i):
        time.sleep(30 if i == 3 else 0)
        return i

    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"timed out: worker 1 \(pid \d+\) gave no batch in 0.3 seconds"):
        list(DataLoader(Made(make), num_workers=2, timeout=0.3))
    assert time.monotonic() - start < 10
    assert len(list(DataLoader(Made(lambda i: i), num_workers=2, timeout=20))) == 8


def test_workers_are_kept_warm_and_get_a_fresh_dataset():
    dataset = Made(lambda i: (os.getpid(), counted.__setitem__(0, counted[0] + 1) or counted[0]))
    counted = [0]
    first = [(int(pid), int(n)) for pid, n in DataLoader(dataset, num_workers=1)]
    second = [(int(pid), int(n)) for pid, n in DataLoader(dataset, num_workers=1)]
    assert first == second
    assert [n for _, n in first] == [1, 2, 3, 4, 5, 6, 7, 8]
    counted[0] = 10
    assert int(next(iter(DataLoader(dataset, num_workers=1)))[1]) == 11


def test_persistent_workers_keep_their_dataset():
    counted = [0]
    loader = DataLoader(Made(lambda i: counted.__setitem__(0, counted[0] + 1) or counted[0], 3), num_workers=1,
                        persistent_workers=True)
    assert [int(n) for n in loader] == [1, 2, 3]
    for n in loader:
        assert int(n) == 4
        break
    again = [int(n) for n in loader]
    assert len(again) == 3
    assert again[0] >= 5
    workers = loader._session.workers
    inner = iter(loader)
    next(inner)
    assert len(list(loader)) == 3           # while another iteration is under way
    del inner, loader
    assert wait_until(lambda: all(worker in pool._idle for worker in workers))


def test_ending_early_gives_the_workers_back():
    before = len(pool._running)             # of loaders of other tests
    for _ in range(3):
        for batch in DataLoader(Made(lambda i: np.zeros((200, 200)), 1000), num_workers=2):
            assert batch.shape == [1, 200, 200]
            break
    assert wait_until(lambda: not [t for t in threading.enumerate() if t.name == "kayax-loader"])
    assert len(pool._running) == len(pool._idle)
    assert len(pool._running) <= max(4, before)
    iterator = iter(DataLoader(Made(lambda i: i, 1000), num_workers=2))
    next(iterator)
    del iterator
    assert wait_until(lambda: not [t for t in threading.enumerate() if t.name == "kayax-loader"])


def test_an_endless_stream_can_be_left():
    class Endless(IterableDataset):
        def __iter__(self):
            n = get_worker_info().id
            while True:
                yield n
                n += 2

    for step, batch in enumerate(DataLoader(Endless(), batch_size=2, num_workers=2)):
        base = 4 * (step // 2) + step % 2
        assert batch.numpy().tolist() == [base, base + 2]
        if step == 20:
            break


def test_an_error_of_the_sampler_is_raised_here():
    def indices():
        yield [0]
        yield [1]
        yield [2]
        raise LookupError("no more")

    class Broken:
        def __iter__(self):
            return indices()

    with pytest.raises(LookupError, match="no more"):
        list(DataLoader(Made(lambda i: i), batch_sampler=Broken(), num_workers=1, prefetch_factor=1))


def test_idle_workers_are_stopped(monkeypatch):
    list(DataLoader(Made(lambda i: i), num_workers=2))
    pids = [worker.pid for worker in pool._idle]
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    wait_until(lambda: all(worker.is_free(0.1) or True for worker in list(pool._idle)))
    pool._reap()
    assert not pool._idle
    assert wait_until(lambda: all(map(gone, pids)))


def test_large_arrays_of_a_dataset_are_sent_once_and_can_be_written():
    class Big(Dataset):
        def __init__(self):
            self.data = np.arange(300_000)

        def __getitem__(self, i):
            self.data[i] += 1
            return self.data[i]

        def __len__(self):
            return 6

    dataset = Big()
    for _ in range(2):
        assert [int(n) for n in DataLoader(dataset, num_workers=2)] == [1, 2, 3, 4, 5, 6]
    assert dataset.data[0] == 0
