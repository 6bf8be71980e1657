"""What can be known of the stage before a run: its sources, its recognizers, and the decisions of reviewers."""

from __future__ import annotations

from collections.abc import Iterator

from exemplars.core import layout
from exemplars.core.errors import UserError, suggest_name
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.core.reviews import read_reviews


def check_params(project: Project) -> Iterator[Finding]:
    """Find sources that are not declared, or not used, and what is wrong with recognizers and decisions."""
    yield from _check_reviews()
    params, sources = project.sections.get("compile"), project.get_sources()
    if params is None or not sources:
        return
    known = ", ".join(sorted(sources))
    for index, name in enumerate(params.sources):
        if name not in sources:
            yield project.report(
                Severity.ERROR,
                ("compile", "sources", index),
                "unknown_source",
                f"compile.sources names {name!r}, but the sources are {known}",
                suggest_name(name, sources) or "correct the name, or add the source to ingest.sources",
            )
    for name in sources:
        if params.sources and name not in params.sources:
            yield project.report(
                Severity.WARNING,
                ("ingest", "sources", name),
                "unused_source",
                f"source {name!r} is read, but is not in the dataset: compile.sources does not name it",
                "add it there, or remove it here",
            )
    if not layout.find_schema(params.recognizers).is_file():
        yield project.report(
            Severity.ERROR,
            ("compile", "recognizers"),
            "missing_file",
            f"compile.recognizers is {params.recognizers!r}, which is no file",
            "correct the path",
        )


def _check_reviews() -> Iterator[Finding]:
    try:
        read_reviews()
    except UserError as error:
        yield from (Finding(Severity.ERROR, problem) for problem in error.diagnostics)
