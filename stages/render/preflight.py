"""What can be known of the base model before a run: whether it is here, and whether it is the right one."""

from __future__ import annotations

from collections.abc import Iterator

from exemplars.core.errors import UserError
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import HubBase, find_base
from stages.render.params import RenderParams


def check_machine(project: Project) -> Iterator[Finding]:
    """Find that the base model is missing, or has another hash. One on a hub is not looked for."""
    params: RenderParams | None = project.sections.get("render")
    if params is None or isinstance(params.base, HubBase):
        return
    try:
        find_base(params.base)
    except UserError as error:
        for problem in error.diagnostics:
            summary = f"the base {problem.path}: found {problem.found}, expected {problem.expected}"
            yield project.report(Severity.ERROR, ("render", "base"), problem.code, summary, problem.fix)
