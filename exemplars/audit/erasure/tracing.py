"""Trace erased rows through all tables of the workspace and the stores: what they are known by, and all their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import pyarrow.compute as pc

from exemplars.audit.erasure.identity import (
    IDENTITY_COLUMNS,
    LISTED_DIGESTS,
    LISTED_IDS,
    RowIdentity,
    build_origin_keys,
    find_derived_rows,
    has_ids,
    is_among,
    is_text,
    list_base_ids,
    list_texts,
    make_text_key,
)
from exemplars.audit.erasure.matched_rows import MatchedRows
from exemplars.audit.erasure.search import (
    MIN_LENGTH,
    SearchTerms,
    fold_text,
)
from exemplars.audit.erasure.source_finder import SourceFinder
from exemplars.audit.erasure.table_reader import TableReader, TableSource
from exemplars.core.ids import is_speech_id
from exemplars.core.records import REDACTED
from stages.ingest.tombstones import Erasures

_TEXT_COLUMNS: Final = (*IDENTITY_COLUMNS, "exemplar", "arguments", "context")
_SHORT: Final = 3
"""Shorter values are not searched: they occur anywhere."""


class Trace(NamedTuple):
    """What is known of the erased rows."""

    utterances: dict[str, str]
    """The utterance of each row, by id, with the ids that it had earlier."""
    identity: RowIdentity
    forms: dict[str, set[str]]
    """The texts, by form: utterance, speech view, replaced text, template, context, value, raw record."""
    tombstones: frozenset[str]
    """The ids of the tombstones that match a row in some table, though perhaps none of a raw file."""


def trace_rows(matched: MatchedRows, erasures: Erasures, reader: TableReader) -> Trace:
    """Find out all that the erased rows have been: in the raw files, in the tables of all revisions, and between them.

    Raises `UserError` if a store cannot be read.
    """
    finder = SourceFinder(matched, erasures)
    for table in reader.read("rows"):
        finder.read(table)
    if finder.is_missing_texts:
        for data in reader.read_documents("raw files"):
            finder.read_document(data)
    identity = _find_others(finder.build_identity(matched), reader)
    forms: dict[str, set[str]] = defaultdict(set)
    digests: set[str] = set()
    for table in reader.read("derived rows"):
        digests |= _collect_forms(table, identity, set(finder.utterances.values()), forms)
    for row in matched.rows:
        forms["raw record"].update(row.raw_texts)
        if row.text is not None:
            forms["utterance"].add(row.text)
    forms["utterance"].update(finder.utterances.values())
    identity = identity._replace(digests=frozenset(digests - _find_other_digests(digests, identity, reader)))
    return Trace(finder.utterances, identity, dict(forms), frozenset(finder.tombstones))


def build_search_terms(
    trace: Trace, matched: MatchedRows, raw_files: Iterable[str], reader: TableReader
) -> SearchTerms:
    """Choose what to search for: what no kept row says, now or in the tables of the workspace.

    raw_files: the SHA-256 of files that are known to have held an erased row.
    """
    kept = matched.kept | _list_kept_texts(trace.identity, reader)
    said = "\0".join(kept)
    by_form = {
        form: {text for text in texts if text and text != REDACTED} for form, texts in trace.forms.items()
    }
    everything = {text for texts in by_form.values() for text in texts}
    texts = {
        text
        for text in everything
        if len(text) >= MIN_LENGTH and text not in matched.declared and text not in said
    }
    short = {text for text in by_form.get("utterance", ()) if len(text) < MIN_LENGTH}
    values = by_form.get("value", set()) | short
    strings = {text for text in values - kept - matched.declared if _is_distinctive(text)}
    compared = ("utterance", "replaced text", "template")
    folded = {fold_text(text) for form in compared for text in by_form.get(form, ())}
    return SearchTerms(
        texts=frozenset(texts),
        rows=trace.utterances,
        identity=trace.identity,
        raw_files=frozenset(raw_files),
        strings=frozenset(strings),
        folded=frozenset(folded - {fold_text(text) for text in kept} - {""}),
        forms={form: len(texts) for form, texts in sorted(by_form.items()) if texts},
        unsearched=len(everything - texts - strings),
    )


def _find_others(identity: RowIdentity, reader: TableReader) -> RowIdentity:
    """Add the other rows that have had one of the ids."""
    origins: set[str] = set()
    texts: set[str] = set()
    for place in reader.read("ids"):
        table = place.read(IDENTITY_COLUMNS) if place.is_source else None
        keys = build_origin_keys(table) if table is not None and has_ids(table) else None
        if table is None or keys is None or not is_text(table, "utterance"):
            continue
        ids = list_base_ids(table)
        mask = pc.and_(is_among(ids, identity.ids), pc.invert(is_among(keys, identity.origins)))
        mask = pc.and_(mask, pc.is_valid(table.column("utterance")))
        columns = (column.filter(mask).to_pylist() for column in (ids, keys, table.column("utterance")))
        for row_id, key, text in zip(*columns, strict=True):
            if text != REDACTED:
                origins.add(key)
                texts |= {make_text_key(row_id, text), make_text_key(row_id, "")}
    return identity._replace(other_origins=frozenset(origins), other_texts=frozenset(texts))


def _collect_forms(
    place: TableSource, identity: RowIdentity, utterances: Collection[str], forms: dict[str, set[str]]
) -> set[str]:
    """Collect the texts of a table's derived rows, and return their digests."""
    table = place.read(_TEXT_COLUMNS)
    if table is None or not has_ids(table):
        return set()
    rows = table.filter(find_derived_rows(table, identity._replace(neighbors=frozenset())))
    for row in rows.to_pylist():
        text, ids = (
            row.get("utterance"),
            (row.get("id"), row.get("exemplar_id"), *(row.get(LISTED_IDS) or ())),
        )
        is_speech = any(is_speech_id(row_id or "") for row_id in ids)
        form = "utterance" if text in utterances else "speech view" if is_speech else "replaced text"
        forms[form].update(filter(None, (text,)))
        forms["template"].update(filter(None, (row.get("exemplar"),)))
        forms["context"].update(turn["utterance"] for turn in row.get("context") or ())
        for argument in row.get("arguments") or ():
            said = (argument.get("value"), argument.get("surface"), *(argument.get("spoken") or ()))
            forms["value"].update(filter(None, said))
    return set(rows.column("digest").drop_null().to_pylist()) if is_text(rows, "digest") else set()


