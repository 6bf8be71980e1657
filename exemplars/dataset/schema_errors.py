"""What a JSON Schema expects of a value that it does not accept, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_EXPECTED: Final = {
    "type": "a value of type {}",
    "enum": "one of {}",
    "const": "{}",
    "format": "a text of the format {}",
    "pattern": "a text that matches {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} item(s)",
    "maxItems": "at most {} item(s)",
    "minProperties": "at least {} value(s)",
    "maxProperties": "at most {} value(s)",
}


def describe_expected(error: ValidationError) -> str:
    """Describe what a keyword of a schema expects, for a message.

    >>> from jsonschema import Draft202012Validator
    >>> [describe_expected(error) for error in Draft202012Validator({"type": ["string", "null"]}).iter_errors(5)]
    ['a value of type string, null']
    """
    keyword, value = str(error.validator), error.validator_value
    form = _EXPECTED.get(keyword, f"a value that `{keyword}` of its schema accepts")
    return form.format(", ".join(map(str, value)) if isinstance(value, list) else value)
