"""The lines of `data/raw/preferences.jsonl`: decoded one by one, so that a broken line does not hide the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.documents import decode_json
from exemplars.core.errors import quote_text
from exemplars.core.files import MAX_RECORD_BYTES
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem
from exemplars.core.licenses import find_license_mistake
from exemplars.core.records import REDACTED, Origin, Reason
from exemplars.core.slot_paths import find_value_excess
from exemplars.models.preference_rows import PREFERENCE_VERSION, PreferencePair, Side, Verdict

SOURCE: Final = "preferences"
"""The source of preferences in ids and in the ledger."""
ROLES: Final = ("system", "user", "assistant", "tool")
_FORM: Final = "write a line as docs/preferences.md shows"
_VERSION: Final = re.compile(rb'"version"\s*:\s*(\d{1,9})\b')


class PreferenceLine(NamedTuple):
    """A line of the file."""

    number: int
    """From 1."""
    pair: PreferencePair | None
    """`None` if the line cannot be decoded."""
    problem: Problem | None = None
    """Why it is no preference of this version; or that it was erased or withdrawn, or repeats an id."""

    @property
    def is_withdrawal(self) -> bool:
        """Whether the line takes back a line that the file has, so that it is no preference itself."""
        return self.problem is None and self.pair is not None and self.pair.withdraws is not None


def read_preference_lines(data: bytes) -> list[PreferenceLine]:
    """Read the lines of a file; blank ones are skipped.

    Of lines with one id, the first counts. A line that a different one withdraws has the problem `withdrawn`.
    """
    lines = list(_decode_lines(data))
    known = {line.pair.id: line.number for line in lines if line.pair and not line.pair.withdraws}
    withdrawn = {line.pair.withdraws for line in lines if line.pair and not line.problem}
    return [_resolve_withdrawal(line, known, withdrawn) for line in lines]


def make_preference_id(number: int) -> str:
    """Build the id of the row that a line becomes. number: of the line, from 1.

    >>> make_preference_id(12)
    'preferences:preferences.jsonl#12'
    """
    return make_row_id(SOURCE, Origin(layout.RAW_PREFERENCES.name, "", str(number)))


def list_pairs(lines: Iterable[PreferenceLine]) -> list[PreferencePair]:
    """List the preferences that count: neither broken nor withdrawn."""
    return [line.pair for line in lines if line.pair and line.problem is None and not line.pair.withdraws]


def encode_pairs(pairs: Iterable[PreferencePair]) -> bytes:
    """Encode preferences as lines."""
    return b"".join(msgspec.json.encode(pair) + b"\n" for pair in pairs)


def describe_line_error(version: Any, error: msgspec.DecodeError) -> Problem:
    """Describe why a line, or an object, is no preference. version: what it says of its version."""
    if isinstance(version, int) and version != PREFERENCE_VERSION:
        found, fix = f"a line of version {version}", "upgrade exemplars, or convert the file"
        return Problem(Reason.MALFORMED_RECORD, found, f"version {PREFERENCE_VERSION}", fix)
    sentence = str(error)
    is_acronym = sentence[1:2].isupper()
    summary = sentence if is_acronym else sentence[:1].lower() + sentence[1:]
    return Problem(Reason.MALFORMED_RECORD, summary=summary, fix=_FORM)


def find_pair_problem(pair: PreferencePair) -> Problem | None:
    """Find what keeps a preference from being one: a side, a prompt or a value that is missing or cannot be."""
    sides = [side for side in (pair.chosen, pair.rejected) if side is not None]
    if REDACTED in sides:
        return Problem(Reason.ERASED, summary="a tombstone removed the text of this line")
    if pair.withdraws is not None:
        is_bare = not sides and pair.row is None and pair.prompt is None
        return None if is_bare else _malformed("a withdrawal with sides or a prompt", "`withdraws` alone")
    if (pair.row is None) == (pair.prompt is None):
        found = "neither row nor prompt" if pair.row is None else "both row and prompt"
        return _malformed(found, "one of the two")
    if not sides:
        return _malformed("no side", "chosen, rejected, or both")
    if pair.verdict != Verdict.CHOSEN and len(sides) < 2:
        return _malformed(f"one side and the verdict {pair.verdict}", "two sides")
    problems = (_find_side_problem(side) for side in sides)
    return _find_prompt_problem(pair) or next(filter(None, problems), None)


def _decode_lines(data: bytes) -> Iterator[PreferenceLine]:
    first: dict[str, int] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        decoded = _decode_line(line, number)
        if (pair := decoded.pair) is not None and first.setdefault(pair.id, number) != number:
            summary = f"the id {quote_text(pair.id)} is already on line {first[pair.id]}"
            problem = Problem(Reason.DUPLICATE_RECORD, summary=summary, fix="give each line its own id")
            decoded = PreferenceLine(number, None, problem)
        yield decoded


def _decode_line(line: bytes, number: int) -> PreferenceLine:
    if len(line) > MAX_RECORD_BYTES:
        expected = f"at most {MAX_RECORD_BYTES:,} bytes"
        problem = Problem(Reason.TOO_LONG, f"a line of {len(line):,} bytes", expected, "shorten it")
        return PreferenceLine(number, None, problem)
    try:
        pair = decode_json(line, PreferencePair)
    except msgspec.DecodeError as error:
        version = _VERSION.search(line)
        return PreferenceLine(number, None, describe_line_error(version and int(version[1]), error))
    return PreferenceLine(number, pair, find_pair_problem(pair))


def _find_side_problem(side: Side) -> Problem | None:
    if isinstance(side, str):
        return None if side.strip() else _malformed("an answer without text", "a text, or a list of calls")
    for call in side:
        excess = next(filter(None, map(find_value_excess, call.arguments.values())), None)
        if not call.name or excess:
            return _malformed(*(excess or ("a call without a name", "the name of a tool")))
    return None


def _find_prompt_problem(pair: PreferencePair) -> Problem | None:
    if pair.prompt is None:
        return _malformed("tools of a row", "tools of a prompt alone") if pair.tools else None
    unknown = next((message.role for message in pair.prompt if message.role not in ROLES), None)
    if unknown is not None:
        return _malformed(f"the role {quote_text(unknown)}", f"one of {', '.join(ROLES)}")
    if not pair.prompt or pair.prompt[-1].role not in ("user", "tool"):
        found = (
            f"a last message of the {pair.prompt[-1].role}" if pair.prompt else "a prompt without messages"
        )
        return _malformed(found, "a prompt that ends with a message of the user or a tool")
    mistake = find_license_mistake(pair.license or "")
    if mistake is not None:
        found, fix = ("a prompt without a license", "") if pair.license is None else mistake
        return Problem(Reason.MALFORMED_RECORD, found, "an SPDX expression as license", fix)
    if not all(map(_is_tool, pair.tools)):
        return _malformed("a tool of another form", '{"type": "function", "function": {"name", …}}')
    return None


def _is_tool(definition: dict[str, Any]) -> bool:
    function = definition.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return False
    parameters = function.get("parameters") or {}
    if not isinstance(parameters, dict) or not isinstance(function.get("description", ""), str):
        return False
    properties = parameters.get("properties", {})
    return isinstance(properties, dict) and all(isinstance(schema, dict) for schema in properties.values())


def _resolve_withdrawal(
    line: PreferenceLine, known: dict[str, int], withdrawn: Iterable[str | None]
) -> PreferenceLine:
    if line.pair is None or line.problem is not None:
        return line
    if line.pair.withdraws is None:
        if line.pair.id not in withdrawn:
            return line
        return line._replace(problem=Problem(Reason.WITHDRAWN, summary="a later line takes it back"))
    if line.pair.withdraws in known:
        return line
    found = f"the withdrawal of {quote_text(line.pair.withdraws)}"
    return line._replace(problem=_malformed(found, "the id of a line of this file"))


def _malformed(found: str, expected: str) -> Problem:
    return Problem(Reason.MALFORMED_RECORD, found, expected, _FORM)
