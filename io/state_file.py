"""`paddle.save` and `paddle.load`: state dicts and other plain structures, in files that Paddle reads, and the reverse.

Paddle has two forms, both of them pickles. A dict whose values are Tensors, or dicts without Tensors, is written as a
dict of NumPy arrays, with one more entry for the Tensors' names. In any other structure a Tensor is the tuple
(name, array). bfloat16 is written as uint16 in both.
"""
from __future__ import annotations

import io
import math
import mmap
import os
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from kayax.io import atomic, pickle_reader
from kayax.spec import dtype as dtypes

NAME_TABLE = "StructuredToParameterName@@"
_BIG_TABLE = "UnpackBigParamInfor@@"
_BIG_BYTES = 2**30 - 1            # larger arrays are cut into pieces in protocols 2 and 3
_SAVE_CONFIGS = ("use_binary_format", "pickle_protocol", "safetensors")
_LOAD_CONFIGS = ("model_filename", "params_filename", "keep_name_table", "return_numpy", "safetensors")
_LEAVES = (type(None), bool, int, float, complex, str, slice)
_KEYS = (type(None), bool, int, float, complex, str)

MakeTensor = Callable[[np.ndarray, str | None], Any]


class StateFileError(ValueError):
    """A file that `load` cannot read: damaged, of another kind, or asking for more than data."""


class StateFileNotFoundError(ValueError, FileNotFoundError):
    """There is no such file. Paddle raises a ValueError here."""


def save(obj: Any, path: str | os.PathLike | io.BytesIO, protocol: int = 4, **configs: Any) -> None:
    """Save a state dict, a Tensor, or a nested dict, list or tuple of Tensors and plain values.

    Args:
        obj: what to save. Leaves are Tensors, NumPy arrays and numbers, None, bool, int, float, complex, str.
        path: file path, or a BytesIO. Missing folders are made, and a file is replaced whole or not at all.
        protocol: the pickle protocol, 2 to 4.
        configs: `pickle_protocol`, an older name for `protocol`. Paddle's `use_binary_format` and `safetensors` may be
            False.

    Raises:
        ValueError: a Layer (save its state_dict()), a bad path, protocol or config, a structure that contains itself.
        NotImplementedError: something else that cannot be saved, named by its place.
    """
    _check_configs("save", configs, _SAVE_CONFIGS, ("use_binary_format", "safetensors"))
    if configs.get("pickle_protocol") is not None:
        warnings.warn("`pickle_protocol` is an older name: use `protocol`.", DeprecationWarning, stacklevel=3)
        protocol = configs["pickle_protocol"]
    if type(protocol) is not int or not 2 <= protocol <= 4:
        raise ValueError(f"`protocol` should be 2, 3 or 4, but it is {protocol!r}.")
    if isinstance(path, (str, os.PathLike)):
        if not os.path.basename(path):
            raise ValueError(f"`path` should end with a file's name, but it is {os.fspath(path)!r}.")
    elif not isinstance(path, io.BytesIO):
        raise ValueError(f"`path` should be a path or a BytesIO, but it is a {type(path).__name__}.")
    plain = _split_big(_state_dict(obj), protocol) if _is_state_dict(obj) else _plain(obj, "the object", {})

    def write(file: BinaryIO) -> None:
        try:
            pickle.dump(plain, file, protocol)
        except OverflowError:
            raise ValueError(f"An array is too large for protocol {protocol}: use protocol=4.") from None

    if isinstance(path, io.BytesIO):
        write(path)
    else:
        atomic.write_file(path, write)


def load(path: str | os.PathLike | io.BytesIO, *, make_tensor: MakeTensor | None = None, **configs: Any) -> Any:
    """Load what `save`, or Paddle's, has written. Nothing in the file is run, whoever made it.

    Args:
        path: file path, or a BytesIO, read from its present position.
        make_tensor: makes a Tensor of an array and a name or None.
        configs: `return_numpy=True` gives NumPy arrays for Tensors (bfloat16 as uint16, as in Paddle);
            `keep_name_table=True` keeps the entry of the Tensors' names in a state dict. Paddle's `model_filename`,
            `params_filename` and `safetensors` may be None or False.

    Raises:
        StateFileNotFoundError: there is no such file (a ValueError, as in Paddle, and a FileNotFoundError).
        StateFileError: the file cannot be read (a ValueError, as in Paddle).
        ValueError: a bad config.
    """
    _check_configs("load", configs, _LOAD_CONFIGS, ("model_filename", "params_filename", "safetensors"))
    loaded = _read(path)
    if configs.get("return_numpy"):
        make = _keep
    else:
        given = make_tensor or _make_tensor

        def make(array: np.ndarray, name: str | None) -> Any:
            # Paddle has no uint16: such an array is always the bits of bfloat16.
            return given(array.view(ml_dtypes.bfloat16) if array.dtype == np.uint16 else array, name)

    if type(loaded) is dict:
        _join_big(loaded, path)
        if NAME_TABLE in loaded:
            return _from_state_dict(loaded, make, bool(configs.get("keep_name_table")), path)
    is_tensor = _is_named if _contains(loaded, _is_named, set()) else _is_array
    return _revive(loaded, is_tensor, make, {})


