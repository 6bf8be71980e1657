"""The bodies of requests, up to a size and a time. Imports Starlette."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

_DRAINED: Final = 64
"""How many times the limit of a body is read, and dropped, so that a client that sends too much hears why."""


class BodyError(Exception):
    """Why a body is not read."""

    def __init__(self, message: str, status: int, code: str | None = None) -> None:
        """status: of the response. code: for programs."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """Read the body of a request. Raises `BodyError` if it is too long, or takes too long."""
    body, received = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                received += len(chunk)
                if received <= max_bytes:
                    body += chunk
                elif received > _DRAINED * max_bytes:
                    break
    except TimeoutError:
        raise BodyError(f"The body took longer than {seconds:g} s to arrive.", 408) from None
    if received > max_bytes:
        raise BodyError(f"The body has more than {max_bytes:,} bytes.", 413, "too_large")
    return bytes(body)
