"""OpenAI's chat API: requests as tasks, answers as completions, mistakes as errors.

The forms are those of https://platform.openai.com/docs/api-reference/chat, as far as a model that only calls
needs them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from exemplars.answering.answers import Answer, encode_answer
from exemplars.answering.systems import MAX_NEW_TOKENS, TOO_LONG, TaggerSystem, Task
from exemplars.answering.tool_files import parse_tool_list
from exemplars.core.documents import decode_json
from exemplars.core.errors import UserError, quote_text, suggest_name, summarize_names
from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.context_calls import MadeCall, format_context_turn
from exemplars.models.questions import Question

MAX_TOOLS: Final = 128
"""As OpenAI has it."""
_INVALID: Final = "invalid_request_error"
_SILENT: Final = ("system", "developer")
"""The roles whose messages no model sees: training wrote a system message of its own."""


CONTEXT_LENGTH: Final = "context_length_exceeded"
"""OpenAI's code of a question that is too long."""


class ApiError(Exception):
    """What a client did wrong, or the server cannot do, as an HTTP status and an error object."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        """param: the key of the request that is wrong. code: for programs."""
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code

    def encode(self) -> dict[str, Any]:
        """Encode the error object."""
        type_ = _INVALID if self.status < 500 else "server_error"
        return {
            "error": {"message": str(self), "type": type_, "param": self.param, "code": self.code},
        }


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Function(msgspec.Struct):
    name: str
    arguments: str = "{}"


class _ToolCall(msgspec.Struct):
    function: _Function


class _Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None


class _ChosenFunction(msgspec.Struct):
    name: str


class _Choice(msgspec.Struct):
    type: Literal["function"]
    function: _ChosenFunction


class _Format(msgspec.Struct):
    type: str


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class ChatRequest(msgspec.Struct):
    """The body of a request; keys that are not named here have no effect."""

    model: str
    messages: list[_Message]
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: _Format | None = None
    logprobs: Literal[False] | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


class Reply(NamedTuple):
    """An answer to a request, and what identifies it."""

    answer: Answer
    model: str
    id: str
    created: int
    """Seconds since 1970."""


def decode_request(body: bytes) -> ChatRequest:
    """Decode the body of a request. Raises `ApiError` if it is no JSON, or has another form."""
    try:
        return decode_json(body, ChatRequest)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        raise ApiError(f"{message}.", param=place.rstrip("`") or None, code="invalid_value") from None
    except msgspec.DecodeError as error:
        raise ApiError(f"The body is not JSON: {error}.", code="invalid_json") from None


def build_task(request: ChatRequest, catalog: Sequence[Skill], today: datetime.date) -> Task:
    """Build the task of a request. catalog: what may be called if the request names no tools.

    Raises `ApiError` if the messages do not end with what is to be answered, or if the tools are wrong.
    """
    read = (_read_turn(message, place) for place, message in enumerate(request.messages))
    turns = [turn for turn in read if turn is not None]
    if request.response_format is not None and request.response_format.type != "text":
        message = (
            "Answers by a JSON Schema are not supported: these models call tools (`tools`), or write text."
        )
        raise ApiError(message, param="response_format", code="unsupported_value")
    if not turns or turns[-1].speaker is Speaker.ASSISTANT:
        raise ApiError("The last message has to be of the user, or of a tool.", param="messages")
    *context, last = turns
    question = Question(last.utterance, context, last.speaker, today)
    tools = None if request.tools is None else _read_tools(request.tools)
    limit = request.max_completion_tokens or request.max_tokens or MAX_NEW_TOKENS
    if limit < 1:
        raise ApiError("The number of tokens has to be at least 1.", param="max_tokens")
    limit = min(limit, MAX_NEW_TOKENS)
    match request.tool_choice:
        case "none":
            return Task(question, (), max_tokens=limit)
        case "required":
            return Task(question, tools, must_call=True, max_tokens=limit)
        case _Choice(function=function):
            chosen = _choose_tool(function.name, catalog if tools is None else tools)
            return Task(question, (chosen,), must_call=True, max_tokens=limit)
    return Task(question, tools, max_tokens=limit)


def _read_turn(message: _Message, place: int) -> Turn | None:
    """Read a message as a turn, the calls of the assistant as training wrote them; `None` for one that is not shown."""
    content = message.content or ""
    if not isinstance(content, str):
        other = next((part.type for part in content if part.type != "text"), None)
        if other is not None:
            raise ApiError(
                f"Content of the type {quote_text(other)} is not supported.", param=f"messages[{place}]"
            )
        content = "\n".join(part.text for part in content)
    if message.role in _SILENT:
        return None
    made = [_read_call(call.function, place) for call in message.tool_calls or ()]
    return Turn(Speaker(message.role), format_context_turn(content, made))


def _read_call(function: _Function, place: int) -> MadeCall:
    try:
        arguments = decode_json(function.arguments or "{}", dict[str, Any])
    except msgspec.DecodeError as error:
        param = f"messages[{place}].tool_calls"
        raise ApiError(f"The arguments are not an object of JSON: {error}.", param=param) from None
    return MadeCall(function.name, arguments)


def _read_tools(tools: Sequence[Mapping[str, Any]]) -> tuple[Skill, ...]:
    if len(tools) > MAX_TOOLS:
        raise ApiError(f"At most {MAX_TOOLS} tools are possible, not {len(tools):,}.", param="tools")
    try:
        return parse_tool_list("tools", tools) if tools else ()
    except UserError as error:
        message = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        raise ApiError(message, param="tools", code="invalid_tools") from None


def _choose_tool(name: str, tools: Sequence[Skill]) -> Skill:
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        advice = suggest_name(name, [tool.name for tool in tools])
        message = f"There is no tool {quote_text(name)}{f'; {advice}' if advice else ''}"
        raise ApiError(message, param="tool_choice", code="unknown_tool")
    return tool


def check_tagger_task(system: TaggerSystem, task: Task) -> None:
    """Raise `ApiError` if a tagger, which is asked alone, cannot do a task."""
    if task.tools is None:
        return
    if not task.tools:
        raise ApiError("A tagger writes no text: ask a language model.", param="tool_choice")
    if unknown := system.find_unknown(task.tools):
        message = f"The tagger was not trained for {summarize_names(unknown)}: ask a language model."
        raise ApiError(message, param="tools", code="unknown_tools")


def describe_user_error(error: UserError) -> ApiError:
    """Describe why a system cannot be asked a question as an error of the client."""
    message = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
    is_long = any(diagnostic.code == TOO_LONG for diagnostic in error.diagnostics)
    return ApiError(message, param="messages", code=CONTEXT_LENGTH if is_long else None)


def encode_completion(reply: Reply) -> dict[str, Any]:
    """Encode an answer as a chat completion; its key `exemplars` has what OpenAI's form has no place for."""
    message = {"role": "assistant", **_encode_message(reply)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _name_end(reply.answer)}
    return {
        **_encode_head(reply, "chat.completion"),
        "choices": [choice],
        "usage": _encode_usage(reply.answer),
        "exemplars": encode_answer(reply.answer),
    }


