"""``convert_to_mixed_precision``: a saved model whose products are computed in 16 bits."""
from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Any

from kayax.inference.config import Config, PlaceType, PrecisionType, kept_products, sixteen_bits
from kayax.io.model_format import MODEL, PARAMS
from kayax.io.paddle.find import is_paddle_program
from kayax.io.save import save


def convert_to_mixed_precision(model_file: str, params_file: str, mixed_model_file: str, mixed_params_file: str,
                               mixed_precision: PrecisionType, backend: PlaceType, keep_io_types: bool = True,
                               black_list: Iterable[str] = frozenset(), **kwargs: Any) -> None:
    """Write a saved model so that its matrix products and convolutions take float16 or bfloat16.

    They give float32, and every other operation stays in float32. Parameters with two or more dimensions are stored in
    16 bits, so the files are about half as large. The new model predicts; its gradient is left out.

    model_file, params_file: the model, of this project or of PaddlePaddle, as `Config` takes them. mixed_model_file,
        mixed_params_file: ``PREFIX.pdmodel`` and ``PREFIX.pdiparams``, in this project's format.
    mixed_precision: ``PrecisionType.Half`` or ``PrecisionType.Bfloat16``. backend: not needed: the files run on all.
    keep_io_types: with False, float32 inputs and outputs have the 16-bit type too.
    black_list: names of Paddle's operators that stay in float32: of a matrix product or a convolution all of its kind;
        other operators stay so anyway. white_list: taken, as nothing but products gains by 16 bits here.

    Raises ValueError if a parameter has values that float16 does not reach.

    Differs from Paddle, which computes almost all operations in 16 bits.
    """
    from kayax.io.precision import Precision, convert
    unknown = sorted(set(kwargs) - {"white_list"})
    if unknown:
        raise TypeError(f"convert_to_mixed_precision has no option {unknown[0]!r}, only white_list.")
    if not isinstance(backend, PlaceType):
        raise TypeError(f"backend must be a PlaceType, but got {backend!r}.")
    precision = Precision(sixteen_bits(mixed_precision), kept_products(black_list), not keep_io_types)
    target = os.fspath(mixed_model_file).removesuffix(MODEL)
    if target == mixed_model_file or os.fspath(mixed_params_file) not in ("", target + PARAMS):
        raise ValueError(f"The files of the new model are PREFIX{MODEL} and PREFIX{PARAMS}, with one prefix, but got "
                         f"{mixed_model_file!r} and {mixed_params_file!r}.")
    config = Config(model_file, params_file or None)
    if not is_paddle_program(config.prefix()):
        convert(config.prefix(), target, precision)
        return
    from kayax.io.paddle.layer import load as load_paddle
    model = load_paddle(config.prefix(), config.params_file() or None)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        save(model, path, input_spec=model.input_specs(), trainable=False)
        convert(path, target, precision)


__all__ = ["convert_to_mixed_precision"]
