"""Measure the public API against PaddlePaddle's, and write the tables into compatibility.md.

    python docs/conformance.py FOLDER [--examples FILE] [--jobs N] [--names-only]
    python docs/conformance.py FOLDER --operators       # tests/parity/operators.txt

FOLDER holds the two measuring scripts with their records of real Paddle (api_surface.py, docstring_examples.py,
paddle-3.3.1-api.json, paddle-3.3.1-examples.json). FILE is the cache of documentation examples that
`docstring_examples.py extract` made in an environment with paddlepaddle 3.3.1; FOLDER/examples.json if not given.
"""
from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "compatibility.md"
OPERATORS = Path(__file__).parents[1] / "tests" / "parity" / "operators.txt"
COMPUTING = """paddle paddle.linalg paddle.fft paddle.signal paddle.nn paddle.nn.functional paddle.nn.initializer
    paddle.nn.utils paddle.optimizer paddle.optimizer.lr paddle.metric paddle.autograd paddle.distribution
    paddle.geometric paddle.vision.ops paddle.sparse""".split()
TIERS = {1: "tier 1: a typical script", 2: "tier 2: now and then", 3: "tier 3: rare, vendor, internal"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--names-only", action="store_true", help="leave the table of examples as it is")
    parser.add_argument("--operators", action="store_true", help="write the list of operators for the tests")
    args = parser.parse_args()
    sys.path.insert(0, str(args.folder.resolve()))
    if args.operators:
        return write_operators(args.folder)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    write("names", names_table(args.folder), today)
    if not args.names_only:
        write("examples", examples_table(args), today)


def names_table(folder: Path) -> list[str]:
    """Names of public modules, and members of Tensor: how many are here, and have the same parameters."""
    import api_surface
    facts = api_surface.load(str(folder / "paddle-3.3.1-api.json"))["modules"]
    wanted = {module: {n: list(e.get("methods", {})) for n, e in names.items()} for module, names in facts.items()}
    done = subprocess.run([sys.executable, "-W", "ignore", folder / "api_surface.py", "_probe", "kayax"], text=True,
                          input=json.dumps(wanted), stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout.rpartition("@@@")[2])
    counts = {(what, tier): Counter() for what in ("name", "member") for tier in TIERS}

    def count(what: str, entry: dict[str, Any], here: dict[str, Any] | None) -> None:
        row = counts[what, entry["tier"]]
        row["all"] += 1
        row["here"] += here is not None
        row["same"] += here is not None and api_surface.same_params(entry.get("params"), here.get("params"))[0]

    def works(module: str, name: str) -> bool:
        """False of a name that is there to say what to use in its place."""
        value = getattr(api_surface.find_module("kayax" + module.removeprefix("paddle")), name, None)
        return type(value).__name__ != "_Absent"

    for module, names in facts.items():
        for name, entry in names.items():
            count("name", entry, found[module].get(name) if works(module, name) else None)
    members = found["paddle"]["Tensor"]["methods"]
    for name, entry in facts["paddle"]["Tensor"]["methods"].items():
        count("member", entry, members.get(name))
    lines = ["| | names | here | same parameters | members of Tensor | here | same parameters |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for tier, title in TIERS.items():
        cells = [str(counts[what, tier]["all"] if key == "all" else share(counts[what, tier], key))
                 for what in ("name", "member") for key in ("all", "here", "same")]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def examples_table(args: argparse.Namespace) -> list[str]:
    """Examples of Paddle's documentation that run there: how many run here, and print what they print there."""
    import docstring_examples as runner
    examples = json.loads((args.examples or args.folder / "examples.json").read_text())["examples"]
    record = json.loads((args.folder / "paddle-3.3.1-examples.json").read_text())
    record = record.get("examples", record)
    options = argparse.Namespace(package="kayax", python=sys.executable, jobs=args.jobs, batch=1, timeout=60,
                                 verbose=False)
    results = runner.run_all(options, [e for e in examples if record.get(e["name"], {}).get("runs")])
    tiers, counts = runner.tiers(), {tier: Counter() for tier in TIERS}
    for name, result in results.items():
        verdict = runner.verdict(result, record[name])
        if verdict.get("skipped"):
            continue
        row = counts[tiers.get(name.partition("#")[0], 3)]
        row["all"] += 1
        row["runs"] += verdict["runs"]
        if record[name]["matches"]:
            row["comparable"] += 1
            row["matches"] += verdict["matches"]
    lines = ["| | examples | run | compared | match |", "| --- | ---: | ---: | ---: | ---: |"]
    for tier, title in TIERS.items():
        c = counts[tier]
        lines.append(f"| {title} | {c['all']} | {share(c, 'runs')} | {c['comparable']} | "
                     f"{share(c, 'matches', 'comparable')} |")
    return lines


def write_operators(folder: Path) -> None:
    """The functions, classes and Tensor methods of tiers 1 and 2 in modules that compute, by module."""
    facts = json.loads((folder / "paddle-3.3.1-api.json").read_text())["modules"]
    lists = {module: [name for name, entry in facts.get(module, {}).items()
                      if entry["tier"] <= 2 and entry["kind"] in ("function", "class")] for module in COMPUTING}
    members = facts["paddle"]["Tensor"]["methods"]
    lists["paddle.Tensor"] = [name for name, entry in members.items() if entry.get("tier", 3) <= 2]
    lines = ["# The operators, Layers and Tensor methods of PaddlePaddle 3.3.1 that model code uses (tiers 1 and 2).",
             "# Written by docs/conformance.py FOLDER --operators."]
    for module, names in lists.items():
        if names:
            lines += ["", f"[{module}]", *textwrap.wrap(" ".join(sorted(names)), 118)]
    OPERATORS.write_text("\n".join(lines) + "\n")


def share(row: Counter, key: str, of: str = "all") -> str:
    return f"{row[key]} ({100 * row[key] / max(row[of], 1):.1f} %)"


def write(name: str, lines: list[str], today: str) -> None:
    """Put a table between its two marks on the page."""
    text = PAGE.read_text()
    start, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = text.partition(start)
    after = rest.partition(end)[2]
    if not rest:
        raise SystemExit(f"{PAGE.name} has no mark {start.strip()}")
    PAGE.write_text(before + start + f"On {today}:\n\n" + "\n".join(lines) + "\n" + end + after)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
