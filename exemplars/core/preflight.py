"""What can be known before a run: a stage finds the mistakes that concern it or a later stage before it works.

The package of a stage may have a module `preflight` with two functions. `check_params(project)` yields what is wrong
with parameters; `check_machine(project)` yields what the machine does not have: packages, a model, space. Both yield
`Finding`s, and read nothing but parameters, names of files, sizes, and headers of weights.

Stages do not import each other. The modules of later stages are imported here by name, when a stage starts; nothing
that a stage computes depends on them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.params import PATH, find_line, find_section_faults, find_unknown_sections, read_parameters
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

STAGES: Final = ("ingest", "compile", "curate", "split", "validate", "render", "train", "evaluate", "publish")
"""In the order in which they run."""
MACHINE_STAGES: Final = frozenset({"render", "train", "evaluate"})
"""The stages that load a model: they look at the machine, too. Without them a project needs no model."""


class Severity(StrEnum):
    """Whether a run would fail."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """Something that is wrong, or likely to be."""

    severity: Severity
    diagnostic: Diagnostic


class Project(NamedTuple):
    """The parameters of a project, as far as they are valid."""

    path: Path
    """Of the parameter file."""
    text: str
    document: dict[Any, Any]
    sections: dict[str, Any]
    """The sections that are valid, by name, each of the type that its stage declares."""

    def list_sources(self) -> list[str]:
        """List the sources of the dataset: those of `compile.sources`, or else of `ingest.sources`."""
        compiled = self.sections.get("compile")
        return list(compiled.sources if compiled and compiled.sources else self.get_sources())

    def get_sources(self) -> dict[str, Any]:
        """Return the settings of each source of `ingest.sources`, by name; none if the section is not valid."""
        ingest = self.sections.get("ingest")
        return {} if ingest is None else dict(ingest.sources)

    def report(
        self, severity: Severity, keys: Sequence[str | int], code: str, summary: str, fix: str
    ) -> Finding:
        """Report something about a parameter, with its line."""
        return Finding(
            severity,
            Diagnostic(
                path=str(self.path),
                line=find_line(self.text, tuple(keys)),
                code=code,
                fix=fix,
                summary=summary,
            ),
        )


def read_project(
    path: Path = PATH, stages: Sequence[str] = STAGES, optional: Sequence[str] = ()
) -> tuple[Project, list[Diagnostic]]:
    """Read the parameters of a project, and all that is wrong with the sections of some stages.

    optional: the stages among them whose sections may be missing. Raises `UserError` if the file is no YAML.
    """
    text, document = read_parameters(path)
    diagnostics, sections = find_unknown_sections(path), {}
    for stage in STAGES:
        if document.get(stage) is None and stage in optional:
            continue
        section = load_section_type(stage)
        faults = find_section_faults(stage, section, path)
        if not faults:
            sections[stage] = msgspec.convert(document.get(stage) or {}, section)
        elif stage in stages:
            diagnostics += faults
    return Project(path, text, document, sections), diagnostics


def load_section_type(stage: str) -> type[msgspec.Struct]:
    """Import the type of a stage's section: `RenderParams` of `stages.render.params`."""
    section: type[msgspec.Struct] = getattr(
        import_module(f"stages.{stage}.params"), f"{stage.capitalize()}Params"
    )
    return section


def run_checks(project: Project, stages: Iterable[str], function: str) -> Iterator[Finding]:
    """Yield what the preflights of some stages find. function: `check_params` or `check_machine`."""
    for stage in stages:
        name = f"stages.{stage}.preflight"
        check = getattr(import_module(name), function, None) if find_spec(name) else None
        if check is not None:
            yield from check(project)


def check_later_stages(stage: str, path: Path = PATH) -> None:
    """Raise `UserError` with the errors that concern a stage or a later one, all at once.

    A stage that loads a model looks at the machine, too. Later stages that `dvc.yaml` does not have need no section.
    """
    concerned = STAGES[STAGES.index(stage) :]
    pipeline = _read_pipeline_stages(path.with_name("dvc.yaml"))
    optional = [name for name in STAGES if name != stage and name not in pipeline]
    project, problems = read_project(path, concerned, optional)
    findings = [*run_checks(project, concerned, "check_params")]
    if stage in MACHINE_STAGES:
        findings += run_checks(project, concerned, "check_machine")
    problems += [item.diagnostic for item in findings if item.severity is Severity.ERROR]
    if problems:
        raise UserError(sorted(problems, key=lambda item: (item.path, item.line or 0, item.code)))


def _read_pipeline_stages(path: Path) -> Collection[str]:
    """Read the names of the stages of a pipeline; none if there is no such file, or DVC cannot read it either."""
    try:
        document = decode_yaml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, YamlProblem):
        return ()
    stages = document.get("stages") if isinstance(document, dict) else None
    return stages.keys() if isinstance(stages, dict) else ()
