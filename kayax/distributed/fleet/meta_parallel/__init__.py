"""``fleet.meta_parallel``: layers whose weights are divided over processes, and pipelines; with one process, whole."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kayax as _paddle
from kayax.bridge.recompute import recompute

nn: Any = _paddle.nn
_MAIN = "global_seed"


class ColumnParallelLinear(nn.Linear):
    """`nn.Linear`, whose columns would be divided. It has a bias only with ``has_bias=True``."""

    def __init__(self, in_features: int, out_features: int, weight_attr: Any = None, has_bias: bool | None = None,
                 gather_output: bool = True, fuse_matmul_bias: bool = False, mp_group: Any = None,
                 name: str | None = None):
        super().__init__(in_features, out_features, weight_attr, None if has_bias else False, name)
        self.is_mp, self.gather_output = False, gather_output


class RowParallelLinear(nn.Linear):
    """`nn.Linear`, whose rows would be divided."""

    def __init__(self, in_features: int, out_features: int, weight_attr: Any = None, has_bias: bool = True,
                 input_is_parallel: bool = False, fuse_matmul_bias: bool = False, mp_group: Any = None,
                 name: str | None = None):
        super().__init__(in_features, out_features, weight_attr, None if has_bias else False, name)
        self.is_mp, self.input_is_parallel = False, input_is_parallel


class VocabParallelEmbedding(nn.Embedding):
    """`nn.Embedding`, whose rows would be divided."""

    def __init__(self, num_embeddings: int, embedding_dim: int, weight_attr: Any = None, mp_group: Any = None,
                 name: str | None = None):
        super().__init__(num_embeddings, embedding_dim, weight_attr=weight_attr, name=name)
        self.is_mp = False


class ParallelCrossEntropy(nn.Layer):
    """Cross entropy of scores ``[..., classes]`` and labels ``[..., 1]`` or ``[...]``, for each: ``[..., 1]``."""

    def __init__(self, mp_group: Any = None, name: str | None = None, ignore_index: int = -100):
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, input: Any, label: Any) -> Any:
        """The losses."""
        label = label if label.ndim == input.ndim else label.unsqueeze(-1)
        return nn.functional.softmax_with_cross_entropy(input, label, ignore_index=self.ignore_index)


# ---- pipelines --------------------------------------------------------------------------------------------------


class LayerDesc:
    """A layer to be made: its class and arguments."""

    def __init__(self, layer_func: Callable, *inputs: Any, **kwargs: Any):
        self.layer_func, self.inputs, self.kwargs = layer_func, inputs, kwargs

    def build_layer(self) -> Any:
        """Make it."""
        return self.layer_func(*self.inputs, **self.kwargs)

    def __repr__(self) -> str:
        return f"LayerDesc({getattr(self.layer_func, '__name__', self.layer_func)})"


class SharedLayerDesc(LayerDesc):
    """A layer that several places of a pipeline share under a key; `forward_func(layer, x)` replaces its forward."""

    def __init__(self, key: str, layer_func: Callable, forward_func: Callable | None = None,
                 shared_weight_attr: str = "weight", *inputs: Any, **kwargs: Any):
        super().__init__(layer_func, *inputs, **kwargs)
        self.layer_name, self.forward_func, self.shared_weight_attr = key, forward_func, shared_weight_attr


class PipelineLayer(nn.Layer):
    """Layers and functions one after the other, in one stage.

    layers: Layers, functions, LayerDescs. loss_fn: ``loss_fn(output, labels)``, for `train_batch`. recompute_interval:
    how many layers at a time compute their values again for the gradient, 0 for none. The others have no effect.
    """

    def __init__(self, layers: Sequence[Any], num_stages: int | None = None, topology: Any = None,
                 loss_fn: Callable | None = None, seg_method: str = "uniform", recompute_interval: int = 0,
                 recompute_ctx: Any = None, num_virtual_pipeline_stages: int | None = None, use_cudagraph: bool = False,
                 use_dualpipev: bool = False):
        super().__init__()
        stages = num_stages or (topology.get_dim("pipe") if topology is not None else 1)
        if stages > 1:
            raise RuntimeError(f"The pipeline is to have {stages} stages, and here one process runs them all: set "
                               "num_stages to 1.")
        self._loss_fn, self._recompute_interval = loss_fn, recompute_interval
        self.shared_layers = nn.LayerDict()
        self.run_function = [self._made(str(i), layer) for i, layer in enumerate(layers)]

    def _made(self, name: str, layer: Any) -> Callable:
        if isinstance(layer, SharedLayerDesc):
            if layer.layer_name not in self.shared_layers:
                self.shared_layers[layer.layer_name] = layer.build_layer()
            shared, function = self.shared_layers[layer.layer_name], layer.forward_func
            return shared if function is None else lambda x: function(shared, x)
        made = layer.build_layer() if isinstance(layer, LayerDesc) else layer
        if isinstance(made, nn.Layer):
            self.add_sublayer(name, made)
        return made

    def forward(self, input: Any) -> Any:
        """All of them; a tuple between two of them is one value."""
        step = self._recompute_interval
        if not step:
            return _in_turn(self.run_function, input)
        for start in range(0, len(self.run_function), step):
            input = recompute(_in_turn, self.run_function[start:start + step], input)
        return input

    def train_batch(self, data: Any, optimizer: Any, lr_scheduler: Any = None, scaler: Any = None) -> Any:
        """Train on ``(inputs, labels)``: forward, loss, backward, update. Gives the loss."""
        loss = self._loss(data)
        (loss if scaler is None else scaler.scale(loss)).backward()
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
        optimizer.clear_grad()
        if lr_scheduler is not None:
            lr_scheduler.step()
        return loss.detach()

    def eval_batch(self, data: Any, compute_loss: bool = True) -> Any:
        """The loss of ``(inputs, labels)``, or the outputs, without gradients."""
        with _paddle.no_grad():
            return self._loss(data) if compute_loss else self(data[0])

    def _loss(self, data: Any) -> Any:
        if self._loss_fn is None:
            raise AssertionError("A PipelineLayer needs a loss_fn to be trained.")
        inputs, labels = data
        return self._loss_fn(self(inputs), labels)


def _in_turn(functions: Sequence[Callable], value: Any) -> Any:
    for function in functions:
        value = function(value)
    return value


# ---- random numbers ---------------------------------------------------------------------------------------------


class RNGStatesTracker:
    """Random states by name: inside ``rng_state(name)`` numbers are drawn from that one."""

    def __init__(self) -> None:
        self.states_: dict[str, Any] = {}
        self.seeds_: set[int] = set()

    def reset(self) -> None:
        """Forget all."""
        self.states_.clear()
        self.seeds_.clear()

    def add(self, name: str, seed: int) -> None:
        """A new state from a seed."""
        if seed in self.seeds_:
            raise ValueError(f"The seed {seed} is taken by another state.")
        if name in self.states_:
            raise ValueError(f"There is a state {name!r} already.")
        now = _paddle.get_rng_state()
        _paddle.seed(seed)
        self.states_[name] = _paddle.get_rng_state()
        self.seeds_.add(seed)
        _paddle.set_rng_state(now)

    @contextlib.contextmanager
    def rng_state(self, name: str = "model_parallel_rng") -> Iterator[None]:
        """Inside, this state is the one in use."""
        if name not in self.states_:
            raise ValueError(f"There is no random state {name!r}: add it first. There are {sorted(self.states_)}.")
        now = _paddle.get_rng_state()
        _paddle.set_rng_state(self.states_[name])
        try:
            yield
        finally:
            self.states_[name] = _paddle.get_rng_state()
            _paddle.set_rng_state(now)

    def get_states_tracker(self) -> dict[str, Any]:
        """The states by name."""
        return dict(self.states_)

    def set_states_tracker(self, states: dict[str, Any]) -> None:
        """Go on from these states."""
        self.states_ = dict(states)


_tracker = RNGStatesTracker()


def get_rng_state_tracker() -> RNGStatesTracker:
    """The one tracker."""
    return _tracker


def model_parallel_random_seed(seed: int | None = None) -> None:
    """Seed the generator, and the states "global_seed" and "model_parallel_rng" of the tracker."""
    seed = 100 if seed is None else seed
    _tracker.reset()
    _paddle.seed(seed)
    _tracker.add(_MAIN, seed)
    _tracker.add("model_parallel_rng", seed + 1024)


class TensorParallel(nn.Layer):
    """A model whose layers are divided: the model itself."""

    def __new__(cls, layers: Any, hcg: Any = None, **kwargs: Any) -> Any:
        return layers


ShardingParallel = SegmentParallel = PipelineParallel = TensorParallel

__all__ = ["ColumnParallelLinear", "LayerDesc", "ParallelCrossEntropy", "PipelineLayer", "PipelineParallel",
           "RNGStatesTracker", "RowParallelLinear", "SegmentParallel", "ShardingParallel", "SharedLayerDesc",
           "TensorParallel", "VocabParallelEmbedding", "get_rng_state_tracker", "model_parallel_random_seed"]
