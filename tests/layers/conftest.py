"""The modules beside the tests import each other by plain name, as `record_optimizers.py` does as a script."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
