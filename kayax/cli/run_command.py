"""kayax run: run a Paddle script, as it is, on this package.

`import paddle` and `import paddle.anything` mean this package in the script, in what it imports and in the processes
that it starts.
"""
from __future__ import annotations

import argparse
import os
import runpy
import sys

from kayax.cli.shim import alias


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", action="store_true", dest="module", help="SCRIPT is the name of a module")
    parser.add_argument("script", metavar="SCRIPT", help="a Python file (or, with -m, a module)")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")


def run(options: argparse.Namespace) -> int:
    if not options.module and not os.path.isfile(options.script):
        what = "is a folder, not a script" if os.path.isdir(options.script) else "is not there"
        print(f"kayax run: {options.script!r} {what}.", file=sys.stderr)
        return 2
    alias.install()
    # Processes that the script starts find the folder of the module `paddle` that installs the alias there.
    folder = os.path.dirname(os.path.abspath(alias.__file__))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    sys.path.append(folder)                 # which workers of a DataLoader are given
    try:
        _run(options)
    except Exception as error:
        step = error.__traceback__
        while step is not None and (step.tb_frame.f_code.co_filename in (__file__, runpy.__file__) or
                                    step.tb_frame.f_code.co_filename == "<frozen runpy>"):
            step = step.tb_next
        if step is None:                    # there is no such module
            print(f"kayax run: {error}", file=sys.stderr)
        else:
            sys.excepthook(type(error), error.with_traceback(step), step)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    sys.argv = [options.script, *options.arguments]
    if options.module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(options.script, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(options.script)))
        runpy.run_path(options.script, run_name="__main__")
