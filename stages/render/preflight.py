"""What can be known of the base model before a run: whether it is here, and whether it is the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from exemplars.core.errors import UserError
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import HubBase, find_base
from stages.render.params import RenderParams

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def check_machine(project: Project) -> Iterator[Finding]:
    """Find that the base model is missing, or has another hash. One on a hub is not looked for, but must be fixed."""
    params: RenderParams | None = project.sections.get("render")
    if params is None:
        return
    if isinstance(params.base, HubBase):
        yield from _check_revision(project, params.base)
        return
    try:
        find_base(params.base)
    except UserError as error:
        for problem in error.diagnostics:
            summary = f"the base {problem.path}: found {problem.found}, expected {problem.expected}"
            yield project.report(Severity.ERROR, ("render", "base"), problem.code, summary, problem.fix)


def _check_revision(project: Project, base: HubBase) -> Iterator[Finding]:
    """Find a branch or tag in the place of a commit: what it names can change between two runs."""
    if _COMMIT.fullmatch(base.revision) is None:
        summary = f"{base.id} at {base.revision!r} can be a different model in the next run"
        fix = "name a commit of its repository: 40 hexadecimal digits"
        yield project.report(
            Severity.WARNING, ("render", "base", "revision"), "moving_revision", summary, fix
        )
