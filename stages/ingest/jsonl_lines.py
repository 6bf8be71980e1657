"""The lines of labeled JSONL: their form, and what is wrong with a line that does not have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any, Final

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_with
from exemplars.core.errors import quote_text, suggest_name, summarize_names
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.ledger import Problem, format_place
from exemplars.core.licenses import find_license_mistake
from exemplars.core.records import Mode, Origin, Reason, Speaker, Turn
from exemplars.core.slot_paths import (
    Leaf,
    find_value_excess,
    flatten_arguments,
    format_path,
    is_path,
    parse_path,
)
from exemplars.dataset.texts import has_text
from stages.ingest.reading import Offset, describe_repeated_key, find_oversize, lower_first


class ArgumentLine(msgspec.Struct, forbid_unknown_fields=True):
    """An argument with, optionally, the text that says it and the span of that text."""

    slot: str
    """The name of a parameter, or the path of a leaf."""
    value: Any
    surface: str | None = None
    start: Offset | None = None
    end: Offset | None = None


class CallLine(msgspec.Struct, forbid_unknown_fields=True):
    """One call of a line that is a whole turn."""

    skill: str
    arguments: dict[str, Any] | list[ArgumentLine] = {}
    spans: dict[str, tuple[Offset, Offset]] = {}
    exemplar: str | None = None
    mode: Mode | None = None
    service: str | None = None


class ExampleLine(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a file."""

    utterance: str
    skill: str | None = None
    arguments: dict[str, Any] | list[ArgumentLine] = {}
    spans: dict[str, tuple[Offset, Offset]] = {}
    exemplar: str | None = None
    mode: Mode | None = None
    reply: str | None = None
    turn: str | None = None
    call: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    calls: list[CallLine] = []
    speaker: Speaker = Speaker.USER
    context: list[Turn] = []
    group: str | None = None
    service: str | None = None
    license: str | None = None
    split: SplitName | None = None

    def list_calls(self) -> list[ExampleLine]:
        """List the calls of a line that is a whole turn, each as a line of its own."""
        fields = msgspec.structs.asdict(self) | {"calls": []}
        return [ExampleLine(**{**fields, **msgspec.structs.asdict(call)}) for call in self.calls]

    def list_arguments(self) -> list[ArgumentLine]:
        """List the leaves of the arguments with their paths, in whichever form the line has them."""
        if not isinstance(self.arguments, list):
            return [ArgumentLine(path, leaf) for path, leaf in flatten_arguments(self.arguments)]
        return [
            ArgumentLine(slot, leaf, argument.surface, argument.start, argument.end)
            for argument in self.arguments
            for slot, leaf in _list_leaves(normalize_slot(argument.slot), argument.value)
        ]

    def list_spans(self) -> dict[str, tuple[int, int]]:
        """Return the spans by the paths of their leaves."""
        return {normalize_slot(slot): span for slot, span in self.spans.items()}


def normalize_slot(slot: str) -> str:
    """Return the path that a slot is, or the path of the parameter with that name.

    >>> normalize_slot("dishes[0].name"), normalize_slot("rows[")
    ('dishes[0].name', '["rows["]')
    """
    try:
        parse_path(slot)
    except ValueError:
        return format_path((slot,))
    return slot


def _list_leaves(path: str, value: object) -> list[tuple[str, Leaf]]:
    """List the leaves of a value at a path."""
    return [(path + leaf_path.removeprefix("_"), leaf) for leaf_path, leaf in flatten_arguments({"_": value})]


_KEYS: Final = tuple(field.name for field in msgspec.structs.fields(ExampleLine))
_CLOSED_SETS: Final = {"mode": tuple(Mode), "speaker": tuple(Speaker), "split": SPLITS}
"""All values of the keys that do not take any text."""
_OTHER_NAMES: Final = {
    "mode": {"positive": "normal", "no_call": "none", "irrelevant": "none", "contextual": "extended"},
    "speaker": {
        "agent": "assistant", "bot": "assistant", "model": "assistant", "system": "assistant", "customer": "user",
        "human": "user", "function": "tool", "observation": "tool",
    },
    "split": {
        "dev": "validation", "development": "validation", "eval": "validation", "valid": "validation",
        "val": "validation", "testing": "test", "training": "train",
    },
}  # fmt: skip
"""What other formats call these values."""
_OTHER_KEYS: Final = {
    "text": "utterance", "input": "utterance", "query": "utterance", "sentence": "utterance",
    "intent": "skill", "function": "skill", "tool": "skill", "label": "skill", "args": "arguments",
    "parameters": "arguments", "slots": "arguments", "template": "exemplar", "history": "context",
    "tool_calls": "calls", "response": "reply", "answer": "reply", "output": "reply", "completion": "reply",
}  # fmt: skip
"""What other formats call these keys of a line."""
_FIXES: Final = (
    (
        re.compile(r"got `str` - at `\$\.arguments`"),
        "write the arguments as an object, not as a text that holds one",
    ),
)
"""What to do about the mistakes that logs of calls often have, by what msgspec says."""
_decode: Final = msgspec.json.Decoder(ExampleLine).decode
_UNKNOWN_KEY: Final = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `(?P<path>.*)`)?", re.DOTALL)
_PART_KEYS: Final = {
    "calls": tuple(field.name for field in msgspec.structs.fields(CallLine)),
    "arguments": tuple(field.name for field in msgspec.structs.fields(ArgumentLine)),
    "context": tuple(field.name for field in msgspec.structs.fields(Turn)),
}
"""The keys of the objects in the lists of a line."""
_STEP: Final = re.compile(r"\.(\w+)\[(\d+)\]")
"""A step of a path: into a list, and to one of its objects."""
_NOT_IN_SET: Final = re.compile(r"Invalid enum value '(?P<value>.*)' - at `\$.*?(?P<key>\w+)`$", re.DOTALL)
_MAX_MISTAKES: Final = 20
"""The rest of a line with more mistakes is not checked: a line of a megabyte has 10,000 arguments."""
_BYTE: Final = re.compile(r"byte (\d+)")


