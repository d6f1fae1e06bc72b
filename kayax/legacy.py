"""Small functions of Paddle that older or rare code calls."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import to_numpy


def batch(reader: Callable[[], Iterator[Any]], batch_size: int, drop_last: bool = False) -> Callable[[], Iterator[Any]]:
    """A reader of lists of `batch_size` items of another reader; the last list may be shorter, or is dropped.

    `paddle.io.DataLoader` is what takes its place.
    """
    if int(batch_size) <= 0:
        raise ValueError(f"batch_size must be positive, but got {batch_size}.")

    def batches() -> Iterator[list[Any]]:
        items: list[Any] = []
        for item in reader():
            items.append(item)
            if len(items) == batch_size:
                yield items
                items = []
        if items and not drop_last:
            yield items

    return batches


def check_shape(shape: Any, op_name: str, expected_shape_type: Any = (list, tuple, Tensor),
                expected_element_type: Any = (int, Tensor), expected_tensor_dtype: Any = ("int32", "int64")) -> None:
    """A TypeError unless `shape` is of one of these types and so are its elements."""
    if not isinstance(shape, tuple(expected_shape_type)):
        raise TypeError(f"The shape of {op_name} must be a list, a tuple or a Tensor, but got {type(shape).__name__}.")
    if isinstance(shape, Tensor):
        return
    sizes: Any = shape
    for size in sizes:
        if not isinstance(size, tuple(expected_element_type)):
            raise TypeError(f"The sizes of {op_name} must be ints or Tensors, but got {type(size).__name__}.")
        if isinstance(size, Tensor) and size.dtype.name not in expected_tensor_dtype:
            raise TypeError(f"A Tensor among the sizes of {op_name} must be of {' or '.join(expected_tensor_dtype)}.")


def disable_signal_handler() -> None:
    """Nothing to do: no signal handlers are set."""


class MmapStorage:
    """Tensors of parts of a file: `filename`, and how many bytes of it, which must be there.

    A Tensor has its own memory here, so that writing to it leaves the file alone.
    """

    def __init__(self, filename: str, nbytes: int):
        self._bytes = np.memmap(filename, np.uint8, "r", shape=(nbytes,))

    def get_slice(self, dtype: Any = "uint8", start: int = 0, stop: int = -1, step: int = 1) -> Tensor:
        """Every `step`-th of the elements [start, stop) of the file, read as `dtype`; a stop of -1 is the end."""
        whole = self._bytes[: len(self._bytes) // to_numpy(dtype).itemsize * to_numpy(dtype).itemsize]
        return to_tensor(np.asarray(whole.view(to_numpy(dtype))[start:None if stop == -1 else stop:step]))


_saving: list[threading.Thread] = []


def async_save(obj: Any, path: str, protocol: int = 4, sync_other_task: bool = False, **configs: Any) -> None:
    """`paddle.save` in a thread of its own, of the values that are there now; the program waits for it at its end.

    sync_other_task: first wait for the saves that were started before.
    """
    from kayax.io.state_file import save
    if sync_other_task:
        while _saving:
            _saving.pop().join()
    kept = _snapshot(obj)
    thread = threading.Thread(target=save, args=(kept, path, protocol), kwargs=configs)
    thread.start()
    _saving.append(thread)


def _snapshot(value: Any) -> Any:
    if isinstance(value, Tensor):
        copy = value.detach().clone()
        copy.name = value.name
        return copy
    if isinstance(value, dict):
        return type(value)((k, _snapshot(v)) for k, v in value.items())
    return type(value)(map(_snapshot, value)) if type(value) in (list, tuple) else value


def enable_compat(*, scope: Any = None, blocked_modules: Any = None, backend: str = "torch",
                  silent: bool = False) -> None:
    """Not possible: another module is not put in the place of ``torch``."""
    raise NotImplementedError("enable_compat would put this package in the place of `torch` for all that is imported. "
                              "Write `import kayax as torch` where that is meant; paddle.compat has what differs.")


def disable_compat() -> None:
    """Nothing to do: `enable_compat` never succeeds."""


__all__ = ["MmapStorage", "async_save", "batch", "check_shape", "disable_compat", "disable_signal_handler",
           "enable_compat"]
