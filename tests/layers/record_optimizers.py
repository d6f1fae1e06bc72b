"""Record what real Paddle 3.3.1 gives for `lr_cases.py` and `optimizer_cases.py`.

Run in an environment of its own that has paddlepaddle==3.3.1 and NumPy below 2.4 (extra `parity`):

    python tests/layers/record_optimizers.py
"""

import json
from pathlib import Path

import lr_cases
import numpy as np
import optimizer_cases
import paddle

FOLDER = Path(__file__).parent / "reference"


def record_lr() -> None:
    lr = paddle.optimizer.lr
    found = {"cases": {name: lr_cases.run(name, lr) for name in lr_cases.CASES},
             "errors": {name: lr_cases.error_of(name, lr)[0] for name in lr_cases.WRONG}}
    (FOLDER / "lr.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")


def record_optimizers() -> None:
    index, numbers = {}, []
    for name in optimizer_cases.CASES:
        with paddle.utils.unique_name.guard():
            found = optimizer_cases.run(name, paddle)
        index[name] = {key: [str(array.dtype), *array.shape] for key, array in found.items()}
        numbers += [np.asarray(array, np.float64).ravel() for array in found.values()]
    errors = {name: optimizer_cases.error_of(name, paddle)[0] for name in optimizer_cases.WRONG}
    assert "no error" not in errors.values(), errors
    text = json.dumps({"cases": index, "errors": errors}, separators=(",", ":"))
    np.savez_compressed(FOLDER / "optimizer.npz", index=np.array(text), numbers=np.concatenate(numbers))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    record_lr()
    record_optimizers()
