"""The server that is asked, over OpenAI's chat API, and what its errors mean. Imports openai."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import openai
from openai.types.chat import ChatCompletion

from exemplars.core.errors import UserError, quote_text
from exemplars.dataset.generated_answers import GeneratedAnswer, Usage
from exemplars.generation.requests import ExampleRequest
from exemplars.generation.servers import KEY, Server, make_error

_RETRIED: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_UNUSABLE: Final = "an answer that is no chat completion"


class RetryLaterError(Exception):
    """The server did not answer, and may answer the same request later."""

    def __init__(self, found: str, wait: float | None = None, unreachable: UserError | None = None) -> None:
        """found: what went wrong. wait: the seconds that the server asks to wait.

        unreachable: the error of the user, if the server was not even reached, and never was.
        """
        super().__init__(found)
        self.wait = wait
        self.unreachable = unreachable


def make_client(server: Server, timeout: float) -> openai.AsyncOpenAI:
    """Make a client that retries nothing by itself. timeout: in seconds, of a whole answer."""
    return openai.AsyncOpenAI(
        base_url=server.base_url, api_key=server.key or "none", timeout=timeout, max_retries=0
    )


async def ask(client: openai.AsyncOpenAI, server: Server, request: ExampleRequest) -> GeneratedAnswer:
    """Send a request once, and return the answer.

    Raises `RetryLaterError` if it may be sent again, and `UserError` if no request would be answered.
    """
    try:
        completion: Any = await client.chat.completions.create(**request.body)
    except openai.APIStatusError as error:
        if error.code == "content_filter":
            return build_answer(request, server.host, refusal=f"content filter: {error.message}")
        raise translate_status_error(error, server, request.body["model"]) from None
    except openai.APIConnectionError as error:
        is_refused = isinstance(error.__cause__, (httpx2.ConnectError, httpx2.UnsupportedProtocol))
        found = str(error.__cause__ or error).strip() or str(error)
        raise RetryLaterError(
            found, unreachable=report_unreachable(server, found) if is_refused else None
        ) from None
    except (openai.APIResponseValidationError, ValueError):
        raise RetryLaterError(_UNUSABLE) from None
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        raise RetryLaterError(_UNUSABLE)
    return read_completion(request, server.host, completion)


def read_completion(request: ExampleRequest, host: str, completion: ChatCompletion) -> GeneratedAnswer:
    """Read an answer from a completion, whose fields a server may have left out."""
    choice, usage = completion.choices[0], completion.usage
    return build_answer(
        request,
        host,
        answered_by=completion.model,
        system_fingerprint=completion.system_fingerprint,
        finish_reason=choice.finish_reason,
        refusal=choice.message.refusal,
        usage=None if usage is None else Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0),
        answer=choice.message.content,
    )


def build_answer(request: ExampleRequest, host: str, **said: Any) -> GeneratedAnswer:
    """Build the line of an answer. said: the fields that the server gave."""
    return GeneratedAnswer(
        request_id=request.id,
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        host=host,
        model=request.body["model"],
        prompt_hash=request.prompt_hash,
        prompt=request.prompt,
        settings=request.settings,
        cell=request.cell,
        examples=request.examples,
        tool=request.tool,
        **said,
    )


def translate_status_error(error: openai.APIStatusError, server: Server, model: str) -> Exception:
    """Translate an error of the server: into `RetryLaterError`, or into a `UserError` that ends the run."""
    status, message = error.status_code, quote_text(error.message, 200)
    if status == 429 and error.code == "insufficient_quota":
        return make_error(server.host, "no_quota", f"the quota of the key is used up: {message}",
                           "raise it, then run the same command again")  # fmt: skip
    if status in _RETRIED or status >= 500:
        return RetryLaterError(f"status {status}: {message}", read_retry_after(error.response.headers))
    if status in (401, 403):
        return make_error(server.host, "wrong_key", f"the server refuses the key in {KEY}: {message}",
                           f"set {KEY} to a key of this server")  # fmt: skip
    if status == 404:
        return make_error(server.host, "unknown_model",
                           f"the server does not have the model {quote_text(model)}: {message}",
                           "correct --model or --base-url; GET /v1/models lists the models")  # fmt: skip
    return make_error(server.host, "refused_request", f"the server refuses the request ({status}): {message}",
                       "change the options that it names, or ask another server")  # fmt: skip


def read_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long a server asks to wait, in seconds: a number, or a date (RFC 9110, 10.2.3).

    >>> read_retry_after({"retry-after": "2.5"}), read_retry_after({})
    (2.5, None)
    """
    milliseconds, text = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(float(milliseconds) / 1000, 0.0)
        if text is None:
            return None
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(text or "")
        return max((date - (now or datetime.now(UTC))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def report_unreachable(server: Server, found: str) -> UserError:
    """Report a server that does not answer at all."""
    summary = f"the server cannot be reached: {found}"
    fix = "start it, or correct --base-url, then run the same command again"
    return make_error(server.host, "server_down", summary, fix)
