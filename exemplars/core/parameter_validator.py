"""Parameters checked against their declared types: every unknown or missing key, every invalid value."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Container, Iterator
from enum import Enum
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from exemplars.core.errors import quote_text, suggest_name
from exemplars.core.names import NAME_RULE, is_about_name

Keys = tuple[str | int, ...]
"""The keys from the top of a document to a value; an index for an item of a list."""

MAX_INTEGER: Final = 2**32 - 1
"""The greatest integer, as a seed of numpy."""
_WORD: Final = re.compile(r"[\w-]{1,100}")
_UNIONS: Final = (Union, types.UnionType)


class Fault(NamedTuple):
    """A key or a value that does not fit; the fields are those of a `Diagnostic`."""

    code: str
    keys: Keys
    found: str
    expected: str
    fix: str
    summary: str


def find_faults(keys: Keys, value: Any, hint: Any) -> Iterator[Fault]:
    """Find everything in a value that does not fit a type, in the order of the document.

    keys: where the value is. msgspec stops at the first error, so each part is converted separately, and
    the whole only if all its parts fit: whatever is wrong then concerns several of them.
    """
    faults = [*_check_plain(keys, value), *_check_parts(keys, value, _choose_member(hint, value))]
    if not faults:
        try:
            converted = msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            faults.append(_report_value(keys, value, _describe_expected(hint, str(error))))
        else:
            faults += _list_conflicts(keys, converted)
    yield from faults


def _list_conflicts(keys: Keys, section: Any) -> Iterator[Fault]:
    """List what a section finds wrong with several of its values together, by its method `find_conflicts`, if any.

    The keys of these faults are relative to the section.
    """
    if isinstance(section, msgspec.Struct) and hasattr(section, "find_conflicts"):
        for fault in section.find_conflicts():
            yield fault._replace(keys=(*keys, *fault.keys))


def _check_plain(keys: Keys, value: Any) -> Iterator[Fault]:
    """Find a number or text that nothing can hold, whatever its type allows."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        # Python refuses to write an integer of thousands of digits.
        found = str(value) if abs(value) < 10**30 else "an integer of more than 30 digits"
        summary = f"{_format_keys(keys)} is {found}: expected at most {MAX_INTEGER:,}"
        yield Fault("invalid_value", keys, found, f"at most {MAX_INTEGER:,}", "correct the value", summary)
    elif isinstance(value, float) and not math.isfinite(value):
        yield _report_value(keys, value, "expected a finite number")
    elif isinstance(value, str) and re.search("[\0\ud800-\udfff]", value):
        yield _report_value(keys, value, "expected text without NUL characters and lone surrogates")


def _check_parts(keys: Keys, value: Any, hint: Any) -> Iterator[Fault]:
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    origin, arguments = get_origin(plain), get_args(plain)
    if origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _check_key(keys, key, arguments[0])
            yield from find_faults((*keys, str(key)), item, arguments[1])
    elif origin in (tuple, list) and isinstance(value, list) and arguments[1:] in ((), (...,)):
        for index, item in enumerate(value):
            yield from find_faults((*keys, index), item, arguments[0])
    elif isinstance(plain, type) and issubclass(plain, msgspec.Struct) and isinstance(value, dict):
        yield from _check_fields(keys, value, plain)
    elif origin in _UNIONS and isinstance(value, dict):
        yield from _check_tag(keys, value, arguments)


def _check_key(keys: Keys, key: Any, hint: Any) -> Iterator[Fault]:
    """Find what is wrong with a key that the user chose, such as the name of a source."""
    try:
        msgspec.convert(key, hint)
    except msgspec.ValidationError as error:
        expected = _describe_expected(hint, str(error))
        summary = f"{_format_keys(keys)} has the key {_format_value(key)}: {expected}"
        fix = "rename it"
        yield Fault("invalid_key", (*keys, str(key)), _format_value(key), expected, fix, summary)


def _check_fields(keys: Keys, value: dict[Any, Any], struct: type[msgspec.Struct]) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    tag = struct.__struct_config__.tag_field if struct.__struct_config__.tag is not None else None
    known = (*fields, *([tag] if tag is not None else []))
    misspelled = [key for key in value if key not in known]
    for key, item in value.items():
        if key in fields:
            yield from find_faults((*keys, str(key)), item, fields[key].type)
        elif key in misspelled:
            fault = report_unknown((*keys, str(key)), known, value)
            # A section may say what has taken the place of a key of an earlier version.
            yield fault._replace(fix=getattr(struct, "REPLACED", {}).get(key, fault.fix))
    if not misspelled:  # A misspelled key is missing, too, under its right name: it is reported once.
        for name, field in fields.items():
            if field.required and name not in value:
                yield _report_missing((*keys, name))


