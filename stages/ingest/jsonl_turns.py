"""Lines of labeled JSONL that are the several calls of one turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from exemplars.core.ledger import Problem, reject_row, report_incomplete_turn
from exemplars.core.records import Mode, Reason, Record, Rejection
from stages.ingest.reading import STAGE

_SHARED: Final = ("utterance", "speaker", "context", "group", "split")
"""What all calls of a turn must have in common."""


class ReadCall(NamedTuple):
    """A call that was read, or its rejection."""

    row: Record | Rejection
    turn: str | None = None
    """The id of its turn; `None`: it is alone."""
    call: int | None = None
    """The position that the line gives it among the calls of its turn."""


def join_turns(calls: Sequence[ReadCall]) -> list[Record | Rejection]:
    """Number the calls of each turn, and give them the turn's reply; reject turns whose calls contradict each other.

    calls: of one file, in the order of its lines. Where no line gives positions, this order does.
    """
    turns: dict[str, list[int]] = {}
    for index, call in enumerate(calls):
        if call.turn is not None:
            turns.setdefault(call.turn, []).append(index)
    rows = [call.row for call in calls]
    for turn, indexes in turns.items():
        joined = _join_turn(turn, [calls[index] for index in indexes])
        for index, row in zip(indexes, joined, strict=True):
            rows[index] = row
    return rows


def _join_turn(turn: str, calls: Sequence[ReadCall]) -> list[Record | Rejection]:
    lost = [call.row for call in calls if isinstance(call.row, Rejection)]
    records = [call.row for call in calls if isinstance(call.row, Record)]
    if lost:
        problem = report_incomplete_turn(lost[0].id)
        return [
            row if isinstance(row, Rejection) else _reject(row, problem)
            for row in map(attrgetter("row"), calls)
        ]
    problems = _find_problems(turn, records, [call.call for call in calls])
    if problems:
        first = next(iter(problems))
        return [_reject(record, problems.get(record.id, report_incomplete_turn(first))) for record in records]
    reply = next((record.reply for record in records if record.reply is not None), None)
    return [
        msgspec.structs.replace(record, call=number if call.call is None else call.call, reply=reply)
        for number, (record, call) in enumerate(zip(records, calls, strict=True))
    ]


def _find_problems(turn: str, records: Sequence[Record], numbers: Sequence[int | None]) -> dict[str, Problem]:
    """Find the calls that do not fit the first one of their turn: their ids, each with its problem."""
    first = records[0]
    problems: dict[str, Problem] = {}
    for record in records[1:]:
        if different := [field for field in _SHARED if _differs(field, first, record)]:
            problems[record.id] = _describe(
                f"another {' and '.join(different)} than {first.id}, in the same turn {turn}",
                "the same in all calls of a turn",
                "correct it, or give the line a turn of its own",
            )
    if not problems and len(records) > 1:
        for record in records:
            if record.mode is Mode.NONE:
                found = f"mode 'none' in turn {turn}, which has {len(records)} lines"
                expected = "a call in each line of a turn with several"
                problems[record.id] = _describe(found, expected, "remove the line, or name its skill")
    if not problems and _differ(record.reply for record in records):
        problems[records[-1].id] = _describe(
            f"several replies in turn {turn}", "one reply for the whole turn", "keep one of them"
        )
    given = [number for number in numbers if number is not None]
    if not problems and given and sorted(given) != list(range(len(numbers))):
        found = f"the positions {', '.join(map(str, given))} of {len(numbers)} calls in turn {turn}"
        expected = f"each from 0 to {len(numbers) - 1} once"
        problems[records[0].id] = _describe(found, expected, "correct `call` in the lines, or leave it out")
    return problems


def _differs(field: str, first: Record, record: Record) -> bool:
    get = attrgetter(field)
    return bool(get(first) != get(record))


def _differ(replies: Iterable[str | None]) -> bool:
    return len({reply for reply in replies if reply is not None}) > 1


def _describe(found: str, expected: str, fix: str) -> Problem:
    return Problem(Reason.MALFORMED_RECORD, found, expected, fix)


def _reject(record: Record, problem: Problem) -> Rejection:
    return reject_row(record, STAGE, [problem])
