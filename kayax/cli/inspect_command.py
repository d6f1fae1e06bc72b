"""kayax inspect: show what is in a saved model.

Its functions with their inputs, outputs and operations, its parameters, sizes, digest and versions. None of it is run.
"""
from __future__ import annotations

import argparse
import json
from typing import Any

from kayax.cli.model_facts import facts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="the prefix that jit.save was given, here or in PaddlePaddle, or a "
                        "file of paddle.save")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--no-ops", action="store_true", help="do not parse the programs to count their operations")
    parser.add_argument("--all", action="store_true", help="list every parameter (otherwise the largest 20)")


def run(options: argparse.Namespace) -> int:
    found = facts(options.path, ops=not options.no_ops)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print("\n".join(_lines(options.path, found, None if options.all else 20)))
    return 0


def _lines(path: str, found: dict[str, Any], most: int | None) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    lines = [f"{path}", f"  digest    {found['digest']}", *([f"  written by {versions}"] if versions else [])]
    lines += [f"  {size(n):>10}  {path.rpartition('/')[2]}{suffix}" for suffix, n in found["files"].items()]
    for function in found["functions"]:
        lines += ["", *_function_lines(function)]
    return lines + ["", *_tensor_lines(found["tensors"], most)]


def _function_lines(function: dict[str, Any]) -> list[str]:
    mode = "" if function["mode"] == "any" else f" in {function['mode']} mode"
    lines = [f"{function['name']}{mode}: {function['arguments']} -> {function['result']}"]
    lines += [f"  input   {i['name'] or n}: {i['dtype']}{dims(i['shape'])}" for n, i in enumerate(function["inputs"])]
    lines += [f"  where   {constraint}" for constraint in function["constraints"]]
    lines += [f"  output  {n}: {o['dtype']}{dims(o['shape'])}" for n, o in enumerate(function["outputs"])]
    lines += [f"  writes  {', '.join(function['writes'])}"] if function["writes"] else []
    lines += ["  draws random numbers"] if function["random"] else []
    lines += [f"  can {'' if function['trainable'] else 'not '}be trained; for {', '.join(function['platforms'])}"]
    for name, program in function["programs"].items():
        counts = program.get("operations")
        text = f": {sum(counts.values())} operations ({_top(counts)})" if counts else ""
        lines.append(f"  program {name}, {size(program['bytes'])}{text}")
    return lines


def _top(counts: dict[str, int]) -> str:
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {name}" for name, n in shown[:8]) + (", ..." if len(shown) > 8 else "")


def _tensor_lines(tensors: list[dict[str, Any]], most: int | None) -> list[str]:
    own = [t for t in tensors if not t["tied"]]
    trained = sum(count(t) for t in own if t["trainable"])
    lines = [f"{len(tensors)} tensors, {sum(map(count, own)):,} values, {trained:,} of them trainable"]
    shown = tensors if most is None else sorted(tensors, key=count, reverse=True)[:most]
    width = max((len(t["name"]) for t in shown), default=0)
    for t in shown:
        kind = "tied" if t["tied"] else "buffer" if t["buffer"] else "" if t["trainable"] else "frozen"
        lines.append(f"  {t['name']:{width}}  {t['dtype']}{dims(t['shape'])}  {kind}".rstrip())
    return lines + ([f"  and {len(tensors) - len(shown)} smaller ones (--all)"] if len(shown) < len(tensors) else [])


def count(tensor: dict[str, Any]) -> int:
    """How many values a tensor has."""
    total = 1
    for dim in tensor["shape"]:
        total *= dim
    return total


def dims(shape: list[Any]) -> str:
    """A shape with names of dims as they are, and ? for any size."""
    return f"[{', '.join('?' if d is None or str(d).startswith('_') else str(d) for d in shape)}]"


def size(n: float) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"
