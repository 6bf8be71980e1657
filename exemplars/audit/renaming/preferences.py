"""Preferences under a renaming: a preference goes on to be about its row, and its sides call what the row calls."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from exemplars.audit.renaming.edits import Rename, RenamedLines
from exemplars.audit.renaming.rows import map_digests
from exemplars.core import layout
from exemplars.core.file_locks import lock_file
from exemplars.core.files import read_file, write_bytes
from exemplars.models.preference_log import encode_pairs, read_preference_lines
from exemplars.models.preference_rows import PreferencePair, PreferredCall, Side


def rename_preferences(data: bytes, rename: Rename, digests: Mapping[str, str]) -> RenamedLines:
    """Rename in the preferences of a file that are about rows of the dataset.

    Lines without the name stay as they are, and so do broken ones and those with a prompt and tools of their own. Text
    in place of calls stays, too. Ids stay, since other lines may withdraw them.

    digests: of the rows that are renamed, to what they become.
    """
    lines = data.split(b"\n")
    places = 0
    for line in read_preference_lines(data):
        if line.pair is None or line.pair.row is None:
            continue
        renamed = _rename_pair(line.pair, rename, digests)
        if renamed != line.pair:
            lines[line.number - 1] = encode_pairs([renamed]).removesuffix(b"\n")
            places += 1
    return RenamedLines(b"\n".join(lines), places)


def plan_preferences(rename: Rename) -> RenamedLines:
    """Rename in the preferences of the project in the current folder, without writing them."""
    path = layout.RAW_PREFERENCES
    data = read_file(path) if os.path.lexists(path) else b""
    return rename_preferences(data, rename, map_digests(rename)) if data.strip() else RenamedLines(data, 0)


def write_preferences(rename: Rename) -> None:
    """Rename in the preferences of the project in the current folder; others may append to them at the same time."""
    with lock_file(layout.RAW_PREFERENCES):
        write_bytes(layout.RAW_PREFERENCES, plan_preferences(rename).data)


def _rename_pair(pair: PreferencePair, rename: Rename, digests: Mapping[str, str]) -> PreferencePair:
    row = pair.row or ""
    return msgspec.structs.replace(
        pair,
        row=digests.get(row, row),
        chosen=_rename_side(pair.chosen, rename),
        rejected=_rename_side(pair.rejected, rename),
    )


def _rename_side(side: Side | None, rename: Rename) -> Side | None:
    return (
        side if side is None or isinstance(side, str) else tuple(_rename_call(call, rename) for call in side)
    )


def _rename_call(call: PreferredCall, rename: Rename) -> PreferredCall:
    if call.name != rename.skill:
        return call
    if rename.parameter is None:
        return PreferredCall(rename.new, call.arguments)
    arguments = {
        rename.new if name == rename.parameter else name: value for name, value in call.arguments.items()
    }
    return PreferredCall(call.name, arguments)
