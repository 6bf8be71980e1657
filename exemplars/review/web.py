"""The web server of a review: the page, its files, and what its script asks for. Imports Starlette."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from exemplars.answering.request_bodies import BodyError, read_body
from exemplars.core.errors import UserError
from exemplars.review.dataset_index import RowFilter
from exemplars.review.guard import Guard
from exemplars.review.queues import Queue
from exemplars.review.requests import CheckRequest, DecisionRequest, UndoRequest
from exemplars.review.session import Refusal, ReviewSession

_BODY_BYTES: Final = 2**20
_BODY_SECONDS: Final = 20.0
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_PAGE: Final = "index.html"

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]


def build_app(session: ReviewSession, token: str) -> Starlette:
    """Build the application. token: the first part of all its paths."""
    server = _Server(session)
    api = {
        "start": server.start,
        "queue": server.list_queue,
        "row": server.show_row,
        "skill": server.show_skill,
        "nearest": server.show_nearest,
        "tagger": server.ask_tagger,
        "rows": server.browse,
    }
    actions = {"check": server.check, "decide": server.decide, "undo": server.undo}
    return Starlette(
        routes=[
            Route(f"/{token}/", _send_page),
            *(Route(f"/{token}/api/{name}", handler) for name, handler in api.items()),
            *(Route(f"/{token}/api/{name}", handler, methods=["POST"]) for name, handler in actions.items()),
            Route(f"/{token}/{{name}}", _send_file),
        ],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={
            HTTPException: _answer_http_error,
            Refusal: _answer_refusal,
            UserError: _answer_user_error,
            OSError: _answer_os_error,
            BodyError: _answer_body_error,
            msgspec.DecodeError: _answer_bad_request,
            ClientDisconnect: _answer_nobody,
            Exception: _answer_fault,
        },
    )


class _Server:
    """The handlers of the routes; the session works in a thread, so that it blocks no other request."""

    def __init__(self, session: ReviewSession) -> None:
        self._session = session

    async def start(self, _request: Request) -> Response:
        return await _answer(self._session.start)

    async def list_queue(self, request: Request) -> Response:
        queue = msgspec.convert(request.query_params.get("name"), Queue)
        return await _answer(self._session.list_queue, queue)

    async def show_row(self, request: Request) -> Response:
        query = request.query_params
        return await _answer(self._session.show_row, query.get("id", ""), query.get("queue", ""))

    async def show_skill(self, request: Request) -> Response:
        return await _answer(self._session.show_skill, request.query_params.get("name", ""))

    async def show_nearest(self, request: Request) -> Response:
        return await _answer(self._session.show_nearest, request.query_params.get("id", ""))

    async def ask_tagger(self, request: Request) -> Response:
        return await _answer(self._session.ask_tagger, request.query_params.get("id", ""))

    async def browse(self, request: Request) -> Response:
        query = dict(request.query_params)
        page = msgspec.convert(query.pop("page", "0"), int, strict=False)
        return await _answer(
            self._session.browse, msgspec.convert(query, RowFilter), max(0, min(page, 2**31))
        )

    async def check(self, request: Request) -> Response:
        return await _answer(self._session.check, await _read(request, CheckRequest))

    async def decide(self, request: Request) -> Response:
        return await _answer(self._session.decide, await _read(request, DecisionRequest))

    async def undo(self, request: Request) -> Response:
        return await _answer(self._session.undo, await _read(request, UndoRequest))


async def _answer(action: Callable[..., Any], *arguments: Any) -> Response:
    return _encode(await run_in_threadpool(action, *arguments))


async def _read(request: Request, type_: type[T]) -> T:
    return msgspec.json.decode(await read_body(request, _BODY_BYTES, _BODY_SECONDS), type=type_)


async def _send_page(_request: Request) -> Response:
    return _send(_PAGE)


async def _send_file(request: Request) -> Response:
    return _send(str(request.path_params["name"]))


def _send(name: str) -> Response:
    """Send a file of the page."""
    file = files("exemplars.review") / "static" / name
    type_ = _TYPES.get(name.rpartition(".")[2])
    if "/" in name or type_ is None or not file.is_file():
        raise HTTPException(404)
    return Response(file.read_bytes(), media_type=type_)


def _encode(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def _encode_error(message: str, status: int) -> Response:
    return _encode({"error": message}, status)


async def _answer_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _encode_error(error.detail, error.status_code)


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _encode_error(error.message, error.status)


async def _answer_user_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    return _encode_error(
        "; ".join(f"{problem.place}: {problem.message}" for problem in error.diagnostics[:5]), 500
    )


async def _answer_os_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    return _encode_error(f"{error.filename or 'the file of decisions'}: {error.strerror or error}", 500)


async def _answer_body_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyError)
    return _encode_error(error.message, error.status)


async def _answer_bad_request(_request: Request, error: Exception) -> Response:
    return _encode_error(str(error), 400)


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)


async def _answer_fault(_request: Request, _error: Exception) -> Response:
    return _encode_error("the server has a fault; its log says which", 500)
