"""The server that is asked: its address, its key, and what it calls the limit of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.generation.requests import LimitKey

KEY: Final = "OPENAI_API_KEY"
"""The environment variable with the key: the only place that it is read from."""
OPENAI_URL: Final = "https://api.openai.com/v1"
_HOSTED: Final = (".openai.com", ".azure.com")
"""Hosts that need a key."""


class Server(NamedTuple):
    """A server, and how it is reached."""

    base_url: str
    host: str
    """With its port, if the address has one."""
    key: str
    """Empty: none is set."""

    @property
    def is_hosted(self) -> bool:
        """Whether it is one of OpenAI's or Azure's, which need a key."""
        return self.host.partition(":")[0].endswith(_HOSTED)

    @property
    def limit_key(self) -> LimitKey:
        """What it calls the limit of an answer: not all servers of one's own know the newer name."""
        return "max_completion_tokens" if self.is_hosted else "max_tokens"


def choose_server(base_url: str | None, environment: Mapping[str, str]) -> Server:
    """Choose the server. base_url: `None`: that of `OPENAI_BASE_URL`, or OpenAI itself.

    Raises `UserError` if the address is no URL.

    >>> choose_server("http://127.0.0.1:8000/v1", {}).limit_key, choose_server(None, {}).host
    ('max_tokens', 'api.openai.com')
    """
    url = base_url or environment.get("OPENAI_BASE_URL") or OPENAI_URL
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] if parts.hostname and parts.port != 0 else ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        summary = f"the address {quote_text(url)} is not the URL of a server"
        raise make_error("--base-url", "bad_address", summary, "write it as http://127.0.0.1:8000/v1")
    return Server(url, host, environment.get(KEY, "").strip())


def check_key(server: Server) -> None:
    """Raise `UserError` if a server needs a key, and none is set."""
    if server.is_hosted and not server.key:
        summary = f"{server.host} needs a key, and {KEY} is not set"
        fix = f"set it (export {KEY}=...), or ask a server of your own by --base-url"
        raise make_error(KEY, "no_key", summary, fix)


def make_error(path: str, code: str, summary: str, fix: str) -> UserError:
    """Make an error of one sentence."""
    return UserError([Diagnostic(path=path, code=code, summary=summary, fix=fix)])
