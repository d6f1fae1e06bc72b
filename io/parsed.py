"""Programs are parsed in a process of their own before this one parses them.

XLA's parser is not made for hostile bytes: of some it dies, and the process with it. A digest that fits says nothing
against that, since whoever makes such a file makes its digest too. So programs that are not known yet are parsed by a
child, once: what has been parsed, and what was saved on this machine, is kept in a file of digests in the user's cache
(``KAYAX_CACHE`` names another folder than ``~/.cache/kayax``).
"""
from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kayax.io import atomic
from kayax.io.container import PREAMBLE, ModelFileError
from kayax.io.model_format import ModelFile

_SECONDS = 300              # by the clock; what a computer of any speed is held to is the child's own CPU time
_KEY, _MOST_KEYS = 32, 1 << 14
# Its limits leave honest programs room: 50 MB of them take 1 s and 500 MB. Windows has no such limits.
_CHILD = """
import json, sys
from jax import export
sizes = list(map(int, sys.argv[1:]))
try:
    import resource
    total = sum(sizes)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for limit, value in ((resource.RLIMIT_DATA, (2 << 30) + 64 * total), (resource.RLIMIT_CORE, 0),
                         (resource.RLIMIT_CPU, int(used) + 20 + (total >> 17))):
        most = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if most == resource.RLIM_INFINITY else min(value, most), most))
except ImportError:
    pass
for size in sizes:
    data = sys.stdin.buffer.read(size)
    try:
        export.deserialize(bytearray(data)).mlir_module()
    except Exception as error:
        print(json.dumps((str(error).splitlines() or [type(error).__name__])[0][:200]))
        sys.exit(3)
"""
_known: set[bytes] = set()


def _key(programs: Mapping[str, bytes]) -> bytes:
    """Names these programs, for the parser that is installed."""
    parts = [importlib.metadata.version("jaxlib").encode()]
    parts += [hashlib.sha256(programs[name]).digest() for name in sorted(programs)]
    return hashlib.sha256(b"".join(parts)).digest()


def trust(programs: Mapping[str, bytes], keep: bool = False) -> None:
    """Take these programs for good, in this process; with `keep`, in later ones too."""
    key = _key(programs)
    _known.add(key)
    if keep and key not in _kept():
        _keep(key)


def trust_all(parts: Mapping[str, Any]) -> None:
    """Take the programs of a model for good whose digest somebody vouches for."""
    for part in parts.values():
        for record in part.functions.values() if isinstance(part, ModelFile) else ():
            trust(record.programs)


def check_parses(programs: Mapping[str, bytes], path: str, where: str) -> None:
    """Raise ModelFileError if a program cannot be parsed, or makes the parser fail."""
    key = _key(programs)
    if key in _known:
        return
    # A frozen application's executable is the application.
    if key not in _kept() and sys.executable and not getattr(sys, "frozen", False):
        _parse_apart(programs, path, where)
        _keep(key)
    _known.add(key)


def _parse_apart(programs: Mapping[str, bytes], path: str, where: str) -> None:
    def refuse(problem: str) -> ModelFileError:
        return ModelFileError(path, PREAMBLE, problem, "Do not use this file.", f"{where}.programs")

    try:
        done = subprocess.run([sys.executable, "-P", "-c", _CHILD, *(str(len(data)) for data in programs.values())],
                              input=b"".join(programs.values()), capture_output=True, timeout=_SECONDS,
                              env=os.environ | {"JAX_PLATFORMS": "cpu"})
    except subprocess.TimeoutExpired:
        raise refuse(f"a program in it takes more than {_SECONDS} s to parse.") from None
    if done.returncode == 3:
        raise refuse(f"a program in it cannot be parsed ({json.loads(done.stdout)}).")
    if done.returncode != 0:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
        raise refuse(f"a program in it makes XLA's parser fail (status {done.returncode}: {reason[:200]}).")


def _file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.environ.get("KAYAX_CACHE") or os.path.join(home, "kayax")) / "parsed_programs"


def _kept() -> set[bytes]:
    try:
        data = _file().read_bytes()
    except OSError:
        return set()
    return {data[i:i + _KEY] for i in range(0, len(data), _KEY)}


def _keep(key: bytes) -> None:
    """Note it for later processes. Where nothing can be written, they parse again."""
    path = _file()
    try:
        if path.is_file() and (path.stat().st_size % _KEY or path.stat().st_size >= _MOST_KEYS * _KEY):
            atomic.write_file(path, key)            # begin anew
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab", buffering=0) as file:         # so short a write is whole beside other processes'
            file.write(key)
    except OSError:
        pass


__all__ = ["check_parses", "trust", "trust_all"]