# ---- saving ----------------------------------------------------------------------------------------------------


def _is_tensor(value: Any) -> bool:
    return callable(getattr(value, "numpy", None)) and not isinstance(value, type)


def _is_state_dict(obj: Any) -> bool:
    if not isinstance(obj, dict):
        return False
    return all(_is_tensor(value) or (isinstance(value, dict) and not any(
        _contains(item, _is_tensor, set()) for item in value.values())) for value in obj.values())


def _state_dict(obj: dict) -> dict:
    if not obj:
        warnings.warn("The state dict to save is empty.", UserWarning, stacklevel=4)
    plain: dict[Any, Any] = {}
    names: dict[Any, str] = {}
    for key, value in obj.items():
        _check_key(key, "the state dict")
        if _is_tensor(value):
            plain[key], names[key] = _array(value.numpy(), repr(key)), value.name
        else:
            plain[key] = _plain(value, f"[{key!r}]", {})
    return plain | {NAME_TABLE: names}


def _plain(value: Any, where: str, done: dict[int, Any]) -> Any:
    """The structure with (name, array) for Tensors. Containers that are shared stay shared."""
    if type(value) in _LEAVES:
        return value
    if isinstance(value, np.generic):
        return float(value) if value.dtype == ml_dtypes.bfloat16 else value
    if isinstance(value, np.ndarray):
        return _array(value, where)
    if callable(getattr(value, "state_dict", None)):
        raise ValueError(f"{where} is a {type(value).__name__}, which cannot be saved itself: save its state_dict().")
    if _is_tensor(value):                       # also what a scope of a static program holds, whose name is a method
        return value.name() if callable(value.name) else value.name, _array(value.numpy(), where)
    if id(value) in done:
        if done[id(value)] is None:
            raise ValueError(f"{where} contains itself and cannot be saved.")
        return done[id(value)][0]
    done[id(value)] = None
    plain = _plain_container(value, where, done)
    done[id(value)] = plain, value          # the value is kept, so that its id is not given again
    return plain


def _plain_container(value: Any, where: str, done: dict[int, Any]) -> Any:
    if isinstance(value, dict):
        for key in value:
            _check_key(key, where)
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        return kind((key, _plain(item, f"{where}[{key!r}]", done)) for key, item in value.items())
    if isinstance(value, list) or type(value) is tuple:
        items = [_plain(item, f"{where}[{number}]", done) for number, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if type(value) is set and all(type(item) in _KEYS for item in value):
        return set(value)
    raise NotImplementedError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}, which cannot be saved. Paddle's files hold "
        "Tensors, NumPy arrays, None, bool, int, float, complex, str, and dicts, lists, tuples and sets of them.")


def _check_key(key: Any, where: str) -> None:
    if type(key) not in _KEYS and not (type(key) is tuple and all(type(item) in _KEYS for item in key)):
        raise NotImplementedError(f"{where} has the key {key!r}, a {type(key).__name__}: use strings or numbers.")


def _array(value: Any, where: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype == ml_dtypes.bfloat16:
        return array.view(np.uint16)
    if array.dtype.kind not in "biufcSU" or array.dtype.itemsize == 0 or array.dtype.char in "gG":
        raise NotImplementedError(f"{where} has the dtype {array.dtype}, which cannot be saved.")
    return array.view(np.ndarray)


def _split_big(obj: dict, protocol: int) -> dict:
    """Cut large arrays, whose length protocols 2 and 3 cannot write, into pieces as Paddle does."""
    if protocol > 3:
        return obj
    plain, table = {}, {}
    for key, value in obj.items():
        if not isinstance(value, np.ndarray) or value.size <= _BIG_BYTES // value.itemsize:
            plain[key] = value
            continue
        step, flat = _BIG_BYTES // value.itemsize, value.reshape(-1)
        pieces = {f"{key}@@.{number}": flat[start:start + step]
                  for number, start in enumerate(range(0, flat.size, step))}
        plain |= pieces
        table[key] = {"OriginShape": value.shape, "slices": list(pieces)}
    return plain | {_BIG_TABLE: table} if table else plain


# ---- loading ---------------------------------------------------------------------------------------------------


def _read(path: Any) -> Any:
    if isinstance(path, io.BytesIO):
        start = path.tell()
        loaded, size = _parse(memoryview(path.read()), "the BytesIO")
        path.seek(start + size)
        return loaded
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`path` should be a path or a BytesIO, but it is a {type(path).__name__}.")
    if not os.path.isfile(path):
        near = [f"{path}{suffix}" for suffix in (".pdparams", ".pdopt") if os.path.isfile(f"{path}{suffix}")]
        hint = f" Give the whole name: {' or '.join(near)}." if near else ""
        raise StateFileNotFoundError(f"There is no file {os.fspath(path)!r} to load.{hint}")
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise StateFileError(f"{os.fspath(path)} is empty.")
        # Closed when the last piece is gone: an error's traceback may hold some.
        return _parse(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), os.fspath(path))[0]


