"""What can be known before prompts are rendered: of the base model, and of the runs that they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import HubBase, find_base
from exemplars.models.run_manifest import RETRIEVER, TAGGER
from stages.render.params import RenderParams

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def check_params(project: Project) -> Iterator[Finding]:
    """Find that prompts need a run that there will not be, or one that is asked about rows that it was trained on."""
    params: RenderParams | None = project.sections.get("render")
    train = project.sections.get("train")
    if params is None or train is None:
        return
    named = {"tools_from": params.tools_from.value, "candidates": params.candidates.value}
    for key, recipe in named.items():
        if recipe not in (RETRIEVER, TAGGER):
            continue
        if recipe not in train.runs and not (layout.model(recipe) / "manifest.json").is_file():
            yield project.report(
                Severity.ERROR,
                ("render", key),
                "no_model",
                f"render.{key} names the run {recipe!r}, which is neither trained nor in train.runs",
                f"add `{recipe}: splits` to train.runs, or change render.{key}",
            )
        elif getattr(train.recipes.get(recipe), "folds", None) is None:
            yield project.report(
                Severity.WARNING,
                ("render", key),
                "no_folds",
                f"render.{key} asks the run {recipe!r} about rows that it was trained on, and knows too well",
                f"set train.recipes.{recipe}.folds to 3, which takes three to four times as long",
            )


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
