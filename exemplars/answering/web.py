"""The web server: OpenAI's chat API over Starlette. Imports Starlette."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from exemplars.answering.chat_api import (
    CONTEXT_LENGTH,
    ApiError,
    Reply,
    build_task,
    check_tagger_task,
    decode_request,
    describe_user_error,
    encode_completion,
    list_chunks,
)
from exemplars.answering.request_bodies import BodyError, read_body
from exemplars.answering.systems import System, TaggerSystem, Task
from exemplars.core.errors import UserError, quote_text, suggest_name
from exemplars.dataset.catalog import Skill

_LOCAL_HOSTS: Final = ["localhost", "127.0.0.1", "[::1]"]
"""What a request may call this machine: a page of the web that has a name of its own for it is refused."""
_HUNG_UP: Final = Response(status_code=499)
"""Nobody receives it."""


class Limits(NamedTuple):
    """What the server takes on."""

    body_bytes: int = 2**20
    body_seconds: float = 30
    """Until a body has arrived."""
    queue: int = 8
    """The requests that may wait; one at a time is answered, since it takes all cores."""
    retry_seconds: int = 1
    """When a client that finds the queue full should come back."""


class Service(NamedTuple):
    """What is served."""

    systems: Mapping[str, System]
    """By the names of the models; the first is the one that is meant if there is any choice."""
    catalog: Sequence[Skill]
    today: datetime.date | None
    """What relative dates refer to; `None`: the day of the request."""
    limits: Limits = Limits()


def build_app(service: Service, *, is_local: bool) -> Starlette:
    """Build the application. is_local: whether only this machine can reach it."""
    server = _Server(service)
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=_LOCAL_HOSTS)
    return Starlette(
        routes=[
            Route("/health", server.report_health),
            Route("/v1/models", server.list_models),
            Route("/v1/chat/completions", server.complete, methods=["POST"]),
        ],
        middleware=[guard] if is_local else [],
        exception_handlers={HTTPException: _answer_http_error, Exception: _answer_fault},
    )


class _Server:
    """The handlers of the routes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turnstile = asyncio.Semaphore(1)
        self._waiting = 0
        self._started = int(time.time())

    async def report_health(self, _request: Request) -> Response:
        """Report that the server runs, and how many requests wait."""
        return JSONResponse({"status": "ok", "waiting": self._waiting})

    async def list_models(self, _request: Request) -> Response:
        """List the models, as OpenAI does."""
        models = [
            {"id": name, "object": "model", "created": self._started, "owned_by": "exemplars"}
            for name in self._service.systems
        ]
        return JSONResponse({"object": "list", "data": models})

    async def complete(self, request: Request) -> Response:
        """Answer a chat."""
        try:
            return await self._complete(request)
        except ClientDisconnect:
            return _HUNG_UP
        except ApiError as error:
            headers = {"Retry-After": str(self._service.limits.retry_seconds)} if error.status == 503 else {}
            return JSONResponse(error.encode(), error.status, headers)

    async def _complete(self, request: Request) -> Response:
        chat = decode_request(await self._read_body(request))
        system = self._find_system(chat.model)
        today = self._service.today or datetime.datetime.now().astimezone().date()
        task = build_task(chat, self._service.catalog, today)
        if isinstance(system, TaggerSystem):
            check_tagger_task(system, task)
        answered = await self._answer(request, system, task)
        if answered is None:
            return _HUNG_UP
        if answered.is_too_long:
            raise ApiError(answered.problem, param="messages", code=CONTEXT_LENGTH)
        reply = Reply(answered, chat.model, uuid.uuid4().hex, int(time.time()))
        if not chat.stream:
            return JSONResponse(encode_completion(reply))
        events = [json.dumps(chunk) for chunk in list_chunks(reply, has_usage=chat.wants_usage)]
        lines = (f"data: {event}\n\n" for event in [*events, "[DONE]"])
        return StreamingResponse(lines, media_type="text/event-stream")

    async def _answer(self, request: Request, system: System, task: Task) -> Any:
        """Answer a task when it is its turn; `None` if the client has hung up by then."""
        if self._waiting >= self._service.limits.queue:
            raise ApiError("Too many requests wait.", status=503, code="overloaded")
        self._waiting += 1
        try:
            await self._turnstile.acquire()
        finally:
            self._waiting -= 1
        try:
            if await request.is_disconnected():
                return None
            return await run_in_threadpool(system.answer, task)
        except UserError as error:
            raise describe_user_error(error) from None
        finally:
            self._turnstile.release()

    async def _read_body(self, request: Request) -> bytes:
        limits = self._service.limits
        try:
            return await read_body(request, limits.body_bytes, limits.body_seconds)
        except BodyError as error:
            raise ApiError(error.message, status=error.status, code=error.code) from None

    def _find_system(self, name: str) -> System:
        system = self._service.systems.get(name)
        if system is None:
            names = list(self._service.systems)
            advice = suggest_name(name, names) or f"served are: {', '.join(names)}"
            raise ApiError(
                f"There is no model {quote_text(name)}; {advice}",
                status=404,
                param="model",
                code="model_not_found",
            )
        return system


async def _answer_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(ApiError(error.detail, status=error.status_code).encode(), error.status_code)


async def _answer_fault(_request: Request, _error: Exception) -> Response:
    return JSONResponse(ApiError("The server has a fault; its log says which.", status=500).encode(), 500)
