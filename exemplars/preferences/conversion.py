"""A file of preferences of any usual form as lines of `data/raw/preferences.jsonl`; every item is added or named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import Problem, format_place
from exemplars.core.records import Origin, Reason
from exemplars.models.preference_log import describe_line_error, find_pair_problem
from exemplars.models.preference_rows import PREFERENCE_VERSION, PairSource, PreferencePair, hash_pair
from exemplars.preferences.forms import FormProblem, PairDraft, read_item
from stages.ingest.row_files import FileRow, read_rows


class LeftOut(NamedTuple):
    """An item that is not added."""

    place: str
    """`dpo.json#/3/chosen`, `kto.jsonl:12`."""
    reason: Reason
    message: str


class Conversion(NamedTuple):
    """The items of a file: every one is in one of the two."""

    pairs: tuple[PreferencePair, ...]
    left_out: tuple[LeftOut, ...]


def convert_file(name: str, data: bytes, license_: str | None) -> Conversion:
    """Convert a file: a JSON array, JSON lines or Parquet; the form is found item by item.

    name: of the file, for places. license_: SPDX expression of the texts that come without one. Raises `UserError`
    if the file cannot be read at all, or needs a license.
    """
    pairs: dict[str, PreferencePair] = {}
    left_out: list[LeftOut] = []
    for row in read_rows(name, data):
        pair = _convert_row(row, name, license_)
        if isinstance(pair, LeftOut):
            left_out.append(pair)
        elif pair.id in pairs:
            summary = f"the same preference as {pairs[pair.id].origin or pair.id}"
            place = _format_place(name, row.locator)
            left_out.append(LeftOut(place, Reason.DUPLICATE_RECORD, summary))
        else:
            pairs[pair.id] = pair
    return Conversion(tuple(pairs.values()), tuple(left_out))


def drop_known(conversion: Conversion, known: Collection[str]) -> Conversion:
    """Remove the preferences that are there already. known: their ids."""
    repeated = [
        LeftOut(pair.origin or pair.id, Reason.DUPLICATE_RECORD, "the preference is there already")
        for pair in conversion.pairs
        if pair.id in known
    ]
    pairs = tuple(pair for pair in conversion.pairs if pair.id not in known)
    return Conversion(pairs, (*conversion.left_out, *repeated))


def _convert_row(row: FileRow, name: str, license_: str | None) -> PreferencePair | LeftOut:
    if isinstance(row.content, Problem):
        return _leave_out(_format_place(name, row.locator), row.content)
    if isinstance(row.content, Mapping) and {"version", "source"} <= row.content.keys():
        pair = _convert_own(row.content)
    else:
        draft = read_item(_drop_none(row.content))
        if isinstance(draft, FormProblem):
            return _leave_out(_format_place(name, row.locate(draft.pointer)), draft.problem)
        pair = _build_pair(draft, _format_place(name, row.locator), license_)
    problem = pair if isinstance(pair, Problem) else find_pair_problem(pair)
    return _leave_out(_format_place(name, row.locator), problem) if problem else cast(PreferencePair, pair)


def _convert_own(item: Mapping[str, Any]) -> PreferencePair | Problem:
    try:
        return msgspec.convert(item, PreferencePair)
    except msgspec.ValidationError as error:
        return describe_line_error(item.get("version"), error)


def _build_pair(draft: PairDraft, place: str, license_: str | None) -> PreferencePair:
    if license_ is None:
        fix = "add --license with an SPDX expression, such as CC-BY-4.0"
        summary = "its texts come without a license"
        raise UserError([Diagnostic(path=place, code="no_license", fix=fix, summary=summary)])
    pair = PreferencePair(
        version=PREFERENCE_VERSION,
        id="",
        prompt=draft.prompt,
        tools=tuple(dict(tool) for tool in draft.tools),
        chosen=draft.chosen,
        rejected=draft.rejected,
        source=PairSource.IMPORTED,
        license=license_,
        origin=place,
    )
    return msgspec.structs.replace(pair, id=hash_pair(pair)[:32])


def _drop_none(item: Any) -> Any:
    """Drop the keys without a value: a table has every key in every row."""
    if not isinstance(item, dict):
        return item
    return {key: value for key, value in item.items() if value is not None}


def _leave_out(place: str, problem: Problem) -> LeftOut:
    return LeftOut(place, problem.reason, problem.sentence)


def _format_place(name: str, locator: str) -> str:
    """Format the place of an item: `dpo.json#/3`, `kto.jsonl:12#/messages/0`."""
    return format_place(Origin(name, "", locator))
