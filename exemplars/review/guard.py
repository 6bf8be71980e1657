"""What keeps other pages of the web out: the token, the host, the origin, and the headers of every response.

The token is the first part of each path. A page elsewhere cannot know it, and what it sends without it has no effect.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
"""Nothing but the page's own files; and no text may become a part of the document other than as text."""
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


def make_token() -> str:
    """Make a token that cannot be guessed: 128 random bits."""
    return secrets.token_urlsafe(16)


class Guard:
    """Middleware that refuses requests which the page itself would not send."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """token: from `make_token`."""
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        problem = self._find_problem(scope)
        if problem is None:
            await self._app(scope, receive, send_guarded)
        else:
            await PlainTextResponse(f"{problem}\n", 403)(scope, receive, send_guarded)

    def _find_problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        # Another name for this machine is that of a page which has its name point here.
        if host.rpartition(":")[0] not in _LOCAL_HOSTS and host not in _LOCAL_HOSTS:
            return "this address is not the one that `exemplars review` printed"
        token = str(scope["path"]).removeprefix("/").partition("/")[0]
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return "this address has no valid token; open the one that `exemplars review` printed"
        if scope["method"] in ("GET", "HEAD"):
            return None
        return _find_foreign_origin(headers, host)


def _find_foreign_origin(headers: Headers, host: str) -> str | None:
    if (
        headers.get("origin") != f"http://{host}"
        or headers.get("sec-fetch-site", "same-origin") != "same-origin"
    ):
        return "only the page itself may send decisions"
    if headers.get("content-type") != "application/json":
        return "a request has to be JSON"
    return None
