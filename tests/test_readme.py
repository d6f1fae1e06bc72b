"""The README's tour and the page on deployment run as they are written."""
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


def test_the_deployment_page(tmp_path):
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    script = tmp_path / "page.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.S)), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "constraints=['seq % 8 == 0']" in done.stdout and "(8, 3)" in done.stdout
