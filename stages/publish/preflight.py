"""What can be known of the documents before a run: sources, licenses, and what is left of another project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exemplars.core.errors import suggest_name
from exemplars.core.licenses import list_alternatives
from exemplars.core.preflight import Finding, Project, Severity
from stages.publish.licenses.clashes import DeclaredLicense, describe_unaccepted_clashes, find_clashes
from stages.publish.params import AcceptedClash, PublishParams

_EXAMPLE_SOURCES: Final = frozenset({"bots", "labelled", "sgd", "skills"})
_EXAMPLE_TEXTS: Final = {
    "name": "voice-assistant-exemplars",
    "title": "Voice assistant exemplars",
    "description": "Requests to a voice assistant in English, single and within dialogues",
    "url": "https://example.org/voice-assistant-exemplars",
}
"""The beginnings of what the default project says of itself."""
_EXAMPLE_PUBLISHER: Final = "The authors of the exemplar compiler"


def check_params(project: Project) -> Iterator[Finding]:
    """Find sources that do not exist or are not described, licenses that clash, and leftovers of the example."""
    params: PublishParams | None = project.sections.get("publish")
    if params is not None:
        yield from _check_sources(project, params)
        yield from _check_leftovers(project, params)
    yield from _check_licenses(project, params)


def _check_sources(project: Project, params: PublishParams) -> Iterator[Finding]:
    sources = project.get_sources()
    if not sources:
        return
    known = ", ".join(sorted(sources))
    for name in params.sources:
        if name not in sources:
            yield project.report(
                Severity.ERROR,
                ("publish", "sources", name),
                "unknown_source",
                f"publish.sources describes {name!r}, but the sources are {known}",
                suggest_name(name, sources) or "correct the name, or remove it",
            )
    for name in project.list_sources():
        if name in sources and params.sources and name not in params.sources:
            yield project.report(
                Severity.WARNING,
                ("publish", "sources"),
                "undescribed_source",
                f"publish.sources does not describe {name!r}: documents will say that it is not stated",
                f"add publish.sources.{name}",
            )


def _check_leftovers(project: Project, params: PublishParams) -> Iterator[Finding]:
    """Find what the example says of itself in a project that has other sources."""
    if set(project.get_sources()) == _EXAMPLE_SOURCES:
        return
    for key, beginning in _EXAMPLE_TEXTS.items():
        if str(getattr(params, key)).startswith(beginning):
            yield project.report(
                Severity.WARNING,
                ("publish", key),
                "leftover",
                f"publish.{key} is that of the example project: {beginning!r}",
                "describe your own dataset",
            )
    if params.publisher.name == _EXAMPLE_PUBLISHER:
        yield project.report(
            Severity.WARNING,
            ("publish", "publisher"),
            "leftover",
            f"publish.publisher.name is that of the example project: {_EXAMPLE_PUBLISHER!r}",
            "name who is responsible for your dataset",
        )


def _check_licenses(project: Project, params: PublishParams | None) -> Iterator[Finding]:
    """Find licenses that are no SPDX expressions, and those that clash if one split has rows of all sources."""
    sources = project.get_sources()
    expressions: dict[tuple[str | int, ...], str] = {
        ("ingest", "sources", name, "license"): item.license for name, item in sources.items()
    }
    accepted: tuple[AcceptedClash, ...] = () if params is None else params.accepted_license_clashes
    for number, clash in enumerate(accepted):
        for index, license in enumerate(clash.licenses):
            expressions["publish", "accepted_license_clashes", number, "licenses", index] = license
    valid = True
    for keys, expression in expressions.items():
        try:
            list_alternatives(expression)
        except ValueError as error:
            valid = False
            fix = "write an SPDX expression, such as CC-BY-4.0, or LicenseRef-<name> for terms of your own"
            name = ".".join(map(str, keys))
            yield project.report(
                Severity.ERROR, keys, "invalid_license", f"{name} is {expression!r}: {error}", fix
            )
    if not valid:
        return
    used = [name for name in project.list_sources() if name in sources]
    declared = [DeclaredLicense(name, sources[name].license, 1) for name in used]
    for problem in describe_unaccepted_clashes(find_clashes({"every split": declared}, accepted)):
        name = next(name for name in used if f"source {name} " in problem.summary)
        yield project.report(
            Severity.ERROR,
            ("ingest", "sources", name, "license"),
            problem.code,
            problem.summary,
            problem.fix,
        )