def decode_line(origin: Origin, line: str) -> ExampleLine | Problem:
    """Decode a line; or describe why it does not have the form of an example."""
    oversize = find_oversize(line)
    if oversize is not None:
        return oversize
    try:
        return decode_with(_decode, line)
    except RepeatedKeyError as error:
        return describe_repeated_key(error, f"{format_place(origin)}:{error.column}")
    except msgspec.DecodeError as error:
        return _describe_malformed(origin, line, error)


def find_mistakes(example: ExampleLine) -> list[Problem]:
    """Find what is wrong with a line that has the form of an example."""
    return list(
        islice(
            chain(
                _find_contradictions(example), _find_slot_mistakes(example), _find_license_mistake(example)
            ),
            _MAX_MISTAKES,
        )
    )


def find_turn_mistakes(example: ExampleLine) -> list[Problem]:
    """Find what is wrong with a line that is a whole turn, apart from its calls: it must not be a call as well."""
    own = ("skill", "arguments", "spans", "exemplar", "mode", "service", "turn", "call")
    given = [key for key in own if getattr(example, key)]
    if not given:
        return []
    found = f"`calls` and {summarize_names(given)} in one line"
    return [_describe_mistake(found, "either", "move them into `calls`, or write one line for each call")]


def _find_contradictions(example: ExampleLine) -> Iterator[Problem]:
    if example.call is not None and example.turn is None:
        yield _describe_mistake(
            f"call {example.call} without a turn", "`turn`", "name the turn, or leave out the call"
        )
    if example.turn is not None and not example.turn.strip():
        yield _describe_mistake("an empty turn", "a name", "name the turn, or leave it out")
    if example.speaker is Speaker.ASSISTANT:
        fix = "put what the assistant says into `reply`, or into `context` if a later turn follows"
        yield _describe_mistake("the speaker 'assistant' of an utterance", "user or tool", fix)
    if example.reply is not None and not has_text(example.reply):
        yield _describe_mistake(
            f"the reply {quote_text(example.reply)}", "text", "fill it in, or leave it out"
        )
    if example.skill is not None and not example.skill.strip():
        yield _describe_mistake("an empty skill", "the name of a skill, or null", "name the skill")
    elif example.skill is None and example.mode not in (None, Mode.NONE):
        found = f"mode {example.mode.value!r} without a skill"
        yield _describe_mistake(found, "a skill, or mode 'none'", "name the skill, or correct the mode")
    elif example.skill is not None and example.mode is Mode.NONE:
        found = f"mode 'none' with the skill {quote_text(example.skill)}"
        expected = "no skill, or mode 'normal', 'extended' or 'negative'"
        yield _describe_mistake(found, expected, "remove the skill, or correct the mode")


def _find_slot_mistakes(example: ExampleLine) -> Iterator[Problem]:
    is_list = isinstance(example.arguments, list)
    arguments = (
        example.arguments
        if isinstance(example.arguments, list)
        else [ArgumentLine(slot, value) for slot, value in example.arguments.items()]
    )
    excess = False
    for argument in arguments:
        found = find_value_excess(argument.value)
        if found is not None:
            excess = True
            yield Problem(Reason.INVALID_VALUE, *found, "correct the value", slot=argument.slot)
        yield from _find_path_mistakes(argument, is_list)
    if excess:
        return
    slots = {argument.slot: None for argument in example.list_arguments()}
    for slot in example.spans:
        if normalize_slot(slot) not in slots:
            yield Problem(
                Reason.UNKNOWN_SLOT,
                found=f"a span of slot {quote_text(slot)}",
                expected=f"one of {summarize_names(slots, 12)}"
                if slots
                else "no span, since there is no argument",
                fix=suggest_name(slot, slots, example.spans) or "correct the slot",
                slot=slot,
            )


