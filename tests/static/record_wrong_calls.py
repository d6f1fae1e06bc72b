"""Records the types of errors of wrong_calls.txt with real Paddle. Run it with real Paddle."""
from pathlib import Path

import paddle
from wrong_calls import outcome

paddle.enable_static()
path = Path(__file__).parent / "reference" / "wrong_calls.txt"
calls = [line.split("\t")[1] for line in path.read_text(encoding="utf-8").splitlines()]
found = {call: outcome(paddle, call) for call in calls}
path.write_text("".join(f"{r if r == 'ok' else type(r).__name__}\t{c}\n" for c, r in found.items()), encoding="utf-8")
