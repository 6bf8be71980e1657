"""The preferences whose lines say what is to be erased, and their redaction.

A redacted line keeps its id, its source, who decided and when. It is no preference any more: `render` rejects it as
`erased`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.audit.erasure.matched_rows import list_strings
from exemplars.core import layout
from exemplars.core.documents import decode_json
from exemplars.core.files import read_file
from exemplars.core.records import REDACTED, Reason
from exemplars.models.preference_log import make_preference_id, read_preference_lines
from exemplars.models.preference_rows import PREFERENCE_VERSION, PairSource, PreferencePair
from stages.ingest.tombstone_matching import make_text_matcher
from stages.ingest.tombstones import Erasures

_KEPT_KEYS: Final = frozenset(
    {"version", "id", "row", "source", "time", "verdict", "kind", "license", "withdraws"}
)
"""What says nothing that somebody said."""


class PreferenceMatches(NamedTuple):
    """The preferences that say what is to be erased."""

    lines: frozenset[int] = frozenset()
    """Their lines, from 1."""
    tombstones: frozenset[str] = frozenset()
    """The ids of the tombstones that match them."""

    @property
    def files(self) -> frozenset[str]:
        """The file that has them, relative to the project's root."""
        return frozenset([layout.RAW_PREFERENCES.as_posix()] if self.lines else [])


def find_preferences(
    root: Path, erasures: Erasures, digests: Collection[str], holds_text: Callable[[bytes], object]
) -> PreferenceMatches:
    """Find the preferences about erased rows, and those that say something that is to be erased; broken lines, too.

    digests: of the erased rows. holds_text: whether a document has one of their texts.
    """
    path = root / layout.RAW_PREFERENCES
    data = read_file(path) if os.path.lexists(path) else b""
    match_text = make_text_matcher(erasures)
    raw = data.split(b"\n")
    found: set[int] = set()
    tombstones: set[str] = set()
    for line in read_preference_lines(data):
        if line.problem is not None and line.problem.reason == Reason.ERASED:
            continue
        content = raw[line.number - 1]
        texts = list(_list_texts(content))
        rules = {tombstone.id for text in texts if (tombstone := match_text(text)) is not None}
        place = make_preference_id(line.number)
        rules |= {tombstone.id for tombstone in erasures.tombstones if tombstone.place == place}
        is_about_row = line.pair is not None and line.pair.row in digests
        if rules or is_about_row or (texts and holds_text("\n".join(texts).encode("utf-8", "replace"))):
            found.add(line.number)
            tombstones |= rules
    return PreferenceMatches(frozenset(found), frozenset(tombstones))


def redact_preferences(data: bytes, lines: Collection[int]) -> bytes:
    """Redact preferences in the bytes of their file; all other lines stay as they are. lines: of them, from 1."""
    raw = data.split(b"\n")
    for line in read_preference_lines(data):
        if line.number in lines:
            raw[line.number - 1] = msgspec.json.encode(_redact_pair(line.pair, line.number))
    return b"\n".join(raw)


def _list_texts(line: bytes) -> Iterator[str]:
    """List what a line says that was said, or may have been; of a broken line all of it."""
    try:
        document = decode_json(line)
    except msgspec.DecodeError:
        yield line.decode("utf-8", "replace")
        return
    if not isinstance(document, dict):
        yield from list_strings(document)
        return
    for key, value in document.items():
        if key not in _KEPT_KEYS:
            yield from list_strings(value)


def _redact_pair(pair: PreferencePair | None, number: int) -> PreferencePair:
    if pair is None:
        return PreferencePair(
            version=PREFERENCE_VERSION, id=f"erased-{number}", chosen=REDACTED, source=PairSource.WRITTEN
        )
    return PreferencePair(
        version=PREFERENCE_VERSION,
        id=pair.id,
        chosen=REDACTED,
        source=pair.source,
        judge=pair.judge,
        time=pair.time,
    )
