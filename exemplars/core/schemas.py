"""Arrow schemas, derived from the record types, so that a column is declared once.

A field's type gives the column's: `str` and `StrEnum` become strings, `int` int32, `float` float64, `bool` a
boolean, a tuple a list, and a record a struct. Every column admits nulls.
"""

from __future__ import annotations

import functools
import types
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from exemplars.core.records import Exemplar, Record, Rejection, ReviewItem, Template, TextPair

_SCALARS: Final[dict[type, pa.DataType]] = {
    str: pa.string(),
    int: pa.int32(),
    float: pa.float64(),
    bool: pa.bool_(),
}


def strip_optional(hint: Any) -> Any:
    """Return `X` for `X | None`, and any other type unchanged."""
    if get_origin(hint) in (Union, types.UnionType):
        members = [member for member in get_args(hint) if member is not types.NoneType]
        if len(members) == 1:
            return members[0]
    return hint


@functools.cache
def resolve_field_types(record_type: type[msgspec.Struct]) -> dict[str, Any]:
    """Resolve the type of each field of a record type, in the order of declaration, without `None`.

    Cached: rows are converted column by column, and resolving annotations takes longer than a small column.
    """
    hints = get_type_hints(record_type)
    return {field.name: strip_optional(hints[field.name]) for field in msgspec.structs.fields(record_type)}


@functools.cache
def derive_schema(record_type: type[msgspec.Struct]) -> pa.Schema:
    """Derive the Arrow schema of a record type.

    Raises `TypeError` if a field has a type without an Arrow counterpart.

    >>> print(derive_schema(TextPair))
    column: string
    first: string
    second: string
    similarity: double
    """
    return pa.schema([(name, derive_type(hint)) for name, hint in resolve_field_types(record_type).items()])


def derive_type(hint: Any) -> pa.DataType:
    """Derive the Arrow type of a field. Raises `TypeError` if it has no Arrow counterpart."""
    hint = strip_optional(hint)
    if get_origin(hint) is tuple:
        return pa.list_(derive_type(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return pa.struct([(name, derive_type(inner)) for name, inner in resolve_field_types(hint).items()])
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return pa.string()
    if hint not in _SCALARS:
        raise TypeError(f"no Arrow type for {hint!r}")
    return _SCALARS[hint]


RECORD_SCHEMA: Final = derive_schema(Record)
EXEMPLAR_SCHEMA: Final = derive_schema(Exemplar)
REJECTION_SCHEMA: Final = derive_schema(Rejection)
TEMPLATE_SCHEMA: Final = derive_schema(Template)
PAIR_SCHEMA: Final = derive_schema(TextPair)
REVIEW_SCHEMA: Final = derive_schema(ReviewItem)