def list_chunks(reply: Reply, *, has_usage: bool) -> Iterator[dict[str, Any]]:
    """Yield an answer as the chunks of a stream. has_usage: whether the last has the numbers of tokens."""
    head = _encode_head(reply, "chat.completion.chunk")
    message = _encode_message(reply)
    for number, call in enumerate(message.get("tool_calls", ())):
        call["index"] = number
    end = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": _name_end(reply.answer)}
    for delta in ({"role": "assistant", "content": ""}, message):
        yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
    yield {**head, "choices": [end]}
    if has_usage:
        yield {**head, "choices": [], "usage": _encode_usage(reply.answer)}


def _encode_head(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{reply.id}", "object": kind, "created": reply.created, "model": reply.model}


def _encode_message(reply: Reply) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{reply.id}_{number}",
            "type": "function",
            "function": {
                "name": call.skill,
                "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
            },
        }
        for number, call in enumerate(reply.answer.calls)
    ]
    return {"content": None, "tool_calls": calls} if calls else {"content": reply.answer.reply or ""}


def _name_end(answer: Answer) -> str:
    if answer.is_cut:
        return "length"
    return "tool_calls" if answer.calls else "stop"


def _encode_usage(answer: Answer) -> dict[str, int]:
    prompt, completion = answer.prompt_tokens, answer.answer_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
