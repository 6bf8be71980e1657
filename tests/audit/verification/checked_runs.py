"""What `exemplars verify` finds wrong with the runs of a project."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from exemplars.audit.dvc_cache import Output
from exemplars.audit.revisions import Stage
from exemplars.audit.verification.runs import check_runs
from exemplars.audit.verification.tables import Tables
from exemplars.core.errors import Diagnostic


def find_run_problems(outs: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Check the runs of the working folder. outs: the paths of their manifests, and of the tables that they read."""
    stage = Stage("train", "", (), {}, tuple(Output(path, "0" * 32) for path in outs))
    return check_runs(Tables(Path(), stage.outs, ()), [stage]).problems
