"""Records what the programs compute with real Paddle. Run it with real Paddle."""
import json
from pathlib import Path

import numpy as np
import paddle
from static_cases import CASES

paddle.enable_static()
found = {case.__name__: [np.asarray(v).tolist() for v in case(paddle)] for case in CASES}
path = Path(__file__).parent / "reference" / "static.json"
path.write_text(json.dumps(found) + "\n", encoding="utf-8")
