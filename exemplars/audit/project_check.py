"""Everything about a project that can be known before a run, all at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from exemplars.audit.source_reading import ReadSource, read_sources
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.files import read_file
from exemplars.core.params import PATH
from exemplars.core.preflight import STAGES, Finding, Project, Severity, read_project, run_checks
from exemplars.core.records import Mode, Reason
from exemplars.dataset.catalog_merge import merge_catalogs
from exemplars.dataset.references import describe_marks
from exemplars.models.preference_log import read_preference_lines
from stages.compile.params import OnSameSkill
from stages.ingest.source_files import SourceTables
from stages.validate.measures import format_interval_width
from stages.validate.params import ValidateParams

MAX_SOURCE_BYTES: Final = 16 * 2**20
"""Larger sources are not read, so that the check takes about a second."""


def check_project(path: Path = PATH, *, parameters_only: bool = False) -> list[Finding]:
    """Check a project: its parameters, its sources, and the machine; errors first, in the order of the file.

    parameters_only: look at nothing but the parameter file.
    """
    try:
        project, problems = read_project(path)
    except UserError as error:  # It is no YAML, or no file.
        return [Finding(Severity.ERROR, problem) for problem in error.diagnostics]
    findings = [Finding(Severity.ERROR, problem) for problem in problems]
    if not parameters_only:
        findings += run_checks(project, STAGES, "check_params")
        findings += _check_machine(project)
        findings += _check_sources(project)
        findings += _check_preferences()
    unique = dict.fromkeys(findings)
    return sorted(
        unique,
        key=lambda item: (
            item.severity,
            item.diagnostic.path,
            item.diagnostic.line or 0,
            item.diagnostic.code,
        ),
    )


def _check_preferences() -> Iterator[Finding]:
    """Find lines of the preferences that `render` will reject whatever the rows are."""
    path = layout.RAW_PREFERENCES
    if not path.is_file() or path.stat().st_size > MAX_SOURCE_BYTES:
        return
    for line in read_preference_lines(read_file(path)):
        if line.problem is not None and line.problem.reason not in (Reason.WITHDRAWN, Reason.ERASED):
            problem = line.problem
            yield Finding(
                Severity.WARNING,
                Diagnostic(
                    path=path.as_posix(),
                    line=line.number,
                    code=problem.reason,
                    found=problem.found,
                    expected=problem.expected,
                    fix=problem.fix,
                    summary=problem.summary,
                ),
            )


def _check_machine(project: Project) -> Iterator[Finding]:
    """Check what training needs of the machine; without torch, that no model can be trained is said once."""
    if find_spec("torch") is None:
        yield project.report(
            Severity.WARNING,
            ("train",),
            "no_torch",
            "torch is not installed: no model can be trained here",
            "run `dvc repro validate`, which needs none, or pip install -c constraints.txt -e '.[train]'",
        )
        return
    yield from run_checks(project, STAGES, "check_machine")


def _check_sources(project: Project) -> Iterator[Finding]:
    """Read the sources of the dataset, and check them one by one and together."""
    ingest, settings = project.sections.get("ingest"), project.get_sources()
    names = [name for name in project.list_sources() if name in settings]
    if ingest is None or not names:
        return
    sources = list(read_sources(ingest, names, MAX_SOURCE_BYTES))
    for source in sources:
        for problem in source.problems:
            if problem.code == "empty_source":
                yield project.report(
                    Severity.ERROR,
                    ("ingest", "sources", source.name, "path"),
                    problem.code,
                    f"source {source.name!r}: {problem.path}: {problem.found}, expected {problem.expected}",
                    problem.fix,
                )
            elif problem.code != "invalid_license":  # `publish` reports it, with its line.
                yield Finding(Severity.ERROR, problem)
    yield from _check_skills(project, sources)
    yield from _check_called_names(project, sources)
    yield from _check_references(sources)
    if all(source.tables is not None for source in sources):
        yield from _check_size(project, sources)


def _check_skills(project: Project, sources: Sequence[ReadSource]) -> Iterator[Finding]:
    """Find skills that two sources define differently, with both places."""
    compiled = project.sections.get("compile")
    unite = compiled is not None and compiled.same_skill is OnSameSkill.UNION
    try:
        merge_catalogs({source.name: source.list_skills() for source in sources}, unite=unite)
    except UserError as error:
        yield from (Finding(Severity.ERROR, problem) for problem in error.diagnostics)


def _check_called_names(project: Project, sources: Sequence[ReadSource]) -> Iterator[Finding]:
    """Find skills that only calls show, with a name much like that of a defined skill: most likely a slip."""
    skills = [(source.name, skill) for source in sources for skill in source.list_skills()]
    defined = sorted({skill.name for _, skill in skills if not skill.inferred})
    for source, skill in skills:
        hint = suggest_name(skill.name, defined)
        if skill.inferred and skill.name not in defined and hint:
            yield project.report(
                Severity.WARNING,
                ("ingest", "sources", source),
                "similar_skill",
                f"source {source!r} calls {quote_text(skill.name)}, which no source defines",
                f"{hint} Otherwise define it, in a skill file or in tools.json",
            )


def _check_references(sources: Sequence[ReadSource]) -> Iterator[Finding]:
    """Find references of schemas that could not be resolved: cycles, and what is in another document."""
    for skill in (skill for source in sources for skill in source.list_skills()):
        path, _, line = skill.place.rpartition(":")
        for parameter in skill.parameters:
            for sentence in describe_marks(parameter.schema, f"{skill.name}.{parameter.name}"):
                problem = Diagnostic(
                    path=path or skill.place,
                    line=int(line) if path and line.isdigit() else None,
                    code="unresolved_reference",
                    fix="write what it refers to in its place, if values there should be checked",
                    summary=sentence,
                )
                yield Finding(Severity.WARNING, problem)


def _check_size(project: Project, sources: Sequence[ReadSource]) -> Iterator[Finding]:
    """Find bounds of `validate` that a set of this size cannot meet, whatever is rejected."""
    params: ValidateParams | None = project.sections.get("validate")
    tables = [source.tables for source in sources if source.tables is not None]
    records = sum(table.records.num_rows for table in tables)
    for source in sources:
        if source.tables is not None and not source.tables.records.num_rows:
            unread = source.tables.rejections.num_rows
            yield project.report(
                Severity.ERROR,
                ("ingest", "sources", source.name),
                "no_record",
                f"source {source.name!r} has "
                + (f"{unread:,} records, none of which can be read" if unread else "no example"),
                f"run `exemplars lint --source {source.name}`"
                if unread
                else "write some, or remove the source",
            )
    if params is None:
        return
    if records < params.min_exemplars:
        yield project.report(
            Severity.ERROR,
            ("validate", "min_exemplars"),
            "too_few_records",
            f"all sources have {records:,} records; at least {params.min_exemplars:,} (validate.min_exemplars)",
            "add examples, or lower the bound",
        )
    yield from _check_shares(project, params, tables, records)


def _check_shares(
    project: Project, params: ValidateParams, tables: Sequence[SourceTables], records: int
) -> Iterator[Finding]:
    skills = {skill for table in tables for skill in table.records.column("skill").to_pylist()}
    needed = math.ceil(1 / params.max_skill_share) if params.max_skill_share else 1
    if len(skills) < needed:
        yield project.report(
            Severity.WARNING,
            ("validate", "max_skill_share"),
            "unreachable_bound",
            f"{len(skills)} of the {needed} skills that validate.max_skill_share needs, with `no call` as one",
            f"add examples of at least {needed - len(skills)} more, or raise the bound",
        )
    modes = {mode for table in tables for mode in table.records.column("mode").to_pylist()}
    if records and str(Mode.NONE) not in modes:
        yield project.report(
            Severity.WARNING,
            ("ingest", "sources"),
            "no_none",
            "no example asks for no call: a model trained on this calls a skill whatever is said",
            "add some (none_skill of a skills source, mode `none` of labeled JSONL)",
        )
    split = project.sections.get("split")
    rows = 0 if split is None else round(records * split.ratios.test)
    if split is not None and records and rows < params.min_test_rows:
        yield project.report(
            Severity.WARNING,
            ("split", "ratios"),
            "small_test",
            f"the test split will have about {rows} of {records:,} records: expect a 95 % interval of "
            f"{format_interval_width(rows)} around a score of 0.5; at least {params.min_test_rows} "
            "(validate.min_test_rows)",
            "add examples, or read figures of the model with care",
        )
