"""Calls as text: `weather(location="Boston")` or JSON; formatted and parsed, never evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from exemplars.core.call_syntax import (
    CallText,
    is_bare_argument_name,
    is_bare_call_name,
    parse_call_list_text,
)
from exemplars.core.slot_paths import find_value_excess
from exemplars.core.value_syntax import NotACall, NotAValue, Value


class CallFormat(StrEnum):
    """The syntax of calls."""

    PYTHON = "python"
    """`weather(location="Boston")`; several are `[lock(), light(on=False)]`, and no call is `None`."""
    JSON = "json"
    """`{"name": "weather", "arguments": {"location": "Boston"}}`; several are a list, and no call is `null`."""


class Call(NamedTuple):
    """A skill and its arguments, by the names of its parameters: any values of JSON."""

    skill: str
    arguments: Mapping[str, Value]


class MalformedCall(NamedTuple):
    """A text that is not a call."""

    why: str


NO_CALL: Final = {CallFormat.PYTHON: "None", CallFormat.JSON: "null"}
"""How "no call" is spelled in each format."""

_NAME_PREFIX: Final = r'(?:[^\W\d][\w./-]*\s*(?:\(.*)?|"(?:[^"\\\n]|\\.){0,64}(?:\\?|"\s*(?:\(.*)?))?'
_PREFIXES: Final = {
    CallFormat.PYTHON: re.compile(rf"\s*(?:{_NAME_PREFIX}|\[\s*(?:\]\s*|{_NAME_PREFIX}))", re.DOTALL),
    CallFormat.JSON: re.compile(r"\s*(?:\{.*|\[\s*(?:\]\s*|\{.*)?|n(?:u(?:ll?)?)?\s*)?", re.DOTALL),
}
"""What calls, or "no call", may begin with; a quoted name has at most 64 characters, as a quotation has more."""


def format_calls(calls: Sequence[Call], form: CallFormat) -> str:
    """Format the calls of a turn as a model should write them; none of them is "no call".

    >>> format_calls([Call("weather", {"location": "Boston", "days": [3, None]})], CallFormat.PYTHON)
    'weather(location="Boston", days=[3, None])'
    >>> format_calls([Call("lock", {}), Call("light", {"on": False})], CallFormat.PYTHON)
    '[lock(), light(on=False)]'
    >>> format_calls([], CallFormat.JSON)
    'null'
    """
    if not calls:
        return NO_CALL[form]
    texts = [format_call(call, form) for call in calls]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def format_call(call: Call, form: CallFormat) -> str:
    """Format a call."""
    if form == CallFormat.JSON:
        return format_value({"name": call.skill, "arguments": dict(call.arguments)}, form)
    arguments = ", ".join(
        f"{format_argument_name(name, form)}={format_value(value, form)}"
        for name, value in call.arguments.items()
    )
    return f"{format_call_name(call.skill, form)}({arguments})"


def format_call_name(name: str, form: CallFormat) -> str:
    """Format the name of a function; one with a space or another sign is quoted.

    >>> [format_call_name(name, CallFormat.PYTHON) for name in ("math.sqrt", "find inn")]
    ['math.sqrt', '"find inn"']
    """
    is_bare = form == CallFormat.PYTHON and is_bare_call_name(name)
    return name if is_bare else json.dumps(name, ensure_ascii=False)


def format_argument_name(name: str, form: CallFormat) -> str:
    """Format the name of an argument; words that Python reserves are not quoted, names with other signs are."""
    is_bare = form == CallFormat.PYTHON and is_bare_argument_name(name)
    return name if is_bare else json.dumps(name, ensure_ascii=False)


def format_value(value: Value, form: CallFormat) -> str:
    """Format a value as it is written in a call; `None` is spelled like "no call".

    >>> format_value([True, {"count": None}], CallFormat.PYTHON)
    '[True, {"count": None}]'
    """
    if value is None:
        return NO_CALL[form]
    if isinstance(value, str) or form == CallFormat.JSON:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        members = (
            f"{format_value(key, form)}: {format_value(member, form)}" for key, member in value.items()
        )
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(format_value(item, form) for item in value)}]"
    return repr(value)


def parse_calls(text: str, form: CallFormat) -> tuple[Call, ...] | MalformedCall:
    """Parse calls: the inverse of `format_calls`. Returns `()` for "no call".

    The values are those that `find_value_excess` has nothing against.

    >>> parse_calls('weather(location="Boston", days=[3, None])', CallFormat.PYTHON)
    (Call(skill='weather', arguments={'location': 'Boston', 'days': [3, None]}),)
    >>> parse_calls("I will look it up.", CallFormat.PYTHON)
    MalformedCall(why='not the syntax of a call')
    """
    text = text.strip()
    if text == NO_CALL[form]:
        return ()
    return _parse_python(text) if form == CallFormat.PYTHON else _parse_json(text)


def is_call_prefix(text: str, form: CallFormat) -> bool:
    """Return whether a text is calls or a prefix of them; prose is ruled out at its second word."""
    return _PREFIXES[form].fullmatch(text) is not None


def _parse_python(text: str) -> tuple[Call, ...] | MalformedCall:
    parsed = parse_call_list_text(text)
    if isinstance(parsed, NotACall):
        return MalformedCall(parsed.why)
    return _collect_calls([_build_python_call(call) for call in parsed])


def _collect_calls(calls: Sequence[Call | MalformedCall]) -> tuple[Call, ...] | MalformedCall:
    """Return the calls; or the first that is malformed."""
    malformed = next((call for call in calls if isinstance(call, MalformedCall)), None)
    return malformed or tuple(call for call in calls if isinstance(call, Call))


def _build_python_call(call: CallText) -> Call | MalformedCall:
    arguments: dict[str, Value] = {}
    for name, value, *_ in call.arguments:
        if isinstance(value, NotAValue):
            return MalformedCall(value.why)
        if name is None:
            return MalformedCall("an argument without a name")
        if name in arguments:
            return MalformedCall(f"{name} twice")
        arguments[name] = value
    return _find_excess(arguments.values()) or Call(call.name, arguments)


def _parse_json(text: str) -> tuple[Call, ...] | MalformedCall:
    try:
        document = json.loads(text, object_pairs_hook=_build_object, parse_constant=_reject_constant)
    except _RepeatedKeyError as error:
        return MalformedCall(f"{error} twice")
    except (ValueError, RecursionError):
        return MalformedCall("not JSON")
    calls = document if isinstance(document, list) else [document]
    return _collect_calls([_build_json_call(call) for call in calls])


def _build_json_call(document: object) -> Call | MalformedCall:
    if not isinstance(document, dict) or set(document) != {"name", "arguments"}:
        return MalformedCall("not an object with name and arguments")
    name, arguments = document["name"], document["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return MalformedCall("a name that is not a string, or arguments that are not an object")
    return _find_excess(arguments.values()) or Call(name, arguments)


def _find_excess(values: Iterable[Value]) -> MalformedCall | None:
    excess = next((excess for value in values if (excess := find_value_excess(value))), None)
    return excess and MalformedCall(f"an argument with {excess[0]}")


class _RepeatedKeyError(ValueError):
    """A JSON object has a key twice."""


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise _RepeatedKeyError(key)
        members[key] = value
    return members


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
