"""kayax verify: check every byte of a saved model.

All digests, all fields, all values; and every program is parsed, in a process of its own, so that even a file made to
crash the parser does no harm. Of PaddlePaddle's files, which have no digests, everything is read. The exit status is 0
if all is well, 2 if not.
"""
from __future__ import annotations

import argparse

from kayax.cli.model_facts import count_operations, find_parts
from kayax.cli.paddle_facts import is_paddles, verified
from kayax.io.model_format import MODEL, ModelFile, ParamsFile
from kayax.io.saved_function import read_function
from kayax.io.stored import find_arrays


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="the prefix that jit.save was given")
    parser.add_argument("--digest", help="the digest that the model must have")


def run(options: argparse.Namespace) -> int:
    if options.digest is None and is_paddles(options.path):
        print(verified(options.path))
        return 0
    parts = find_parts(options.path, options.digest)
    arrays = find_arrays(parts)
    values = 0
    for part in parts.values():
        if isinstance(part, ParamsFile):
            part.verify()
            values += part.nbytes
        elif isinstance(part, ModelFile):
            for mode, record in part.functions.items():
                read_function(record, part.path, f"model.functions[{mode!r}]")
    counts = count_operations(options.path)
    programs = sum(len(by_name) for by_mode in counts.values() for by_name in by_mode.values())
    print(f"{options.path}: {len(parts)} files, {programs} programs, {len(arrays)} tensors, {values:,} bytes of "
          f"values, all as they were saved\ndigest {parts[MODEL].set_id}")
    return 0
