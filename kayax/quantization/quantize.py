"""Putting quanters and observers into a model, and fixing their scales."""
from __future__ import annotations

import abc
import copy
from typing import Any

from kayax.layers.layer import Layer
from kayax.nn.quant import ConvertibleQuantedLayer, LinearQuanterDequanter
from kayax.quantization.base import BaseQuanter
from kayax.quantization.config import QuantConfig


class ObserveWrapper(Layer):
    """A layer whose input (or, without `observe_input`, output) goes through an observer."""

    def __init__(self, observer: Layer, observed: Layer, observe_input: bool = True):
        super().__init__()
        self._observer, self._observed, self._observe_input = observer, observed, observe_input

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the layer gives."""
        if self._observe_input:
            return self._observed(self._observer(*inputs), **kwargs)
        return self._observer(self._observed(*inputs, **kwargs))


class _Quantization(metaclass=abc.ABCMeta):
    """What both ways share."""

    def __init__(self, config: QuantConfig):
        self._config = copy.copy(config)

    @abc.abstractmethod
    def quantize(self, model: Layer, inplace: bool = False) -> Layer:
        """The model with quanters or observers."""

    def _put_in(self, model: Layer) -> Layer:
        self._config.specify(model)
        self._replace(model)
        self._observe(model)
        return model

    def _replace(self, layer: Layer) -> None:
        for name, child in list(layer.named_children()):
            new = self._config.quanted(child)
            if new is None:
                self._replace(child)
            else:
                layer._sub_layers[name] = new

    def _observe(self, layer: Layer) -> None:
        for name, child in list(layer.named_children()):
            if self._config.is_quanted(child):
                continue
            observer = self._config.observer(child)
            if observer is None:
                self._observe(child)
            else:
                layer._sub_layers[name] = ObserveWrapper(observer, child)

    def convert(self, model: Layer, inplace: bool = False, remain_weight: bool = False) -> Layer:
        """The model with fixed scales; weights become whole numbers, unless `remain_weight`."""
        model = model if inplace else copy.deepcopy(model)
        for name, child in list(model.named_children()):
            if isinstance(child, ConvertibleQuantedLayer):
                if not child.converted and getattr(child, "weight_quanter", None) is not None:
                    child._convert(remain_weight)
            elif isinstance(child, BaseQuanter):
                model._sub_layers[name] = LinearQuanterDequanter.from_quanter(child)
            else:
                self.convert(child, True, remain_weight)
        return model

    def __repr__(self) -> str:
        return self._config.details()


class QAT(_Quantization):
    """Training aware of quantization: the model is trained with rounded values (Jacob et al. 2018)."""

    def quantize(self, model: Layer, inplace: bool = False) -> Layer:
        """The model, which must be in training mode, with quanters."""
        if not model.training:
            raise AssertionError("QAT quantizes a model in training mode: call model.train() first.")
        return self._put_in(model if inplace else copy.deepcopy(model))


class PTQ(_Quantization):
    """Quantization after training: observers find the scales while some data passes through."""

    def quantize(self, model: Layer, inplace: bool = False) -> Layer:
        """The model, which must be in evaluation mode, with observers."""
        if model.training:
            raise AssertionError("PTQ quantizes a model in evaluation mode: call model.eval() first.")
        return self._put_in(model if inplace else copy.deepcopy(model))
