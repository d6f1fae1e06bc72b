"""kayax diff: show where two saved models differ.

Functions, inputs, outputs, operations, and parameters with the largest difference of their values. The exit status is 0
if the models are the same, 1 if they differ, 2 if one cannot be read.
"""
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from kayax.cli.inspect_command import dims
from kayax.cli.model_facts import count_operations, facts, find_values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", help="the prefix of one model")
    parser.add_argument("b", help="the prefix of the other")


def run(options: argparse.Namespace) -> int:
    a, b = facts(options.a, ops=False), facts(options.b, ops=False)
    if a["digest"] == b["digest"]:
        print(f"the same model, digest {a['digest']}")
        return 0
    lines = [*_versions(a, b), *_functions(options, a, b), *_tensors(options, a, b)]
    print("\n".join(lines) if lines else "the same functions and values; other facts of the files differ")
    return 1


def _versions(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    names = sorted(a["versions"].keys() | b["versions"].keys())
    return [f"version of {n}: {a['versions'].get(n)} -> {b['versions'].get(n)}" for n in names
            if a["versions"].get(n) != b["versions"].get(n)]


def _functions(options: argparse.Namespace, a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    counts: list[dict[str, Any]] = []           # counted when first needed
    old, new = ({f"{f['name']} ({f['mode']})": f for f in found["functions"]} for found in (a, b))
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in old or name not in new:
            lines.append(f"{'-' if name in old else '+'} function {name}")
            continue
        for key in ("inputs", "constraints", "arguments", "outputs", "result", "writes", "random", "trainable"):
            before, after = _text(old[name][key]), _text(new[name][key])
            lines += [f"  {name} {key}: {before} -> {after}"] if before != after else []
        for program in sorted(old[name]["programs"].keys() & new[name]["programs"].keys()):
            if old[name]["programs"][program]["sha256"] == new[name]["programs"][program]["sha256"]:
                continue
            counts = counts or [count_operations(path) for path in (options.a, options.b)]
            before, after = (count[f[name]["file"]][f[name]["mode"]][program]
                             for count, f in zip(counts, (old, new), strict=True))
            changed = [f"{op} {before.get(op, 0)} -> {after.get(op, 0)}" for op in sorted(before.keys() | after.keys())
                       if before.get(op) != after.get(op)]
            lines.append(f"  {name} program {program}: {', '.join(changed) or 'the same operations in another way'}")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "; ".join(f"{v.get('name') or n}: {v['dtype']}{dims(v['shape'])}" for n, v in enumerate(value))
    return str(value)


def _tensors(options: argparse.Namespace, a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    old, new = ({t["name"]: t for t in found["tensors"]} for found in (a, b))
    values = [find_values(path) for path in (options.a, options.b)]
    lines, same = [], 0
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in old or name not in new:
            t = old.get(name) or new[name]
            lines.append(f"{'-' if name in old else '+'} tensor {name}: {t['dtype']}{dims(t['shape'])}")
            continue
        before, after = (f"{t['dtype']}{dims(t['shape'])}" for t in (old[name], new[name]))
        flags = [f"{key} {old[name][key]} -> {new[name][key]}" for key in ("unique_name", "trainable", "buffer")
                 if old[name][key] != new[name][key]]
        if before != after:
            lines.append(f"  {name}: {before} -> {after}")
        elif old[name]["sha256"] != new[name]["sha256"]:
            flags.append(_difference(*(found(name) for found in values)))
        same += before == after and not flags
        lines += [f"  {name}: {'; '.join(flags)}"] if flags else []
    return [*lines, f"  {same} tensors are the same"] if lines else []


def _difference(a: np.ndarray, b: np.ndarray) -> str:
    if a.dtype.kind in "iub":
        return f"{int((a != b).sum())} of {a.size} values differ"
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        return (f"values differ by at most {np.abs(a - b).max():.3g} "
                f"({np.linalg.norm((a - b).ravel()) / np.linalg.norm(a.ravel()):.2g} of the norm)")
