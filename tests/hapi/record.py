"""Records what the cases print and compute with real Paddle. Run it with real Paddle."""
import json
from pathlib import Path

import paddle
from hapi_cases import CASES, run

found = {case.__name__: run(case, paddle) for case in CASES}
path = Path(__file__).parent / "reference" / "hapi.json"
path.write_text(json.dumps(found, indent=1, default=float) + "\n", encoding="utf-8")
