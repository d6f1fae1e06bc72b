"""The README's tour runs as it is written."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_tour(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = max(re.findall(r"```python\n(.*?)```", readme, flags=re.S), key=len)
    script = tmp_path / "tour.py"
    script.write_text(tour, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert float(said["converted"]) < 0.1 < float(said["eager"])
    assert "[16, 10]" in said["loaded"]
    saved = {file.name for file in (tmp_path / "model").iterdir()}
    assert saved == {"net.pdmodel", "net.pdiparams", "net.pdiparams.info"}
