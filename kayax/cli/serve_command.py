"""kayax serve: answer inference requests over HTTP with a saved model.

Follows the Open Inference Protocol, version 2 (KServe, Triton): /v2/health/live, /v2/health/ready, /v2/models/NAME and
/v2/models/NAME/infer, with JSON or binary tensors; and /metrics for Prometheus. It listens on this machine alone unless
--host says otherwise: it has no users and no encryption, so put a proxy that has in front of it. SIGTERM ends it after
the requests that are running.
"""
from __future__ import annotations

import argparse
import json
import logging
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="the prefix that jit.save was given")
    parser.add_argument("--name", help="the model's name in the protocol (the prefix's last part)")
    parser.add_argument("--method", default="forward", help="which method of the model (forward)")
    parser.add_argument("--digest", help="the digest that the model must have (kayax inspect)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 takes a free one (8000)")
    parser.add_argument("--max-batch", type=int, default=32, help="rows that run as one; 1 turns batching off (32)")
    parser.add_argument("--workers", type=int, default=1, help="batches that run at the same time (1)")
    parser.add_argument("--max-body", type=int, default=64 << 20, metavar="BYTES", help="largest request (64 MiB)")
    parser.add_argument("--max-queue", type=int, default=256, help="requests that may wait; more get 503 (256)")
    parser.add_argument("--max-programs", type=int, default=64, help="combinations of shapes that are compiled (64)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds until a request is given up (60)")
    parser.add_argument("--warm-up", action="append", default=[], metavar="JSON", type=_shapes,
                        help="compile for these shapes first: '{\"x\": [8, 3, 224, 224]}' (may be repeated)")
    parser.add_argument("--cache", metavar="FOLDER", help="keep compiled programs there for the next start")


def _shapes(text: str) -> dict[str, list[int]]:
    shapes = json.loads(text)
    if not isinstance(shapes, dict):
        raise ValueError("no JSON object")
    return shapes


def run(options: argparse.Namespace) -> int:
    try:
        import uvicorn

        from kayax.serve.app import Limits, make_app
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "prometheus_client"):
            raise
        print(f"kayax serve needs the package {error.name}: pip install 'kayax[serve]'", file=sys.stderr)
        return 2
    from kayax.io.session import Session, keep_compiled_programs
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    if options.cache:
        keep_compiled_programs(options.cache)
    try:
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
    uvicorn.run(app, host=options.host, port=options.port, log_level="info", access_log=False,
                timeout_graceful_shutdown=max(1, int(options.timeout)))
    return 0
