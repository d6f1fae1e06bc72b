"""``kayax COMMAND ...``: finds the command and runs it."""
from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from kayax.io.model_format import ModelFileError
from kayax.io.paddle.interpret import UnknownOperationError
from kayax.io.state_file import StateFileError

# Each is a module of this package with `add_arguments(parser)` and `run(options) -> exit status`; its first docstring
# line is its help.
COMMANDS = ("inspect", "verify", "diff", "run", "serve", "export")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit status is 0 if all is well, 2 if a file or an argument is wrong."""
    parser = argparse.ArgumentParser(prog="kayax", description="Models saved by kayax.jit.save, and Paddle scripts.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"kayax.cli.{name}_command")
        text = (module.__doc__ or "").strip()
        command = commands.add_parser(name, help=text.splitlines()[0].split(": ", 1)[1], description=text,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    if options.command == "run":                # what the script raises is its own
        return options.run(options)
    try:
        return options.run(options)
    except BrokenPipeError:                     # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ModelFileError, StateFileError, OSError, UnknownOperationError) as error:
        print(f"kayax {options.command}: {error}", file=sys.stderr)
        return 2
