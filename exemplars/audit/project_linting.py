"""Lint all sources of a project: what their readers and `compile` would reject, without running a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from exemplars.audit.linting import lint_skill_files, list_skill_files
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.params import PATH
from exemplars.core.preflight import Project, read_project
from exemplars.core.rejection_bound import is_loss
from exemplars.dataset.recognizers import Recognizers, merge_recognizers, read_recognizers
from stages.compile.inputs import build_rules
from stages.ingest.params import AnySource, SkillsSource, Ungrounded

if TYPE_CHECKING:
    from exemplars.audit.source_reading import ReadSource
    from exemplars.core.records import Record, Rejection
    from exemplars.dataset.catalog import Skill
    from stages.compile.exemplars import SourceRules
    from stages.compile.lexicon import Lexicon

MAX_SOURCE_BYTES: Final = 16 * 2**20
"""Larger sources are linted only if they are named: grounding all of SGD takes minutes."""


class ProjectLint(NamedTuple):
    """What linting found in the sources of a project."""

    sources: tuple[str, ...]
    """Those that were linted."""
    records: int
    diagnostics: list[Diagnostic]
    """By path, line, column and code; paths are relative to the root of the project."""
    skipped: tuple[str, ...]
    """Sources that are too large to be linted along with the others."""


def lint_project(source: str | None = None, path: Path = PATH) -> ProjectLint:
    """Lint the sources of the dataset, or one source.

    Raises `UserError` if the parameters of the sources are not valid, or there is no source of that name.
    """
    project, faults = read_project(path, ("ingest", "compile"))
    if faults:
        raise UserError(faults)
    settings = project.get_sources()
    if source is not None and source not in settings:
        raise UserError([_unknown_source(source, settings)])
    wanted = [source] if source else [name for name in project.list_sources() if name in settings]
    if all(_has_skill_files(settings[name]) for name in wanted):
        return _collect(_lint_skills(project, wanted), wanted, ())
    return _lint_all(project, wanted, everything=source is not None)


def _lint_all(project: Project, wanted: list[str], *, everything: bool) -> ProjectLint:
    """Lint sources of all formats. everything: even large ones."""
    # Imported here: these import pyarrow, which takes longer than linting skill files.
    from exemplars.audit.source_reading import read_sources

    names = [name for name in project.list_sources() if name in project.get_sources()]
    limit = None if everything else MAX_SOURCE_BYTES
    read = {item.name: item for item in read_sources(project.sections["ingest"], {*names, *wanted}, limit)}
    own = [name for name in wanted if _has_skill_files(project.get_sources()[name])]
    skipped = tuple(name for name in wanted if read[name].tables is None and not read[name].problems)
    others = [read[name] for name in wanted if name not in (*own, *skipped)]
    recognizers = merge_recognizers(
        [
            _read_recognizers(project),
            *(item.tables.recognizers for item in read.values() if item.tables is not None),
        ]
    )
    skills = [skill for item in read.values() if item.tables is not None for skill in item.tables.skills]
    # A skill that is inferred from calls gives way to a definition.
    catalog = {skill.name: skill for skill in sorted(skills, key=lambda skill: not skill.inferred)}
    composing = [name for name in read if _is_composing(project, name)]
    rules = build_rules(
        composing, {name: item.tables.skills for name, item in read.items() if item.tables is not None}
    )
    found = [*_lint_skills(project, own), *_lint_sources(others, catalog, recognizers, rules)]
    return _collect(found, [name for name in wanted if name not in skipped], skipped)


def _has_skill_files(settings: AnySource) -> bool:
    """Check whether a source is a folder of skill files, which are linted without their reader."""
    return isinstance(settings, SkillsSource) and not layout.is_url(settings.path)


def _is_composing(project: Project, name: str) -> bool:
    return getattr(project.get_sources()[name], "ungrounded", Ungrounded.REJECT) is Ungrounded.COMPOSE


def _collect(
    found: Iterable[tuple[int, list[Diagnostic]]], sources: Iterable[str], skipped: tuple[str, ...]
) -> ProjectLint:
    found = list(found)
    diagnostics = [diagnostic for _, some in found for diagnostic in some]
    diagnostics.sort(key=lambda item: (item.path, item.line or 0, item.column or 0, item.code))
    return ProjectLint(tuple(sources), sum(records for records, _ in found), diagnostics, skipped)


def _lint_skills(project: Project, names: Iterable[str]) -> Iterator[tuple[int, list[Diagnostic]]]:
    """Lint sources of skill files: yield the number of examples, and what is wrong with them."""
    for name in names:
        settings = project.get_sources()[name]
        try:
            files = list_skill_files(Path(settings.path))
        except UserError as error:
            yield 0, list(error.diagnostics)
            continue
        result = lint_skill_files(files, _read_recognizers(project), settings.none_skill or "")
        yield result.examples, result.diagnostics


def _read_recognizers(project: Project) -> Recognizers:
    path = layout.find_schema(project.sections["compile"].recognizers)
    return read_recognizers(path) if path.is_file() else Recognizers()


def _lint_sources(
    sources: Iterable[ReadSource],
    catalog: Mapping[str, Skill],
    recognizers: Recognizers,
    rules: Mapping[str, SourceRules],
) -> Iterator[tuple[int, list[Diagnostic]]]:
    """Lint sources that were read: what the reader rejects, and what `compile` rejects of the rest.

    catalog: the skills of all sources; a source's own definition of a skill goes first.
    """
    from exemplars.audit.rejections import describe_rejections
    from exemplars.dataset.row_tables import records_from_table, rejections_from_table
    from stages.compile.lexicon import Lexicon

    lexicon = Lexicon(recognizers)
    for source in sources:
        if source.tables is None:
            yield 0, list(source.problems)
            continue
        skills = {**catalog, **{skill.name: skill for skill in source.tables.skills if not skill.inferred}}
        records = [row for row in records_from_table(source.tables.records) if not row.is_template]
        compiled = _compile(records, skills, lexicon, rules[source.name])
        rejections = [*rejections_from_table(source.tables.rejections), *compiled]
        rows = describe_rejections(row for row in rejections if is_loss(row.reason))
        yield (
            source.tables.records.num_rows + source.tables.rejections.num_rows,
            [
                Diagnostic(
                    path=row.path,
                    line=row.line,
                    column=row.column,
                    code=row.reason,
                    fix="",
                    summary=row.message,
                )
                for row in rows
            ],
        )


def _compile(
    records: Sequence[Record], skills: Mapping[str, Skill], lexicon: Lexicon, rules: SourceRules
) -> list[Rejection]:
    """Compile records as the stage does; return what it would reject."""
    from exemplars.audit.unsaid_values import compile_records
    from exemplars.core.ledger import Ledger, find_incomplete_turns, reject_row
    from exemplars.core.records import Exemplar
    from stages.compile.contradictions import reject_contradictions

    compiled, unsaid = compile_records(records, skills, lexicon, rules)
    rejections = [row for row in compiled if not isinstance(row, Exemplar)]
    ledger = Ledger("compile")
    incomplete = find_incomplete_turns(records, {rejection.id for rejection in rejections})
    exemplars = ledger.drop([row for row in compiled if isinstance(row, Exemplar)], incomplete)
    reject_contradictions(exemplars, ledger)
    # A parameter that nobody says is reported once, where it is filled first.
    unsaid_rows = [reject_row(item.records[0], "compile", [item.describe()]) for item in unsaid]
    return [*rejections, *ledger.rejections, *unsaid_rows]


def _unknown_source(name: str, known: Mapping[str, object]) -> Diagnostic:
    return Diagnostic(
        path=str(PATH),
        code="unknown_source",
        found=f"source {name!r}",
        expected=f"one of {', '.join(sorted(known))}",
        fix=suggest_name(name, known) or "name a source of ingest.sources",
    )
