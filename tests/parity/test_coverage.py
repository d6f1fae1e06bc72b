"""Every operator, Layer and Tensor method that model code uses is in a table of cases, or is excused here."""
from __future__ import annotations

import ast
import re
from pathlib import Path

from harness import words
from tables import load_tables

HERE = Path(__file__).parent
# By module, what is compared elsewhere, or computes nothing.
EXCUSED = {
    "paddle": """CUDAPlace CustomPlace DataParallel Generator LazyGuard Model Size disable_static enable_static flops
        in_dynamic_mode is_compiled_with_cuda is_compiled_with_distribute set_device set_flags summary""",
    # RNNTLoss has no kernel on Paddle's CPU (test_losses.py); Paddle leaves the tails of the other one unregistered.
    "paddle.nn": "AdaptiveLogSoftmaxWithLoss Parameter RNNCellBase RNNTLoss",
    "paddle.nn.functional": "margin_cross_entropy rnnt_loss",       # as well
    "paddle.fft": """fft2 fftn hfft2 hfftn ifft2 ifftn ihfft2 ihfftn irfftn rfft2 rfftn""",   # named by a loop
    "paddle.optimizer": "Optimizer", "paddle.optimizer.lr": "LRScheduler", "paddle.metric": "Metric",
    "paddle.autograd": "Function PyLayerContext saved_tensors_hooks",
    "paddle.distribution": "Distribution register_kl",
    "paddle.Tensor": "cuda device nnz type",
}


def test_every_operator_has_a_case() -> None:
    found = named()
    listed = operators()
    missing = {module: [n for n in names if n not in found and n not in words(EXCUSED.get(module, ""))]
               for module, names in listed.items()}
    assert not {module: names for module, names in missing.items() if names}
    idle = {m: [n for n in words(names) if n in found or n not in listed[m]] for m, names in EXCUSED.items()}
    assert not {m: names for m, names in idle.items() if names}, "excused without need"


def operators() -> dict[str, list[str]]:
    """The names of operators.txt by module."""
    text = (HERE / "operators.txt").read_text(encoding="utf-8")
    parts = re.split(r"^\[([\w.]+)\]$", text, flags=re.MULTILINE)
    return {module: words(names) for module, names in zip(parts[1::2], parts[2::2], strict=True)}


def named() -> set[str]:
    """The names in the cases' names and in the text of the tables."""
    found = {name for case in load_tables() for name in re.findall(r"\w+", case)}
    for path in HERE.glob("cases_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"[A-Za-z_]\w*", node.value))
    return found
