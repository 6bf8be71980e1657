"""Validators of JSON Schemas that strangers wrote: a pattern that would take hours accepts anything."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import regex

_MAX_SECONDS: Final = 2.0
"""A pattern takes microseconds, unless it repeats what is repeated: `^(a+)+$`."""
_slow_patterns: Final[set[str]] = set()


def build_validator(schema: Mapping[str, Any], formats: Sequence[str] = ()) -> Any:
    """Build a validator of JSON Schema 2020-12. formats: those that are checked.

    >>> build_validator({"pattern": "^a+$"}).is_valid("ab")
    False
    """
    from jsonschema import FormatChecker

    return _make_class()(schema, format_checker=FormatChecker(formats) if formats else None)


@functools.cache
def _make_class() -> Any:
    # Imported here: few catalogs have schemas.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return extend(Draft202012Validator, {"pattern": _check_pattern})


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _matches(pattern: str, text: str) -> bool:
    if pattern in _slow_patterns:
        return True
    try:
        return regex.search(pattern, text, timeout=_MAX_SECONDS) is not None
    except regex.error:  # What `re` reads, and `regex` does not.
        return True
    except TimeoutError:
        _slow_patterns.add(pattern)
        return True
