"""What can be known of the stage before a run: its lexicons, and the packages that its checks need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from exemplars.core.errors import UserError
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.dataset.embeddings import find_model_folder
from stages.curate.lexicons import read_lexicons
from stages.curate.params import CurateParams
from stages.curate.privacy.key import read_surrogate_key


def check_params(project: Project) -> Iterator[Finding]:
    """Find lexicons that do not exist, and a key or a package that the parameters need."""
    params: CurateParams | None = project.sections.get("curate")
    if params is None:
        return
    for check in (
        partial(read_lexicons, params.lexicons),
        partial(read_surrogate_key, params.privacy.mode, os.environ),
    ):
        try:
            check()
        except UserError as error:
            yield from (Finding(Severity.ERROR, problem) for problem in error.diagnostics)
    if params.duplicates.semantic or params.label_noise.features == "embeddings":
        keys = ("curate", "duplicates", "semantic") if params.duplicates.semantic else (
            "curate", "label_noise", "features",
        )  # fmt: skip
        try:
            find_model_folder()
        except UserError as error:
            found = error.diagnostics[0]
            yield project.report(
                Severity.ERROR, keys, found.code, f"it needs embeddings: {found.found}", found.fix
            )
