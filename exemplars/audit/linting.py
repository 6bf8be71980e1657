"""Lint skill files: check their form, their calls and the spans of their values, without the pipeline.

No pyarrow is imported here, so that `exemplars lint` answers in half a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.audit.unsaid_values import compile_records
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.files import format_path
from exemplars.core.ledger import format_place
from exemplars.core.records import Record, Rejection
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import BUILT_IN, Recognizers
from stages.compile.exemplars import SourceRules
from stages.compile.lexicon import Lexicon
from stages.ingest.file_listing import SourceFile, list_files
from stages.ingest.reading import SourceInfo, decode_text
from stages.ingest.skills import SKILL_FILES, parse_skill_file
from stages.ingest.skills.outline import Outline, parse_outline
from stages.ingest.skills.signature import locate_declared_name, locate_signature_names

_UTTERANCE_COLUMN: Final = len("### User: ") + 1


class LintResult(NamedTuple):
    """What linting found."""

    examples: int
    """The number of examples, of those that could not be read, too: as many as a run has records."""
    diagnostics: list[Diagnostic]
    """By path, line, column and code."""


class _SkillFile(NamedTuple):
    """What could be read of a skill file."""

    path: str
    diagnostics: Sequence[Diagnostic]
    records: Sequence[Record] = ()
    rejected: int = 0
    skills: Sequence[Skill] = ()
    declarations: Mapping[str, tuple[int, int]] = {}
    """The line and the column that declare a parameter, by its name."""


def list_skill_files(path: Path) -> list[SourceFile]:
    """List the skill files below a folder, with all that keeps some from being read; or the one at the path.

    The names of the files are their paths. Raises `UserError` if the folder has no skill file.
    """
    if not path.is_dir():
        return [SourceFile(format_path(path), path)]
    try:
        files = list_files(path, "", SKILL_FILES)
    except UserError as error:
        fix = "name a skill file, or a folder with skill files"
        raise UserError([msgspec.structs.replace(item, fix=fix) for item in error.diagnostics]) from None
    return [file._replace(name=format_path(file.path)) for file in files]


def lint_skill_files(files: Iterable[SourceFile], recognizers: Recognizers, none_skill: str) -> LintResult:
    """Lint skill files, each by itself and all of them together. none_skill: the skill that stands for "no call"."""
    unique = {file.name: file for file in files}
    parsed = [_parse_file(unique[name], none_skill) for name in sorted(unique)]
    diagnostics = [diagnostic for file in parsed for diagnostic in file.diagnostics]
    diagnostics += _check_recognizers(parsed, recognizers)
    diagnostics += _check_values(parsed, recognizers)
    diagnostics += _check_repeated_utterances(parsed)
    diagnostics.sort(key=lambda item: (item.path, item.line or 0, item.column or 0, item.code))
    return LintResult(sum(len(file.records) + file.rejected for file in parsed), diagnostics)


def _parse_file(file: SourceFile, none_skill: str) -> _SkillFile:
    try:
        reading, diagnostics = parse_skill_file(SourceInfo("lint", ""), file.name, file.read(), none_skill)
    except UserError as error:
        located = [msgspec.structs.replace(diagnostic, path=file.name) for diagnostic in error.diagnostics]
        return _SkillFile(file.name, located)
    declarations = _locate_declarations(parse_outline(file.name, decode_text(file.name, file.read())))
    return _SkillFile(
        file.name, diagnostics, reading.records, len(reading.rejections), reading.skills, declarations
    )


def _locate_declarations(outline: Outline) -> dict[str, tuple[int, int]]:
    """Locate the names of the parameters: in the section `Parameters`, or else in the signature."""
    places: dict[str, tuple[int, int]] = {}
    for line in outline.prompt[:1]:
        for name, position in locate_signature_names(line.text).items():
            if name is not None:
                places[name] = (line.number, line.column + position)
    for line in outline.parameters:
        if (declared := locate_declared_name(line.text)) is not None:
            places[declared[0]] = (line.number, line.column + declared[1])
    return places


def _check_recognizers(files: Iterable[_SkillFile], recognizers: Recognizers) -> Iterator[Diagnostic]:
    """Find parameters that name an unknown recognizer."""
    known = {*BUILT_IN, *recognizers.recognizers}
    for file in files:
        for skill in file.skills:
            for parameter in skill.parameters:
                if parameter.recognizer is not None and parameter.recognizer not in known:
                    yield Diagnostic(
                        path=file.path,
                        code="unknown_recognizer",
                        found=f"recognizer {parameter.recognizer!r} of parameter {parameter.name!r}",
                        expected=f"one of {', '.join(sorted(known))}",
                        fix="correct the name, or add the recognizer",
                    )


def _check_values(files: Sequence[_SkillFile], recognizers: Recognizers) -> Iterator[Diagnostic]:
    """Compile every example: find values that are not in the utterance, and calls that the catalog rules out."""
    skills = {skill.name: skill for file in files for skill in file.skills}
    records = [record for file in files for record in file.records]
    rows, unsaid = compile_records(records, skills, Lexicon(recognizers), SourceRules())
    for record, row in zip(records, rows, strict=True):
        if isinstance(row, Rejection):
            sentence = row.message.removeprefix(f"{format_place(row.origin)}: ")
            yield _locate(record, row.reason, sentence, "", "", summary=sentence)
    declarations = {file.path: file.declarations for file in files}
    for parameter in unsaid:
        first, problem = parameter.records[0], parameter.describe()
        found = _locate(first, problem.reason, "", "", problem.fix, summary=problem.summary)
        place = declarations[first.origin.path].get(find_root(parameter.slot.replace("[]", "[0]")))
        yield (found if place is None else msgspec.structs.replace(found, line=place[0], column=place[1]))


def _check_repeated_utterances(files: Iterable[_SkillFile]) -> Iterator[Diagnostic]:
    """Find duplicate examples, and utterances with two meanings."""
    by_text: dict[str, list[Record]] = defaultdict(list)
    for file in files:
        for record in file.records:
            by_text[" ".join(record.utterance.casefold().split())].append(record)
    for first, *others in by_text.values():
        place = f"{first.origin.path}:{first.origin.locator}"
        for record in others:
            if _get_meaning(record) == _get_meaning(first):
                found = f"the example of {place} again"
                yield _locate(record, "duplicate_exemplar", found, "each once", "remove one of them")
            else:
                found = f"{quote_text(record.utterance)}, which has another meaning at {place}"
                yield _locate(record, "conflicting_label", found, "one meaning", "correct one of them")


def _get_meaning(record: Record) -> tuple[str | None, frozenset[tuple[str, str]]]:
    return record.skill, frozenset((argument.slot, argument.value) for argument in record.arguments)


def _locate(record: Record, code: str, found: str, expected: str, fix: str, summary: str = "") -> Diagnostic:
    """Build a diagnostic that points to the utterance of a record."""
    return Diagnostic(
        path=record.origin.path,
        line=int(record.origin.locator),
        column=_UTTERANCE_COLUMN,
        code=code,
        found=found,
        expected=expected,
        fix=fix,
        summary=summary,
    )
