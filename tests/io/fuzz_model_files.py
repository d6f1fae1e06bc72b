"""Mutates the files of a saved model and looks at what reading them does.

    python tests/io/fuzz_model_files.py --count 100000 --seed 0

Whatever is in the files, reading ends soon, takes little memory, and gives either the model or a ModelFileError. A file
whose digests do not fit gives the very model that was saved, or the error. The mutations:

    raw       bits, cuts, insertions, copied and zeroed runs: nothing else is touched
    lie       a field of the body gets another value, is removed, added or doubled; digests and the set's name fit again
    msgpack   the body's bytes are damaged; the digest fits again
    program   the bytes of a program are damaged; all digests fit again
    stablehlo the same, but only the StableHLO inside, and its length stays: it reaches XLA's parser
    journal   a journal is there that no save has left
"""
import argparse
import collections
import contextlib
import copy
import functools
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import msgpack
import numpy as np

from kayax.bridge.to_static import exporting
from kayax.io import container, load, model_format
from kayax.io.container import ModelFileError
from kayax.io.load import TranslatedLayer
from kayax.io.model_format import ParamsFile, load_set

GOLDEN = Path(__file__).parent / "data" / "golden" / "v1"
PREFIX = "net"
KINDS = ["raw", "raw", "lie", "lie", "msgpack", "program", "stablehlo", "journal"]
SECONDS, MEGABYTES = 5.0, 400           # the most that one case may take, and that all together may add
STATUSES = {0: "a program", 3: "an error"}
STRANGE = [None, True, False, 0, 1, -1, 2**31, 2**63, 2**64 - 1, -2**63, 1.5, float("nan"), float("inf"), "", "x", "*",
           "../../x", ".pdmodel", "float32", "seq % 0 == 0", "a" * 3000, b"", b"\0" * 32, [], {}, [0], ["x"], [[]],
           [None], {"": 0}, {"value": []}, {"list": ["*"]}, {"namedtuple": ["class", ["def"], ["*"]]}, [2**40, 2**40],
           json.loads("[" * 40 + "]" * 40)]


# Runs the code that it is given in a fork of itself, which has imported JAX already: 20 ms in place of a second.
FORKS = """
import io, json, os, sys, tempfile, traceback, types
from jax import export
answers = os.fdopen(os.dup(1), "w")
while line := sys.stdin.buffer.readline():
    code, arguments, size = json.loads(line)
    data, files = sys.stdin.buffer.read(size), [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
    child = os.fork()
    if child == 0:
        for number, file in enumerate(files, 1):
            os.dup2(file.fileno(), number)
        sys.argv, sys.stdin, status = ["-c", *arguments], types.SimpleNamespace(buffer=io.BytesIO(data)), 0
        try:
            exec(code, {})
        except SystemExit as error:
            status = error.code
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    _, status, usage = os.wait4(child, 0)
    texts = [(file.seek(0), file.read().decode(errors="replace"))[1] for file in files]
    print(json.dumps([os.waitstatus_to_exitcode(status), *texts, usage.ru_maxrss, usage.ru_utime]), file=answers,
          flush=True)
"""


