"""The server's socket and its run. Imports uvicorn."""

from __future__ import annotations

import errno
import ipaddress
import socket

import uvicorn
from starlette.applications import Starlette

from exemplars.core.errors import Diagnostic, UserError


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_socket(host: str, port: int) -> socket.socket:
    """Open a socket that listens. port: 0 takes any that is free. Raises `UserError` if it cannot be opened."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        place, found, fix = f"{host}:{port}", str(error), "choose a different host or port"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            found, fix = f"port {port} is in use", "end the other program, or choose --port"
        problem = Diagnostic(path=place, code="no_port", summary=found, fix=fix)
        raise UserError([problem]) from None


def make_server(app: Starlette) -> uvicorn.Server:
    """Make a server that runs until it is interrupted, and logs only what goes wrong."""
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    )
