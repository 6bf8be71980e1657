"""The file `data/raw/preferences.jsonl`: what is appended to it is on the disk when the call returns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.file_locks import append_lines
from exemplars.core.files import read_file
from exemplars.models.preference_log import PreferenceLine, encode_pairs, read_preference_lines
from exemplars.models.preference_rows import PREFERENCE_VERSION, PairSource, PreferencePair
from exemplars.preferences.conversion import Conversion, drop_known


def read_preferences(path: Path = layout.RAW_PREFERENCES) -> list[PreferenceLine]:
    """Read the lines of the file; none if it does not exist. Raises `UserError` if it cannot be read."""
    return read_preference_lines(read_file(path)) if os.path.lexists(path) else []


def read_ids(path: Path = layout.RAW_PREFERENCES) -> set[str]:
    """Read the ids of all lines of the file, of withdrawn ones, too."""
    return _list_ids(read_preferences(path))


def append_pairs(pairs: Sequence[PreferencePair], path: Path = layout.RAW_PREFERENCES) -> None:
    """Append preferences. Raises `OSError` if the file cannot be written; it then is as it was."""
    append_lines(path, lambda _: encode_pairs(pairs))


def append_conversion(conversion: Conversion, path: Path = layout.RAW_PREFERENCES) -> Conversion:
    """Append the preferences of a converted file that are not there yet; return what was added and left out."""
    if not conversion.pairs:
        return conversion
    added = [conversion]

    def build(data: bytes) -> bytes:
        added[0] = drop_known(conversion, _list_ids(read_preference_lines(data)))
        return encode_pairs(added[0].pairs)

    append_lines(path, build)
    return added[0]


def withdraw_pair(pair_id: str, new_id: str, time: str, path: Path = layout.RAW_PREFERENCES) -> None:
    """Append a line that takes a preference back. new_id: of that line.

    Raises `UserError` if there is no such preference, or if it was withdrawn already.
    """

    def build(data: bytes) -> bytes:
        lines = read_preference_lines(data)
        counting = [
            line.pair.id for line in lines if line.pair and not line.problem and not line.pair.withdraws
        ]
        if pair_id not in counting:
            fix = "copy the id of a line that counts"
            found = f"the id {quote_text(pair_id)}"
            raise UserError(
                [
                    Diagnostic(
                        path=str(path),
                        code="unknown_preference",
                        found=found,
                        expected="one that counts",
                        fix=fix,
                    )
                ]
            )
        withdrawal = PreferencePair(
            version=PREFERENCE_VERSION, id=new_id, source=PairSource.JUDGE, withdraws=pair_id, time=time
        )
        return encode_pairs([withdrawal])

    append_lines(path, build)


def _list_ids(lines: Iterable[PreferenceLine]) -> set[str]:
    return {line.pair.id for line in lines if line.pair is not None}