def _find_other_digests(digests: set[str], identity: RowIdentity, reader: TableReader) -> set[str]:
    """Find the digests that rows have, too, that were not derived from the erased rows."""
    others: set[str] = set()
    for place in reader.read("digests"):
        table = place.read(IDENTITY_COLUMNS)
        if table is not None and has_ids(table):
            rows = table.filter(pc.invert(find_derived_rows(table, identity)))
            others.update(list_texts(rows, LISTED_DIGESTS).to_pylist())
            if is_text(rows, "digest"):
                others.update(rows.column("digest").to_pylist())
    return others & digests


def _list_kept_texts(identity: RowIdentity, reader: TableReader) -> set[str]:
    """List the utterances, templates, values and surfaces of all other rows in the tables of the workspace."""
    texts: set[str] = set()
    for place in reader.read_current():
        table = place.read(_TEXT_COLUMNS)
        if table is None or not has_ids(table):
            continue
        rows = table.filter(pc.invert(find_derived_rows(table, identity)))
        for name in ("utterance", "exemplar"):
            if is_text(rows, name):
                texts.update(filter(None, pc.unique(rows.column(name)).to_pylist()))
        if "arguments" in rows.column_names:
            arguments = pc.list_flatten(rows.column("arguments"))
            for name in ("value", "surface"):
                if arguments.type.get_field_index(name) >= 0:  # Records have no surfaces.
                    texts.update(filter(None, pc.unique(pc.struct_field(arguments, name)).to_pylist()))
    return texts


def _is_distinctive(text: str) -> bool:
    """Check whether a short text is more than a word or number that occurs anywhere."""
    return len(text) >= _SHORT and (any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) > _SHORT)
