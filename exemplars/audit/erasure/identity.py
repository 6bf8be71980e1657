"""Which rows of a table were derived from an erased row: by id, by origin and by digest, never by their words.

A speech view, a surrogate, a chat row, a prediction and a ledger row say other words than the row that they were made
from. What they share with it is the place in a raw file, and an id that begins with the row's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.records import Origin, Reason

ID_COLUMNS: Final = ("exemplar_id", "id")
"""Columns with the id of one row: chat rows of earlier versions were made from one row each."""
LISTED_IDS: Final = "exemplar_ids"
"""The column of the rows that a chat row, or a prediction for it, was made from."""
LISTED_DIGESTS: Final = "digests"
IDENTITY_COLUMNS: Final = (
    *(*ID_COLUMNS, LISTED_IDS, "origin", "digest", LISTED_DIGESTS),
    *("nearest", "utterance", "reason"),
)
"""The columns that `find_derived_rows` compares."""
_DERIVED: Final = r"(?s)(~speech)?(@(call|skill|slot|pair)(:.*)?)?$"
"""As in `exemplars.core.ids`, for Arrow."""
_SEPARATOR: Final = "\0"


class RowIdentity(NamedTuple):
    """What erased rows are known by."""

    ids: frozenset[str] = frozenset()
    """All ids that they have had."""
    origins: frozenset[str] = frozenset()
    """Their places in raw files, as by `make_origin_key`."""
    other_origins: frozenset[str] = frozenset()
    """Places of other rows that have had one of the ids: a line that is inserted moves the ids below it."""
    other_texts: frozenset[str] = frozenset()
    """What tables without places may say of those other rows: an utterance, or nothing; as by `make_text_key`."""
    digests: frozenset[str] = frozenset()
    """Digests of their content that no other row has."""
    neighbors: frozenset[str] = frozenset()
    """The ids that no kept row has now: a prediction that was made from one of them repeats its call."""

    @property
    def raw_files(self) -> frozenset[str]:
        """The SHA-256 of every raw file that held one of the rows."""
        return frozenset(key.partition(_SEPARATOR)[0] for key in self.origins)


def make_origin_key(origin: Origin) -> str:
    """Make the key of a place in a raw file: the hash of the file's content, its path, and the locator."""
    return _SEPARATOR.join((origin.sha256, origin.path, origin.locator))


def make_text_key(row_id: str, utterance: str) -> str:
    """Make the key of a row that is known by its id and what it says."""
    return f"{row_id}{_SEPARATOR}{utterance}"


def find_derived_rows(table: pa.Table, identity: RowIdentity) -> Any:
    """Build a mask of the rows that were derived from the erased rows. A ledger row that says `erased` is none."""
    mask = pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
    if not has_ids(table):
        return mask
    keys = build_origin_keys(table)
    if keys is not None:
        mask = pc.or_(mask, is_among(keys, identity.origins))
    if is_text(table, "digest"):
        mask = pc.or_(mask, is_among(table.column("digest"), identity.digests))
    mask = pc.or_(mask, _have_any(table, LISTED_DIGESTS, identity.digests))
    mask = pc.or_(mask, _have_id(table, keys, identity))
    # A prediction that was made from an erased row repeats its call.
    mask = pc.or_(mask, _have_any(table, "nearest", identity.neighbors))
    if is_text(table, "reason"):
        mask = pc.and_(mask, pc.invert(is_among(table.column("reason"), [Reason.ERASED.value])))
    return mask


def has_ids(table: pa.Table) -> bool:
    """Check whether the rows of a table have ids of rows."""
    return any(is_text(table, name) for name in ID_COLUMNS)


def is_text(table: pa.Table, name: str) -> bool:
    """Check whether a table has a column of strings of that name."""
    return name in table.column_names and pa.types.is_string(table.schema.field(name).type)


def is_among(column: Any, values: Collection[str]) -> Any:
    """Build a mask of the entries that are among some values; `None` is not."""
    return pc.is_in(column, pa.array(sorted(values), pa.string()))


def list_base_ids(table: pa.Table) -> Any:
    """List the id of the row that each row of a table was made from, as in `exemplars.core.ids.strip_derived`."""
    name = next(name for name in ID_COLUMNS if is_text(table, name))
    return pc.replace_substring_regex(table.column(name), _DERIVED, "")


def build_origin_keys(table: pa.Table) -> Any:
    """Build the key of each row's place, as by `make_origin_key`; `None` if the table has no such column."""
    if "origin" not in table.column_names or not pa.types.is_struct(table.schema.field("origin").type):
        return None
    origin = table.column("origin").combine_chunks()
    names = [field.name for field in origin.type]
    if not {"sha256", "path", "locator"} <= set(names):
        return None
    parts = [pc.struct_field(origin, name) for name in ("sha256", "path", "locator")]
    return pa.chunked_array([pc.binary_join_element_wise(*parts, _SEPARATOR)])


def _have_id(table: pa.Table, keys: Any, identity: RowIdentity) -> Any:
    """Build a mask of the rows that have one of the ids, and are not known to be another row."""
    ids = list_base_ids(table)
    mask = pc.or_(is_among(ids, identity.ids), _have_any(table, LISTED_IDS, identity.ids))
    if keys is not None:
        return pc.and_(mask, pc.invert(is_among(keys, identity.other_origins)))
    if is_text(table, "utterance"):
        texts = pc.binary_join_element_wise(ids, table.column("utterance"), _SEPARATOR)
        return pc.and_(mask, pc.invert(is_among(texts, identity.other_texts)))
    return mask


def list_texts(table: pa.Table, name: str) -> Any:
    """List the texts in a column of lists, without the rows that they are in; none if there is no such column."""
    lists = _find_lists(table, name)
    return pa.array([], pa.string()) if lists is None else pc.list_flatten(lists)


def _have_any(table: pa.Table, name: str, values: Collection[str]) -> Any:
    """Build a mask of the rows with one of some ids or digests in a column of lists."""
    lists = _find_lists(table, name)
    if lists is None:
        return pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
    texts = pc.replace_substring_regex(pc.list_flatten(lists), _DERIVED, "")
    rows = pc.list_parent_indices(lists).filter(is_among(texts, values))
    return pa.chunked_array([pc.is_in(pa.array(range(len(lists)), pa.int64()), rows.cast(pa.int64()))])


def _find_lists(table: pa.Table, name: str) -> Any:
    """Find a column of lists of texts; `None` if there is no such column."""
    if name not in table.column_names:
        return None
    lists = table.column(name).combine_chunks()
    is_listed = pa.types.is_list(lists.type) and pa.types.is_string(lists.type.value_type)
    return lists if is_listed else None
