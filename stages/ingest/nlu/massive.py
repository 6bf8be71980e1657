"""MASSIVE's JSON lines: `{"intent", "annot_utt": "wake me at [time : five am]", "utt", "locale", "partition"}`."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.nlu.documents import Text
from stages.ingest.nlu.examples import (
    SPLIT_NAMES,
    Example,
    Flaw,
    Item,
    NluFile,
    Part,
    join_segments,
    report_malformed,
)
from stages.ingest.reading import describe_repeated_key, find_oversize, lower_first

_SLOT: Final = re.compile(r"\[([^\[\]:]*):([^\[\]]*)\]")


class _Line(msgspec.Struct):
    annot_utt: str
    intent: str = ""
    utt: str | None = None
    partition: str | None = None


def parse_massive(path: str, text: Text) -> NluFile:
    """Parse the lines of a file."""
    items = [
        _read_line(str(number), line) for number, line in enumerate(text.text.split("\n"), 1) if line.strip()
    ]
    return NluFile(path, tuple(items), is_damaged=text.is_damaged)


def _read_line(locator: str, text: str) -> Item:
    oversize = find_oversize(text)
    if oversize is not None:
        return Flaw(locator, oversize)
    try:
        line = decode_json(text, _Line)
    except RepeatedKeyError as error:
        return Flaw(locator, describe_repeated_key(error))
    except msgspec.DecodeError as error:
        summary = f"{lower_first(str(error))} in {quote_text(text)}"
        fix = "write a JSON object with annot_utt, intent, utt and partition"
        return Flaw(locator, Problem(Reason.MALFORMED_RECORD, summary=summary, fix=fix))
    return _read_annotation(locator, line)


def _read_annotation(locator: str, line: _Line) -> Item:
    parts, position = [], 0
    for match in _SLOT.finditer(line.annot_utt):
        parts += [Part(line.annot_utt[position : match.start()]), Part(match[2].strip(), match[1].strip())]
        position = match.end()
    parts.append(Part(line.annot_utt[position:]))
    text, entities = join_segments(parts)
    problem = _find_problem(line, parts, text)
    if problem is not None:
        return Flaw(locator, problem, line.intent, line.utt or line.annot_utt)
    split = None if line.partition is None else SPLIT_NAMES[line.partition]
    return Example(locator, text, line.intent, entities, split)


def _find_problem(line: _Line, parts: list[Part], text: str) -> Problem | None:
    plain = next((part.text for part in parts if part.slot is None and re.search(r"[\[\]]", part.text)), None)
    if plain is not None and (line.utt is None or text != line.utt):
        bracket = line.annot_utt.rfind("[") + 1 or line.annot_utt.find("]") + 1
        found = f"a bracket at character {bracket} of annot_utt that never closes"
        return report_malformed(found, "[slot : value]", "correct the annotation")
    if any(part.slot == "" for part in parts):
        return report_malformed("a slot without a name", "[slot : value]", "name the slot")
    empty = next((part.slot for part in parts if part.slot is not None and not part.text), None)
    if empty is not None:
        return report_malformed(f"the slot {empty!r} without a value", "[slot : value]", "fill it in")
    if line.utt is not None and line.utt != text:
        found = f"annot_utt that says {quote_text(text)}"
        return report_malformed(found, f"{quote_text(line.utt)}, as utt does", "correct one of the two")
    if line.partition is not None and line.partition not in SPLIT_NAMES:
        found = f"partition {quote_text(line.partition)}"
        return report_malformed(found, "train, dev or test", "correct the partition")
    return None
