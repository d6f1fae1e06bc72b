"""kayax serve: answer inference requests over HTTP with a saved model.

Follows the Open Inference Protocol, version 2 (KServe, Triton): /v2/health/live, /v2/health/ready, /v2/models/NAME and
/v2/models/NAME/infer, with JSON or binary tensors; and /metrics for Prometheus. It listens on this machine alone unless
--host says otherwise: it has no users and no encryption, so put a proxy that has in front of it. SIGTERM ends it after
the requests that are running.
"""
from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import socket
import sys

from kayax.cli.model_facts import check_there
from kayax.cli.paddle_facts import is_paddles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="the prefix that jit.save was given")
    parser.add_argument("--name", help="the model's name in the protocol (the prefix's last part)")
    parser.add_argument("--method", default="forward", help="which method of the model (forward)")
    parser.add_argument("--digest", help="the digest that the model must have (kayax inspect)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, help="the port; 0 takes a free one (8000)")
    parser.add_argument("--max-batch", type=_count, default=32, help="rows that run as one; 1 turns batching off (32)")
    parser.add_argument("--workers", type=_count, default=1, help="batches that run at the same time (1)")
    parser.add_argument("--max-body", type=_count, default=64 << 20, metavar="BYTES", help="largest request (64 MiB)")
    parser.add_argument("--max-queue", type=_count, default=256, help="requests that may wait; more get 503 (256)")
    parser.add_argument("--max-programs", type=_count, default=64, help="combinations of shapes that are compiled (64)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds until a request is given up (60)")
    parser.add_argument("--warm-up", action="append", default=[], metavar="JSON", type=_shapes,
                        help="compile for these shapes first: '{\"x\": [8, 3, 224, 224]}' (may be repeated)")
    parser.add_argument("--cache", metavar="FOLDER", help="keep compiled programs there for the next start")


def _shapes(text: str) -> dict[str, list[int]]:
    try:
        shapes = json.loads(text)
        return {name: [int(size) for size in shape] for name, shape in shapes.items()}
    except (ValueError, TypeError, AttributeError):
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON object such as '{{\"x\": [8, 3, 224, 224]}}'") from None


def _count(text: str) -> int:
    return _between(text, 1, 1 << 62)


def _port(text: str) -> int:
    return _between(text, 0, 65535)


def _between(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least}" + (
            f" to {most}" if most < 1 << 62 else ""))
    return int(text)


def run(options: argparse.Namespace) -> int:
    try:
        for name in ("uvicorn", "kayax.serve.app"):
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "prometheus_client"):
            raise
        print(f"kayax serve needs the package {error.name}: pip install 'kayax[serve]'", file=sys.stderr)
        return 2
    if not is_paddles(options.path):
        check_there(options.path)
    with _listen(options.host, options.port) as listening:      # before the model is loaded
        return _serve(options, listening)


def _serve(options: argparse.Namespace, listening: socket.socket) -> int:
    import uvicorn

    from kayax.io.session import Session, keep_compiled_programs
    from kayax.serve.app import Limits, make_app
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    try:
        if options.cache:
            keep_compiled_programs(options.cache)
        session = Session(options.path, options.method, options.digest)
        for shapes in options.warm_up:
            logging.info("compiled for %s in %.1f s", shapes, session.warm_up(shapes))
        limits = Limits(options.max_body, options.max_batch, options.workers, options.max_queue, options.max_programs,
                        options.timeout)
        name = options.name or os.path.basename(options.path)
        app = make_app(session, name, limits)
    except (ValueError, KeyError) as error:
        print(f"kayax serve: {error}", file=sys.stderr)
        return 2
    logging.info("model %s, digest %s", name, session.digest)
    server = uvicorn.Server(uvicorn.Config(app, log_level="info", access_log=False,
                                           timeout_graceful_shutdown=max(1, int(options.timeout))))
    host, port = listening.getsockname()[:2]            # requests wait in the socket until the server has started
    logging.info("running on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    server.run(sockets=[listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """The socket. Raises OSError if somebody else has it."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {str(error.strerror).partition(' (')[0]}.") from None