def _check_tag(keys: Keys, value: dict[Any, Any], members: tuple[Any, ...]) -> Iterator[Fault]:
    """Find a tag that none of the members of a union has."""
    configs = [member.__struct_config__ for member in members if hasattr(member, "__struct_config__")]
    tags = [str(config.tag) for config in configs if config.tag is not None]
    if not tags:
        return
    name = str(configs[0].tag_field)
    if name not in value:
        yield _report_missing((*keys, name), f"one of {', '.join(tags)}")
    elif value[name] not in tags:
        yield _report_value((*keys, name), value[name], f"expected one of {', '.join(tags)}")


def _choose_member(hint: Any, value: Any) -> Any:
    """Choose the member of a union that a value is meant for, by its tag if the members have tags.

    Returns the union itself if several members may be meant, or none.
    """
    if get_origin(hint) not in _UNIONS:
        return hint
    chosen = [member for member in get_args(hint) if _may_be_meant(member, value)]
    return chosen[0] if len(chosen) == 1 and value is not None else hint


def _may_be_meant(member: Any, value: Any) -> bool:
    config = getattr(member, "__struct_config__", None)
    if config is None or config.tag is None:
        return member is not types.NoneType
    return isinstance(value, dict) and value.get(config.tag_field) == config.tag


def report_unknown(keys: Keys, known: tuple[str, ...], given: Container[Any]) -> Fault:
    """Report a key that is not known, with a guess at the right name. given: all keys of the same section."""
    fix = suggest_name(str(keys[-1]), known, given) or "remove it, or correct its name"
    return Fault(
        "unknown_key", keys, f"unknown key {_format_keys(keys)!r}", f"one of {', '.join(known)}", fix, ""
    )


def _report_missing(keys: Keys, expected: str = "a value") -> Fault:
    summary = f"{_format_keys(keys)} is missing: expected {expected}"
    return Fault("missing_key", keys, "no such key", expected, "add it", summary)


def _report_value(keys: Keys, value: Any, expected: str) -> Fault:
    """Report an invalid value: `train.shared.batch_rows is 0: expected int >= 1`."""
    # Of a whole section the message says which of its values is meant.
    found = "" if isinstance(value, dict) else _format_value(value)
    summary = f"{_format_keys(keys)}{f' is {found}' if found else ''}: {expected}"
    return Fault(
        "invalid_value",
        keys,
        found or _format_keys(keys),
        expected.removeprefix("expected "),
        "correct the value",
        summary,
    )


def _describe_expected(hint: Any, message: str) -> str:
    """Rephrase msgspec's message: name the values of an enumeration, drop its own path."""
    values = list(_list_values(hint))
    if values and message.startswith("Invalid enum value"):
        return f"expected one of {', '.join(values)}"
    if message.startswith("Invalid RFC3339 encoded date"):
        return "expected a date such as 2026-01-31"
    if is_about_name(message):
        return f"expected {NAME_RULE}"
    complaint = re.sub(r" - at `.*", "", message).replace("`", "")
    return f"{complaint[0].lower()}{complaint[1:]}"


def _list_values(hint: Any) -> Iterator[str]:
    """Yield the values of an enumeration, or of the enumerations in a union."""
    if get_origin(hint) in _UNIONS:
        for member in get_args(hint):
            yield from _list_values(member)
    elif get_origin(hint) is Literal:
        yield from map(str, get_args(hint))
    elif isinstance(hint, type) and issubclass(hint, Enum):
        yield from (str(member.value) for member in hint)


def _format_value(value: Any) -> str:
    """Format a value as YAML has it: `null`, `true`, `7`, `'text'`, `[]`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return quote_text(value)
    return quote_text(str(value))[1:-1]


def _format_keys(keys: Keys) -> str:
    """Format keys as a path: `ingest.sources.sgd.splits[0]`; a key that is not a plain word is quoted."""
    return "".join(
        f"[{key}]" if isinstance(key, int) else f".{key if _WORD.fullmatch(key) else quote_text(key)}"
        for key in keys
    ).removeprefix(".")
