"""The edits of reviewers: a record as its reviewer wants it, compiled like any other.

An edit holds for the content that its reviewer saw. If the row compiles to that content, the edited record takes the
place of the record, and the next edit holds for what it compiles to. If the edited record does not compile, the row
stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from exemplars.core.errors import summarize_names
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Exemplar, LabelledArgument, Mode, Reason, Record, Rejection
from exemplars.core.reviews import (
    Resolution,
    Review,
    ReviewedArgument,
    ReviewedRow,
    RowContent,
    RowEdit,
    describe_row,
)
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill, find_missing_parameters
from exemplars.dataset.texts import has_text
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon


class RowVersion(NamedTuple):
    """A row before or after an edit."""

    record: Record
    exemplar: Exemplar
    """What the record compiles to."""
    shares_turn: bool
    """Whether its turn has more calls."""


class EditCompiler:
    """Compiles what reviewers want a row to be."""

    def __init__(
        self, skills: Mapping[str, Skill], lexicon: Lexicon, rules: Mapping[str, SourceRules]
    ) -> None:
        """skills: the catalog, by name. rules: of the sources, by name."""
        self._skills = skills
        self._lexicon = lexicon
        self._rules = rules

    def compile(self, row: RowVersion, after: ReviewedRow) -> RowVersion | Rejection:
        """Compile a row as its reviewer wants it; or return its rejection, with everything that is wrong."""
        record = self._edit_record(row, after)
        problems = list(self._find_problems(row, after))
        if problems:
            return reject_row(record, "compile", problems)
        result = compile_record(record, self._skills, self._lexicon, self._rules[record.source])
        if isinstance(result, Rejection):
            return result
        if missing := self._find_lost_parameters(row, after):
            names = summarize_names(missing)
            problem = Problem(
                Reason.MISSING_ARGUMENT, f"no {names}", f"the required {names}", slot=missing[0]
            )
            return reject_row(record, "compile", [problem._replace(fix="add what is missing")])
        return RowVersion(record, result, row.shares_turn)

    def apply(
        self, row: RowVersion, resolutions: Mapping[RowContent, Resolution]
    ) -> tuple[RowVersion, list[RowEdit]]:
        """Apply the edits that hold for a row, one after the other."""
        edits: list[RowEdit] = []
        seen: set[str] = set()
        while (edit := find_edit(resolutions.get((row.exemplar.id, row.exemplar.digest)))) is not None:
            before = row.exemplar
            if before.digest in seen:  # A later edit has made the row what it was.
                break
            seen.add(before.digest)
            result = self.compile(row, edit.after or describe_row(before))
            if isinstance(result, Rejection):
                edits.append(RowEdit(before.id, edit.decision_id, before.digest, None, result.message))
                break
            row = result
            edits.append(RowEdit(before.id, edit.decision_id, before.digest, row.exemplar.digest))
        return row, edits

    def _edit_record(self, row: RowVersion, after: ReviewedRow) -> Record:
        """Return the record of a row as its reviewer wants it; its template follows from the spans."""
        skill = None if after.skill is None else self._skills.get(after.skill)
        kept = {}
        if (after.utterance, after.skill) == (row.exemplar.utterance, row.exemplar.skill):
            labels = {label.slot: label for label in row.record.arguments}
            kept = {
                argument: labels[argument.slot]
                for argument in describe_row(row.exemplar).arguments
                if argument.slot in labels
            }
        return msgspec.structs.replace(
            row.record,
            utterance=after.utterance,
            skill=after.skill,
            service=row.record.service if skill is None else skill.service,
            mode=after.mode,
            arguments=tuple(_label_argument(argument, kept.get(argument)) for argument in after.arguments),
            exemplar=None,
        )

    def _find_problems(self, row: RowVersion, after: ReviewedRow) -> Iterator[Problem]:
        """Find what makes no row, whatever the catalog says."""
        if not has_text(after.utterance):
            yield _describe("an utterance without text", "what is said", "write it, or reject the row")
        if row.shares_turn and after.utterance != row.exemplar.utterance:
            found = "another utterance for one of several calls of a turn"
            yield _describe(found, "the same in all of them", "correct the text in its source")
        if (after.skill is None) is not (after.mode is Mode.NONE):
            found = f"mode {after.mode.value!r} " + ("with" if after.skill else "without") + " a skill"
            yield _describe(found, "a skill, or mode 'none'", "correct one of the two")

    def _find_lost_parameters(self, row: RowVersion, after: ReviewedRow) -> list[str]:
        """Find the required parameters that an edit leaves out; none if the row left out some of its skill before."""
        before = describe_row(row.exemplar)
        return [] if after.skill == before.skill and self._find_missing(before) else self._find_missing(after)

    def _find_missing(self, row: ReviewedRow) -> list[str]:
        skill = self._skills.get(row.skill or "")
        if skill is None or row.mode is Mode.NEGATIVE:
            return []
        return find_missing_parameters(skill, {find_root(argument.slot) for argument in row.arguments})


def find_edit(resolution: Resolution | None) -> Review | None:
    """Find the edit that reviewers agree on; `None` if there is no such edit."""
    agreed = None if resolution is None else resolution.agreed
    return None if agreed is None or agreed.after is None else agreed


def list_edited_rows(resolutions: Mapping[RowContent, Resolution]) -> frozenset[str]:
    """List the ids of the rows for which reviewers agree on an edit."""
    return frozenset(row for (row, _), resolution in resolutions.items() if find_edit(resolution) is not None)


def _label_argument(argument: ReviewedArgument, known: LabelledArgument | None) -> LabelledArgument:
    """Label an argument as its reviewer wants it. known: the label of the source, if the argument is unchanged."""
    if known is not None:
        return msgspec.structs.replace(
            known, start=argument.start, end=argument.end, grounding=argument.grounding
        )
    spoken = () if argument.surface is None else (argument.surface,)
    return LabelledArgument(
        argument.slot, argument.value, spoken, argument.start, argument.end, grounding=argument.grounding
    )


def _describe(found: str, expected: str, fix: str) -> Problem:
    return Problem(Reason.MALFORMED_RECORD, found, expected, fix)
