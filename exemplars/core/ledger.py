"""The ledger: every record that a stage does not keep, why, and how to fix it.

A check returns a `Problem` or `None`; a `Ledger` turns problems into rejections and counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from exemplars.core.errors import Diagnostic, UserError, compose_message
from exemplars.core.ids import split_locator
from exemplars.core.records import Origin, Reason, Rejection


class Problem(NamedTuple):
    """One thing that is wrong with a row."""

    reason: Reason
    found: str = ""
    expected: str = ""
    fix: str = ""
    slot: str | None = None
    summary: str = ""
    """A sentence that replaces "found ..., expected ..."."""
    place: str = ""
    """Where it is, if that is known more precisely than by the row's origin: `call.md:12:9`."""

    @property
    def sentence(self) -> str:
        """What was found, what was expected, and how to fix it, as one sentence."""
        return compose_message(self.found, self.expected, self.fix, self.summary)


class Identified(Protocol):
    """A row that is known by its id."""

    @property
    def id(self) -> str: ...  # noqa: D102


class Rejectable(Identified, Protocol):
    """A row that can be rejected: a `Record`, an `Exemplar`, or what a reader knows of a record."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def skill(self) -> str | None: ...  # noqa: D102
    @property
    def utterance(self) -> str | None: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def origin(self) -> Origin: ...  # noqa: D102


class UnreadRecord(NamedTuple):
    """What is known of a record that cannot be read: enough for its rejection."""

    id: str
    source: str
    group: str
    origin: Origin
    skill: str | None = None
    utterance: str | None = None


R = TypeVar("R", bound=Rejectable)


def format_place(origin: Origin) -> str:
    """Format an origin for people: `path:12` for a line, `path#/3/turns/4` for a JSON Pointer.

    >>> format_place(Origin(path="call.md", sha256="0", locator="12"))
    'call.md:12'
    >>> format_place(Origin(path="chats.jsonl", sha256="0", locator="18/messages/4"))
    'chats.jsonl:18#/messages/4'
    """
    line, pointer = split_locator(origin.locator)
    return "".join(
        [origin.path, *([] if line is None else [f":{line}"]), *([f"#{pointer}"] if pointer else [])]
    )


def reject_row(row: Rejectable, stage: str, problems: Sequence[Problem]) -> Rejection:
    """Build the rejection of a row.

    problems: at least one; the first sets the reason and the slot, and the message lists them all. The
    utterance is dropped if the row was rejected for personal data or was erased.

    >>> row = Rejection("s:a.md#3", "s", "ingest", Reason.ERASED, "", Origin("a.md", "0", "3"), "g", "call")
    >>> problem = Problem(Reason.UNKNOWN_SKILL, "skill 'call'", "one of text, ring", "correct it")
    >>> reject_row(row, "compile", [problem]).message
    "a.md:3: found skill 'call', expected one of text, ring; correct it"
    """
    first = problems[0]
    place = first.place or format_place(row.origin)
    private = first.reason in (Reason.PERSONAL_DATA, Reason.ERASED)
    return Rejection(
        id=row.id,
        source=row.source,
        stage=stage,
        reason=first.reason,
        message=f"{place}: " + "; ".join(problem.sentence for problem in problems),
        origin=row.origin,
        group=row.group,
        skill=row.skill,
        slot=first.slot,
        utterance=None if private else row.utterance,
    )


def find_incomplete_turns(rows: Sequence[Identified], dropped: Collection[str]) -> dict[str, Problem]:
    """Find the rows whose turn has another call that is dropped: their ids, each with its problem.

    The frames that a turn has for several services are labeled each by itself, so only calls of one service count.

    dropped: the ids of rows that are dropped, among `rows` or not.
    """
    torn = {getattr(row, "turn", None) for row in rows if row.id in dropped}
    by_answer: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        turn = getattr(row, "turn", None)
        if turn is not None and turn in torn:
            by_answer.setdefault((turn, getattr(row, "service", None)), []).append(row.id)
    problems: dict[str, Problem] = {}
    for ids in by_answer.values():
        lost = [row_id for row_id in ids if row_id in dropped]
        if lost:
            problems.update(
                {row_id: report_incomplete_turn(lost[0]) for row_id in ids if row_id not in dropped}
            )
    return problems


def report_incomplete_turn(lost: str) -> Problem:
    """Report a call whose turn has another call that was rejected. lost: the id of that call."""
    return Problem(
        Reason.INCOMPLETE_TURN,
        summary=f"{lost}, a call of the same turn, is rejected, and without it the turn would ask for too little",
        fix="correct that call",
    )


class Ledger:
    """The rejections of one stage."""

    def __init__(self, stage: str) -> None:
        """stage: the name of the stage, as in `dvc.yaml`."""
        self.stage = stage
        self._rejections: list[Rejection] = []

    @property
    def rejections(self) -> list[Rejection]:
        """All rejections so far, sorted by id and reason."""
        return sorted(self._rejections, key=lambda rejection: (rejection.id, rejection.reason))

    def reject(self, row: Rejectable, *problems: Problem) -> None:
        """Add a row with its problems, at least one."""
        self._rejections.append(reject_row(row, self.stage, problems))

    def keep(self, rows: Iterable[R], find_problem: Callable[[R], Problem | None]) -> list[R]:
        """Return the rows without a problem, in their order; add the others to the ledger."""
        kept = []
        for row in rows:
            problem = find_problem(row)
            if problem is None:
                kept.append(row)
            else:
                self.reject(row, problem)
        return kept

    def drop(self, rows: Iterable[R], problems: Mapping[str, Problem]) -> list[R]:
        """Return the rows whose id is not in `problems`, in their order; add the others to the ledger.

        The other calls of a dropped call's turn are dropped with it: see `find_incomplete_turns`.
        """
        rows = list(rows)
        dropped = {**find_incomplete_turns(rows, problems), **problems}
        return self.keep(rows, lambda row: dropped.get(row.id))

    def extend(self, other: Ledger) -> None:
        """Add the rejections of another ledger of the same stage."""
        self._rejections += other._rejections

    def revise(self, revise: Callable[[Rejection], Rejection]) -> None:
        """Replace each rejection so far, for example by a copy without its text."""
        self._rejections = list(map(revise, self._rejections))

    def check_conservation(self, records: int, kept: int) -> None:
        """Raise `UserError` unless every one of `records` records is kept or rejected."""
        check_conservation(self.stage, records, kept, len(self._rejections))


def check_conservation(stage: str, records: int, kept: int, rejected: int) -> None:
    """Raise `UserError` unless every one of `records` records is kept or rejected."""
    if records != kept + rejected:
        raise UserError(
            [
                Diagnostic(
                    path=f"stage {stage}",
                    code="lost_records",
                    found=f"{records} records in, {kept} kept and {rejected} rejected",
                    expected="records in = kept + rejected",
                    fix="report this as a bug, with the input",
                )
            ]
        )