class Parsers:
    """In place of `subprocess.run`, where loading starts a process to parse programs: the same code in a fork."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-P", "-c", FORKS], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=os.environ | {"JAX_PLATFORMS": "cpu"})
        self.ends, self.megabytes, self.seconds = collections.Counter(), 0, 0.0

    def __call__(self, command, *, input, **options):
        code, *arguments = command[command.index("-c") + 1:]
        self.process.stdin.write(json.dumps([code, arguments, len(input)]).encode() + b"\n" + input)
        self.process.stdin.flush()
        status, out, err, kilobytes, seconds = json.loads(self.process.stdout.readline())
        self.ends[status] += 1
        self.megabytes, self.seconds = max(self.megabytes, kilobytes / 1024), max(self.seconds, seconds)
        return subprocess.CompletedProcess(command, status, out.encode(), err.encode())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Model:
    """The files of a good model, their bodies, and a fresh mutation of them on demand."""

    def __init__(self, rng, kinds=KINDS):
        self.rng, self.kinds = rng, kinds
        self.files = {path.name[len(PREFIX):]: path.read_bytes() for path in GOLDEN.glob(f"{PREFIX}.*")}
        self.bodies, self.rests = {}, {}
        for suffix, data in self.files.items():
            end = 64 + int.from_bytes(data[16:24], "little")
            self.bodies[suffix], self.rests[suffix] = data[64:end], data[-(-end // 64) * 64:]

    def some(self, values):
        return values[self.rng.integers(len(values))]

    def mutate(self):
        """The name of a mutation, and the files after it."""
        kind = self.some(self.kinds)
        return kind, {**self.files, **getattr(self, f"_{kind}")(self.some(sorted(self.files)))}

    def _raw(self, suffix):
        return {suffix: self.damage(self.files[suffix])}

    def _msgpack(self, suffix):
        return {suffix: self.seal(suffix, self.damage(self.bodies[suffix]))}

    def _lie(self, suffix):
        bodies = {s: msgpack.unpackb(body) for s, body in self.bodies.items()}
        for _ in range(self.rng.integers(1, 4)):
            self.lie_in(bodies[suffix])
        return self.seal_all(bodies)

    def _program(self, suffix, damage=None):
        bodies = {s: msgpack.unpackb(body) for s, body in self.bodies.items()}
        functions = bodies[self.some([".pdmodel", ".features.pdmodel"])]["functions"]
        programs = functions[self.some(sorted(functions))]["programs"]
        name = self.some(sorted(programs))
        programs[name] = (damage or self.damage)(programs[name])
        return self.seal_all(bodies)

    def _stablehlo(self, suffix):
        return self._program(suffix, self.damage_stablehlo)

    def damage_stablehlo(self, data):
        start = data.index(b"ML\xefR")
        end = start + int.from_bytes(data[start - 4:start], "little")       # a vector of a flatbuffer
        data, rng = bytearray(data), self.rng
        for _ in range(rng.integers(1, 4)):
            at, size = int(rng.integers(start, end)), int(2 ** rng.uniform(0, 5))
            size = min(size, end - at)
            source = int(rng.integers(start, end - size))
            match rng.integers(4):
                case 0:
                    data[at] ^= 1 << rng.integers(8)
                case 1:
                    data[at] = rng.integers(256)
                case 2:
                    data[at:at + size] = data[source:source + size]
                case 3:
                    data[at:at + size], data[source:source + size] = data[source:source + size], data[at:at + size]
        return bytes(data)

    def _journal(self, suffix):
        entry = {"suffix": self.some([".0123456789abcdef.tmp", "", "/../x.tmp", ".tmp", 3]),
                 "names": self.some([[f"{PREFIX}{suffix}"], [], ["../x"], [""], [3], None, ["x" * 300]])}
        data = json.dumps(entry).encode()
        return {".pdcommit": self.damage(data) if self.rng.random() < 0.5 else data}

    def damage(self, data):
        data, rng = bytearray(data), self.rng
        for _ in range(rng.integers(1, 4)):
            at, size = int(rng.integers(len(data) + 1)), int(2 ** rng.uniform(0, 10))
            match rng.integers(6):
                case 0:
                    for place in rng.integers(len(data), size=rng.integers(1, 9)) if data else ():
                        data[place] ^= 1 << rng.integers(8)
                case 1:
                    del data[at:]
                case 2:
                    data[at:at] = rng.bytes(size)
                case 3:
                    data[at:at + size] = bytes(len(data[at:at + size]))
                case 4:
                    start = int(rng.integers(len(data) + 1))
                    data[at:at + size] = data[start:start + size]
                case 5:
                    del data[at:at + size]
        return bytes(data)

    def lie_in(self, body):
        """Change one place of a body, whichever."""
        node, rng = body, self.rng
        while True:
            keys = sorted(node, key=str) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                return
            key = self.some(keys)
            if isinstance(node[key], (dict, list)) and rng.random() < 0.9:
                node = node[key]
                continue
            match rng.integers(4):
                case 0 | 1:
                    node[key] = copy.deepcopy(self.some(STRANGE))
                case 2:
                    del node[key]
                case 3 if isinstance(node, list):
                    node.insert(key, copy.deepcopy(node[self.some(keys)]))
                case 3:
                    node[self.some(["extra", "name", "value", ""])] = copy.deepcopy(node[key])
            return

    def seal(self, suffix, packed):
        head = container.frame(self.files[suffix][:8], packed) + packed
        rest = self.rests[suffix]
        return head + (bytes(-len(head) % 64) + rest if rest else b"")

    def seal_all(self, bodies):
        contents = [hashlib.sha256(msgpack.packb({k: v for k, v in body.items() if k != "set"})).digest()
                    for _, body in sorted(bodies.items())]
        name = hashlib.sha256(b"".join(contents)).hexdigest()[:32]
        return {s: self.seal(s, msgpack.packb(body | {"set": name})) for s, body in bodies.items()}


def read(prefix):
    """Everything that loading does before a program is compiled."""
    parts = load_set(prefix)
    for part in parts.values():
        if isinstance(part, ParamsFile):
            part.verify()
    layer = TranslatedLayer(parts)
    for modes in layer._methods.values():
        for method in modes.values():
            for program in method.imported.exported.values():
                load.check_program(program, str(prefix), "programs")
    return parts


def values(parts):
    arrays = {name: array.tobytes() for part in parts.values() if isinstance(part, ParamsFile)
              for name, array in part.items()}
    return parts[".pdmodel"].functions, parts[".pdiparams.info"].tensors, arrays


def run(count, seed=0, kinds=KINDS):
    """Try `count` mutations: how often each kind was read and refused, and the processes that parsed programs. An
    AssertionError says what went wrong."""
    parsers = Parsers()
    # Each case reads nine programs, of which it damages one at most; and a mixed set is not the sign of a busy writer.
    with (tempfile.TemporaryDirectory(prefix="fuzz") as folder,
          mock.patch.object(exporting, "_from_bytes", functools.lru_cache(64)(exporting._from_bytes)),
          mock.patch.object(load, "check_program", functools.lru_cache(64)(load.check_program)),
          mock.patch.object(model_format, "_TRIES", 1), mock.patch.object(subprocess, "run", parsers),
          mock.patch.dict(os.environ, KAYAX_CACHE=folder), contextlib.closing(parsers)):
        return _run(Path(folder), count, seed, kinds), parsers


def _run(folder, count, seed, kinds):
    rng = np.random.default_rng(seed)
    model, results = Model(rng, kinds), collections.Counter()
    for suffix, data in model.files.items():
        (folder / f"{PREFIX}{suffix}").write_bytes(data)
    good = values(read(folder / PREFIX))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    written = dict(model.files)
    for number in range(count):
        kind, files = model.mutate()
        for suffix in written.keys() | files.keys():
            path = folder / f"{PREFIX}{suffix}"
            if suffix not in files:
                path.unlink()
            elif files[suffix] != written.get(suffix):
                path.write_bytes(files[suffix])
        written, start, where = files, time.process_time(), f"case {number} of seed {seed} ({kind})"
        try:
            parts = read(folder / PREFIX)
            results[kind, "read"] += 1
            if kind in ("raw", "journal"):
                assert values(parts) == good, f"{where}: another model was read"
        except ModelFileError as error:
            results[kind, "refused"] += 1
            assert error.path.startswith(str(folder)) and error.offset >= 0, f"{where}: {error}"
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
        took = time.process_time() - start
        assert took < SECONDS, f"{where}: took {took:.1f} seconds"
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
        assert more < MEGABYTES, f"{where}: {more:.0f} MB more memory"
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=sorted(set(KINDS)), default=KINDS)
    options = parser.parse_args()
    began = time.perf_counter()
    found, children = run(options.count, options.seed, options.kinds)
    for (name, result), times in sorted(found.items()):
        print(f"{name:10} {result:10} {times:8,}")
    for status, times in children.ends.items():
        print(f"processes that parsed and ended with {STATUSES.get(status, status)}: {times:,}")
    print(f"the largest took {children.megabytes:.0f} MB, the longest {children.seconds:.1f} s of CPU")
    print(f"{options.count:,} mutations in {time.perf_counter() - began:.0f} s; none crashed, hung or was misread")