def _parse(data: memoryview, where: str) -> tuple[Any, int]:
    if bytes(data[:2]) == b"KX":
        raise StateFileError(f"{where} is a file of a model that jit.save wrote: load it with paddle.jit.load, or give "
                             "paddle.load the path without its suffix.")
    try:
        return pickle_reader.read(data)
    except pickle_reader.PickleError as error:
        raise StateFileError(f"{where} cannot be loaded: at byte {error.offset}, {error.problem}. Only what "
                             "paddle.save writes (Tensors, arrays and plain values) can be.") from None


def _from_state_dict(loaded: dict, make: MakeTensor, keep: bool, path: Any) -> dict:
    names = loaded.pop(NAME_TABLE)
    if type(names) is not dict:
        raise StateFileError(f"{path}: the table of names is a {type(names).__name__}.")
    for key, name in names.items():
        if key not in loaded or type(name) is not str:
            raise StateFileError(f"{path}: the table of names has {key!r}, but the state dict has not.")
        if _is_array(loaded[key]):
            loaded[key] = make(loaded[key], name)
    return loaded | {NAME_TABLE: names} if keep else loaded


def _join_big(loaded: dict, path: Any) -> None:
    if _BIG_TABLE not in loaded:
        return
    table = loaded.pop(_BIG_TABLE)
    try:
        for key, entry in table.items():
            pieces = [loaded.pop(name) for name in entry["slices"]]
            if not all(map(_is_array, pieces)) or math.prod(entry["OriginShape"]) != sum(p.size for p in pieces):
                raise ValueError
            loaded[key] = np.concatenate(pieces).reshape(entry["OriginShape"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StateFileError(f"{path}: the pieces of a large array do not fit together.") from None


def _is_array(value: Any) -> bool:
    return type(value) is np.ndarray and (value.dtype == np.uint16 or dtypes.find(value.dtype) is not None)


def _is_named(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2 and type(value[0]) is str and type(value[1]) is np.ndarray


def _contains(value: Any, condition: Callable[[Any], bool], seen: set[int]) -> bool:
    if condition(value):
        return True
    if not isinstance(value, (dict, list, tuple)) or id(value) in seen:
        return False
    seen.add(id(value))
    return any(_contains(item, condition, seen) for item in (value.values() if isinstance(value, dict) else value))


def _revive(value: Any, is_tensor: Callable[[Any], bool], make: MakeTensor, done: dict[int, Any]) -> Any:
    if is_tensor(value):
        return make(value[1], value[0]) if type(value) is tuple else make(value, None)
    if type(value) not in (dict, OrderedDict, list, tuple):
        return value
    if id(value) not in done:
        if isinstance(value, dict):
            new = type(value)((key, _revive(item, is_tensor, make, done)) for key, item in value.items())
        else:
            new = type(value)([_revive(item, is_tensor, make, done) for item in value])
        done[id(value)] = new
    return done[id(value)]


def _keep(array: np.ndarray, name: str | None) -> np.ndarray:
    return array


def _make_tensor(array: np.ndarray, name: str | None) -> Any:
    from kayax.bridge.tensor import Tensor
    tensor = Tensor(array)
    if name:
        tensor.name = name
    return tensor


def _check_configs(function: str, configs: dict[str, Any], known: tuple[str, ...], unused: tuple[str, ...]) -> None:
    for name, value in configs.items():
        if name not in known:
            raise ValueError(f"paddle.{function} has no config {name!r}. The configs are: {', '.join(known)}.")
        if name in unused and value:
            raise NotImplementedError(f"paddle.{function} has no {name} here: leave it out.")