def _find_path_mistakes(argument: ArgumentLine, is_list: bool) -> Iterator[Problem]:
    """Find what is wrong with the slot of an argument. is_list: it may be a path."""
    if not argument.slot.strip():
        yield _describe_mistake("an argument with an empty slot", "the name of a slot", "name the slot")
    elif is_list and ("[" in argument.slot or "." in argument.slot) and not is_path(argument.slot):
        found = f"slot {quote_text(argument.slot)}"
        yield _describe_mistake(found, "a name, or a path such as dishes[0].count", "correct the slot")
    if isinstance(argument.value, list | dict) and (argument.surface, argument.start) != (None, None):
        found = f"a text or a span of slot {quote_text(argument.slot)}, which has several values"
        yield _describe_mistake(found, "a span of one value", "write one argument for each value")


def _find_license_mistake(example: ExampleLine) -> Iterator[Problem]:
    mistake = None if example.license is None else find_license_mistake(example.license)
    if example.license is not None and mistake is not None:
        summary = f"the license {quote_text(example.license)} is not an SPDX expression: {mistake[0]}"
        yield Problem(Reason.MALFORMED_RECORD, found="", fix=mistake[1], summary=summary)


def _describe_mistake(found: str, expected: str, fix: str) -> Problem:
    return Problem(Reason.MALFORMED_RECORD, found, expected, fix)


def _describe_malformed(origin: Origin, line: str, error: msgspec.DecodeError) -> Problem:
    message = str(error)
    not_in_set = _NOT_IN_SET.search(message)
    if not_in_set is not None and not_in_set["key"] in _CLOSED_SETS:
        return _describe_unknown_value(not_in_set["key"], not_in_set["value"], line)
    unknown = _UNKNOWN_KEY.search(message)
    keys = _list_known_keys(None if unknown is None else unknown["path"])
    guess = _suggest_key(unknown["key"], unknown["path"], line) if unknown is not None else ""
    known = next((fix for pattern, fix in _FIXES if pattern.search(message)), "")
    place = format_place(origin)
    if not isinstance(error, msgspec.ValidationError):
        byte = _BYTE.search(message)
        before = line.encode()[: int(byte[1])].decode("utf-8", "ignore") if byte else line
        place = f"{place}:{len(before) + 1}"
    return Problem(
        Reason.MALFORMED_RECORD,
        fix=guess or known or f"write a JSON object with {', '.join(keys)}",
        summary=f"{lower_first(message)} in {quote_text(line)}",
        place=place,
    )


def _list_known_keys(path: str | None) -> tuple[str, ...]:
    """List the keys that an object may have: a line, or what a path leads to (`$.calls[0].arguments[2]`)."""
    steps = _STEP.findall(path or "")
    return _PART_KEYS[steps[-1][0]] if steps else _KEYS


def _suggest_key(key: str, path: str | None, line: str) -> str:
    """Guess which key of a line, or of the object at `path`, is meant; never one that it has."""
    taken, known = _list_keys(line, path), _list_known_keys(path)
    meant = _OTHER_KEYS.get(key.casefold(), "")
    if meant in known:
        return "" if meant in taken else f"did you mean {meant!r}?"
    return suggest_name(key, known, taken)


def _list_keys(line: str, path: str | None) -> list[str]:
    """List the keys of a line, or of the object that a path leads to."""
    document: Any = _decode_loosely(line)
    for name, index in _STEP.findall(path or "") if document else ():
        document = document[name][int(index)]
    return list(document)


def _decode_loosely(line: str) -> dict[str, Any]:
    """Decode a line that is not an example; an empty object if it is not even JSON."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _describe_unknown_value(key: str, value: str, line: str) -> Problem:
    """Describe a value that is not one of its set, with a guess of which one is meant."""
    values = [str(known) for known in _CLOSED_SETS[key]]
    meant = _OTHER_NAMES[key].get(value.strip().casefold(), "")
    # With a skill, a row asks for something; without one, for nothing.
    contradictory = _list_contradictory_modes(line) if key == "mode" else ()
    if meant:
        guess = "" if meant in contradictory else f"did you mean {meant!r}?"
    else:
        guess = suggest_name(value.strip().casefold(), values, contradictory)
    return Problem(
        Reason.MALFORMED_RECORD,
        found=f"{key} {quote_text(value)}",
        expected=f"one of {', '.join(values)}",
        fix=guess or f"correct the {key}",
    )


def _list_contradictory_modes(line: str) -> tuple[str, ...]:
    if _decode_loosely(line).get("skill") is None:
        return tuple(mode for mode in Mode if mode is not Mode.NONE)
    return (Mode.NONE,)
