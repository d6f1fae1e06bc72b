"""Records the models of real Paddle: names and shapes of the state, printing, outputs. Run it with real Paddle."""
import gzip
import hashlib
import json
import sys
from pathlib import Path

import paddle
from paddle.vision import models
from vision_cases import CASES, image, layout, make, weights

found = {}
for name, size in CASES.items():
    model = make(models, name)
    found[name] = {"layout": layout(model), "printed": hashlib.sha256(repr(model).encode()).hexdigest()}
    if size is not None:
        model.set_state_dict({k: paddle.to_tensor(v) for k, v in weights(model).items()})
        outputs = model(paddle.to_tensor(image(size)))
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        found[name]["outputs"] = [[float(v) for v in o.numpy().reshape(-1)] for o in outputs]
    print(name, found[name].get("outputs"), file=sys.stderr)
path = Path(__file__).parent / "reference" / "vision.json.gz"
path.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))
