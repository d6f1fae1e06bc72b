"""The service: routes of the Open Inference Protocol, limits, and errors."""
from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import kayax
from kayax.io.session import Session
from kayax.serve.batching import Batcher
from kayax.serve.metrics import Metrics
from kayax.serve.protocol import HEADER, Request, RequestError, datatype_of, response

_log = logging.getLogger("kayax.serve")
VERSION = "1"
CLIENT_LEFT = 499               # as nginx counts them
_WINDOW_BITS = {"gzip": 31, "deflate": 15}


@dataclass
class Limits:
    """What one client may ask for.

    max_body: bytes of a request, also after decompression. max_batch: rows that run as one. workers: batches that run
    at the same time. max_queue: requests that wait. max_programs: combinations of shapes that are compiled. timeout:
    seconds until a request is given up: for its body to arrive, and for an answer.
    """

    max_body: int = 64 << 20
    max_batch: int = 32
    workers: int = 1
    max_queue: int = 256
    max_programs: int = 64
    timeout: float = 60.0


class Service:
    """One model and what its routes do."""

    def __init__(self, session: Session, name: str, limits: Limits):
        self.session, self.name, self.limits = session, name, limits
        for dtype in [spec.dtype for spec in session.inputs] + [dtype for dtype, _ in session.outputs]:
            datatype_of(dtype)
        self.metrics = Metrics(name)
        self.batcher = Batcher(session, self.metrics, limits.max_batch, limits.workers, limits.max_queue,
                               limits.max_programs)
        self.ready = True

    # ---- health and metadata -----------------------------------------------------------------------------------

    async def live(self, request: HttpRequest) -> Response:
        return JSONResponse({"live": True})

    async def is_ready(self, request: HttpRequest) -> Response:
        self._check_model(request)
        return JSONResponse({"ready": self.ready}, status_code=200 if self.ready else 503)

    async def server(self, request: HttpRequest) -> Response:
        return JSONResponse({"name": "kayax", "version": kayax.__version__, "extensions": ["binary_tensor_data"]})

    async def model(self, request: HttpRequest) -> Response:
        self._check_model(request)
        described = {
            "name": self.name, "versions": [VERSION], "platform": "kayax_stablehlo",
            "inputs": [_tensor(spec.name, spec.dtype, spec.shape) for spec in self.session.inputs],
            "outputs": [_tensor(name, dtype, shape) for name, (dtype, shape)
                        in zip(self.session.output_names, self.session.outputs, strict=True)],
            "parameters": {"digest": self.session.digest, "max_batch": self.batcher.max_batch,
                           "constraints": self.session.constraints}}
        return JSONResponse(described)

    async def show_metrics(self, request: HttpRequest) -> Response:
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    # ---- inference ---------------------------------------------------------------------------------------------

    async def infer(self, request: HttpRequest) -> Response:
        start, status = time.perf_counter(), 500
        try:
            answer = await self._infer(request)
            status = answer.status_code
            return answer
        except RequestError as error:
            status = error.status
            raise
        except ClientDisconnect:                # nobody is there to be answered
            status = CLIENT_LEFT
            return Response(status_code=status)
        finally:
            self.metrics.answered(status, time.perf_counter() - start)

    async def _infer(self, request: HttpRequest) -> Response:
        self._check_model(request)
        body = await self._body(request)
        asked = await run_in_threadpool(Request, body, request.headers.get(HEADER), self.session.inputs,
                                        self.session.output_names)
        try:
            outputs = await asyncio.wait_for(self.batcher.infer(asked.arrays), self.limits.timeout)
        except TimeoutError:
            raise RequestError(503, f"No answer within {self.limits.timeout:g} seconds. Try again later.") from None
        content, headers = await run_in_threadpool(response, self.name, VERSION, asked, outputs,
                                                   self.session.output_names)
        return Response(content, headers=headers)

    def _check_model(self, request: HttpRequest) -> None:
        name, version = request.path_params.get("model", self.name), request.path_params.get("version", VERSION)
        if name != self.name or version != VERSION:
            raise RequestError(404, f"There is no model {name!r} of version {version!r}. The model is {self.name!r}, "
                               f"version {VERSION!r}.")

    async def _body(self, request: HttpRequest) -> bytes:
        most, encoding = self.limits.max_body, request.headers.get("Content-Encoding", "identity")
        too_large = RequestError(413, f"The body has more than {most} bytes, which is the most that this server takes.")
        if encoding not in ("identity", *_WINDOW_BITS):
            raise RequestError(415, f"The Content-Encoding {encoding[:40]!r} is not known: use gzip, deflate or none.")
        length = request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > most:
            raise too_large
        chunks, total = [], 0
        try:
            async with asyncio.timeout(self.limits.timeout):
                async for chunk in request.stream():
                    total += len(chunk)
                    if total > most:
                        raise too_large
                    chunks.append(chunk)
        except TimeoutError:
            raise RequestError(408, f"The body did not arrive within {self.limits.timeout:g} seconds.") from None
        body = b"".join(chunks)
        if encoding == "identity":
            return body
        unpacker = zlib.decompressobj(_WINDOW_BITS[encoding])
        try:
            unpacked = unpacker.decompress(body, most + 1)
        except zlib.error as error:
            raise RequestError(400, f"The body is not valid {encoding}: {error}.") from None
        if len(unpacked) > most:
            raise too_large
        if not unpacker.eof or unpacker.unused_data:
            raise RequestError(400, f"The body is not valid {encoding}: it is cut short, or more follows.")
        return unpacked

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.ready = False
        await run_in_threadpool(self.batcher.close)


def make_app(session: Session, name: str, limits: Limits | None = None) -> Starlette:
    """The ASGI application that serves one model under a name.

    Raises ValueError if the model has dtypes that the protocol cannot name.
    """
    service = Service(session, name, limits or Limits())
    model = "/v2/models/{model}"
    routes = [Route("/v2", service.server), Route("/v2/health/live", service.live),
              Route("/v2/health/ready", service.is_ready), Route("/metrics", service.show_metrics)]
    for base in (model, model + "/versions/{version}"):
        routes += [Route(base, service.model), Route(base + "/ready", service.is_ready),
                   Route(base + "/infer", service.infer, methods=["POST"])]
    handlers: dict[Any, Callable[[HttpRequest, Any], Awaitable[Response]]] = {
        RequestError: _refused, HTTPException: _http_error, Exception: _failed}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=service.lifespan)  # type: ignore[arg-type]


async def _refused(request: HttpRequest, error: RequestError) -> Response:
    headers = {"Retry-After": "1"} if error.status == 503 else None
    return JSONResponse({"error": error.problem}, error.status, headers)


async def _http_error(request: HttpRequest, error: HTTPException) -> Response:
    problem = f"{request.method} {request.url.path}: {error.detail}."
    return JSONResponse({"error": problem}, error.status_code, error.headers)


async def _failed(request: HttpRequest, error: Exception) -> Response:
    return JSONResponse({"error": "The server failed to answer; its log says why."}, 500)


def _tensor(name: str | None, dtype: Any, shape: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype_of(dtype),
            "shape": [dim if isinstance(dim, int) and dim >= 0 else -1 for dim in shape]}
