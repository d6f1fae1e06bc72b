"""What a layer's caller may say of a parameter before it exists."""
from __future__ import annotations

from typing import Any, ClassVar

from kayax.spec.errors import ArgumentError


class ParamAttr:
    """The name, initializer, learning-rate factor, regularizer and trainability of a parameter to be made."""

    def __init__(self, name: str | None = None, initializer: Any = None, learning_rate: float = 1.0,
                 regularizer: Any = None, trainable: bool = True, do_model_average: bool = True,
                 need_clip: bool = True):
        if name == "":
            raise ValueError("The name of a ParamAttr must not be empty.")
        self.name, self.initializer, self.learning_rate = name, initializer, learning_rate
        self.regularizer, self.trainable = regularizer, trainable
        self.do_model_average, self.need_clip = do_model_average, need_clip

    @staticmethod
    def of(attr: Any) -> ParamAttr | bool:
        """The ParamAttr that a layer's `weight_attr` means: None, a name, an initializer, a ParamAttr, False (none)."""
        if attr is None or attr is True:
            return ParamAttr()
        if attr is False or isinstance(attr, ParamAttr):
            return attr
        if isinstance(attr, str):
            return ParamAttr(name=attr)
        if callable(attr):
            return ParamAttr(initializer=attr)
        raise ArgumentError("A parameter's attr must be a ParamAttr, a name, an initializer, None or False, but got "
                        f"{type(attr).__name__}.")

    def __repr__(self) -> str:
        return f"ParamAttr(name={self.name}, learning_rate={self.learning_rate}, trainable={self.trainable})"


class WeightNormParamAttr(ParamAttr):
    """A weight ``g * v / norm(v)`` of two parameters (Salimans and Kingma 2016), for the functions of `static.nn`.

    dim: the dimension that the norms are not taken over, None for one norm of all. The parameters have the name with
    ``_g`` and ``_v``. The other arguments are those of `ParamAttr`.
    """

    params_with_weight_norm: ClassVar[list[Any]] = []

    def __init__(self, dim: int | None = None, name: str | None = None, initializer: Any = None,
                 learning_rate: float = 1.0, regularizer: Any = None, trainable: bool = True,
                 do_model_average: bool = False, need_clip: bool = True):
        super().__init__(name, initializer, learning_rate, regularizer, trainable, do_model_average, need_clip)
        self.dim = dim

    def part(self, name: str, initializer: Any) -> ParamAttr:
        """The same, of one of the two parameters."""
        return ParamAttr(name, initializer, self.learning_rate, self.regularizer, self.trainable,
                         self.do_model_average, self.need_clip)
