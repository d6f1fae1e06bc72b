"""The examples run as a reader runs them."""
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_digits(tmp_path):
    done = subprocess.run([sys.executable, str(EXAMPLES / "digits.py"), "--out", "out"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
    reached = [float(value) for value in re.findall(r"([\d.]+) ?%", done.stdout)]
    assert len(reached) == 5 and min(reached[2:]) > 97, done.stdout     # eager, converted twice, loaded, fine-tuned
    saved = {f"{name}.{suffix}" for name in ("digits", "digits_tuned")
             for suffix in ("pdmodel", "pdiparams", "pdiparams.info")}
    assert {file.name for file in (tmp_path / "out").iterdir()} == saved
