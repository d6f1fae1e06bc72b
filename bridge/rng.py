"""The random state: one cell, advanced by every random operation, eagerly and inside programs alike."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.cells import Storage
from kayax.spec.errors import ArgumentError


class Generator:
    """A source of random numbers. Its state is a cell: three uint32 words, the two of a seed's key and a counter.

    device: accepted; the state moves to where it is used.
    """

    def __init__(self, device: Any = None):
        self._seed = 0
        self.storage = Storage(_initial(0))

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`."""
        self._seed = int(seed)
        self.storage.array = _initial(self._seed)
        return self

    def seed(self) -> int:
        """Start again from a number of the operating system, and give that number."""
        self.manual_seed(int(np.random.SeedSequence().generate_state(1)[0]) & 0x7FFFFFFF)
        return self._seed

    def initial_seed(self) -> int:
        """The seed this generator was started with."""
        return self._seed

    def get_state(self) -> GeneratorState:
        """The present state, for `set_state`."""
        return GeneratorState(np.asarray(self.storage.array))

    def set_state(self, state: GeneratorState) -> None:
        """Go on from a state that `get_state` gave."""
        self.storage.array = jnp.asarray(state.words)


class GeneratorState:
    """A snapshot of a generator, for `set_state`."""

    def __init__(self, words: np.ndarray):
        self.words = words

    def current_seed(self) -> int:
        """The seed that the state holds."""
        return int(self.words[0]) << 32 | int(self.words[1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GeneratorState) and bool((self.words == other.words).all())

    __hash__ = None             # type: ignore[assignment]


def _initial(seed: int) -> jax.Array:
    words = np.asarray([(int(seed) >> 32) & 0xFFFFFFFF, int(seed) & 0xFFFFFFFF, 0], np.uint32)
    return jnp.asarray(words)


def key_of(state: Any) -> Any:
    """The PRNG key that a state stands for."""
    return jax.random.fold_in(jax.random.wrap_key_data(state[:2], impl="threefry2x32"), state[2])


def advance(state: Any) -> Any:
    """The state after one random operation."""
    return state.at[2].add(1)


def numpy_generator() -> np.random.Generator:
    """A NumPy generator seeded from the random state, which moves on.

    It draws initial values, where compiling costs more than drawing.
    """
    storage = default_generator().storage
    words = np.asarray(storage._array)
    storage.array = advance(storage._array)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words.tolist())))


_default: Generator | None = None


def default_generator() -> Generator:
    """The generator of the current device, made on first use with a seed from the operating system, as in Paddle."""
    global _default
    if _default is None:
        from kayax.bridge.state import outside_traces
        with outside_traces():
            _default = Generator()
            _default.seed()
    return _default


def seed(seed: int) -> Generator:
    """Seed the random state of all operations, and give the generator."""
    return default_generator().manual_seed(seed)


def get_rng_state(device: Any = None) -> list[GeneratorState]:
    """Snapshots of the generators, for `set_rng_state`."""
    return [default_generator().get_state()]


def set_rng_state(state_list: list[GeneratorState], device: Any = None) -> None:
    """Put the generators back to what `get_rng_state` gave."""
    if not isinstance(state_list, (list, tuple)) or len(state_list) != 1:
        raise ArgumentError("set_rng_state needs the list that get_rng_state gave, with 1 state, but got "
                            f"{state_list!r}.")
    default_generator().set_state(state_list[0])


def get_cuda_rng_state() -> list[GeneratorState]:
    """Snapshots of the generators, which all devices share."""
    return get_rng_state()


def set_cuda_rng_state(state_list: list[GeneratorState]) -> None:
    """Put the generators back to what `get_cuda_rng_state` gave."""
    set_rng_state(state_list)
