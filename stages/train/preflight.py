"""What can be known of a training before a run: its packages, its texts, and the space that it takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import list_folder
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import Base, FolderBase, PackagedBase, locate_packaged_base
from stages.train.checks import check_packages
from stages.train.params import Continued, Freeze, Full, Retriever, RunParams, Tagger, TrainParams

_GIB: Final = 2**30
_GGUF_BYTES: Final = 0.625
"""Per parameter of a GGUF file in 4 bits with scales (Q4_1)."""
_SAVED_BYTES: Final = 2.0
"""Per parameter of a folder or another file of a package, whose weights are in bf16 as a rule."""
_BYTES: Final = {"all": 16, "few": 5}
"""Memory per parameter in fp32: weights, gradients and two averages of Adam; or weights and the rest, at most."""


def check_params(project: Project) -> Iterator[Finding]:
    """Find that the texts of the recipe `continued` are missing."""
    for run in _list_runs(project):
        if isinstance(run.chosen, Continued) and not _has_texts(Path(run.chosen.text)):
            yield project.report(
                Severity.ERROR,
                ("train", "recipes", run.recipe, "text"),
                "training_input",
                f"the recipe {run.recipe!r} reads {run.chosen.text!r}, which has no *.txt and no *.md",
                "put the texts there, or correct the path",
            )


def check_machine(project: Project) -> Iterator[Finding]:
    """Find packages that a recipe or the tracker needs, too little memory or disk space, and models of no run."""
    render = project.sections.get("render")
    for run in _list_runs(project):
        try:
            check_packages(run.chosen, run.shared)
        except UserError as error:
            yield from (_report_problem(project, run, problem) for problem in error.diagnostics)
        if isinstance(run.chosen, Tagger | Retriever):
            size = estimate_parameters(run.chosen.encoder)
        else:
            size = 0 if render is None else estimate_parameters(render.base)
        if size:
            yield from _check_space(project, run, size)
    yield from _check_models(project)


def _list_runs(project: Project) -> list[RunParams]:
    params: TrainParams | None = project.sections.get("train")
    return [] if params is None else params.list_runs()


def _has_texts(folder: Path) -> bool:
    suffixes = {entry.path.suffix.casefold() for entry in list_folder(folder)} if folder.is_dir() else set()
    return bool(suffixes & {".txt", ".md"})


def _report_problem(project: Project, run: RunParams, problem: Diagnostic) -> Finding:
    is_tracker = problem.code == "no_tracker"
    keys = ("train", "shared", "tracker") if is_tracker else ("train", "runs", run.recipe)
    summary = problem.summary or f"{run.recipe}: found {problem.found}, expected {problem.expected}"
    return project.report(Severity.ERROR, keys, problem.code, summary, problem.fix)


def _check_models(project: Project) -> Iterator[Finding]:
    """Find models of recipes that are no longer trained: a fresh clone has no such folder."""
    params: TrainParams | None = project.sections.get("train")
    folders = layout.MODELS.glob("*/manifest.json") if params is not None else ()
    for folder in sorted(path.parent for path in folders):
        if params is not None and folder.name not in params.runs:
            yield project.report(
                Severity.WARNING,
                ("train", "runs"),
                "model_of_no_run",
                f"{folder.as_posix()} is not of train.runs, but `evaluate` and `publish` depend on all of models/: "
                "in a fresh clone, which does not have it, DVC would run them again",
                f"move the folder away, or add `{folder.name}` to train.runs",
            )


def estimate_parameters(base: Base) -> int:
    """Estimate the number of a base's parameters from the size of its files; 0 if it is not on this machine."""
    if isinstance(base, PackagedBase):
        path = locate_packaged_base(base)
        if path is None or not path.is_file():
            return 0
        return int(path.stat().st_size / (_GGUF_BYTES if path.suffix == ".gguf" else _SAVED_BYTES))
    if isinstance(base, FolderBase):
        weights = [*Path(base.path).glob("*.safetensors"), *Path(base.path).glob("*.bin")]
        return int(sum(file.stat().st_size for file in weights) / _SAVED_BYTES)
    return 0


def _check_space(project: Project, run: RunParams, parameters: int) -> Iterator[Finding]:
    """Find that the machine has less memory or disk space than a training takes, by an estimate."""
    import psutil

    trains_all = isinstance(run.chosen, Full | Continued | Freeze | Tagger | Retriever)
    needed = {
        "memory": parameters * _BYTES["all" if trains_all else "few"],
        # Two checkpoints with the averages of Adam, and the weights.
        "disk": parameters * (2 * 12 + 4) if trains_all else _GIB // 4,
    }
    here = {"memory": psutil.virtual_memory().available, "disk": shutil.disk_usage(Path()).free}
    for name, size in needed.items():
        if size > here[name]:
            yield project.report(
                Severity.WARNING,
                ("train", "runs", run.recipe),
                f"little_{name}",
                f"training {run.recipe} takes about {size / _GIB:.1f} GiB of {name}, "
                f"and {here[name] / _GIB:.1f} GiB are free",
                "free some, choose the recipe lora or a smaller base, or use a larger machine",
            )
