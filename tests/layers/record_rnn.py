"""Records the recurrent layers of real Paddle: values, gradients, printing, names. Run it with real Paddle."""
from pathlib import Path

import numpy as np
import paddle
from paddle import nn  # noqa: F401  (the cases name it)
from rnn_cases import cases, fill, run

found = {}
for name, made, time_major, lengths, states in cases():
    layer = eval(made)
    fill(layer, lambda parameter, value: parameter.set_value(value))
    for i, value in enumerate(run(paddle, layer, time_major, lengths, states)):
        found[f"{name}/{i}"] = value
    found[f"{name}/printed"] = np.array(repr(layer))
    found[f"{name}/keys"] = np.array([f"{k} {list(map(int, v.shape))}" for k, v in layer.state_dict().items()])
np.savez_compressed(Path(__file__).parent / "reference" / "rnn.npz", **found)
