"""What can be known of a training before a run: its packages, its texts, and the space that it takes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import list_folder, read_file
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import Base
from stages.train.alignment.checks import HOW_TO_START
from stages.train.alignment.start import list_needed_runs
from stages.train.checks import check_packages
from stages.train.estimate.model_shape import ModelShape, measure_shape
from stages.train.estimate.trained import Trained, count_trained
from stages.train.estimate.training import Machine, estimate_training, suggest_changes
from stages.train.estimate.weight_headers import list_weight_files, read_shapes
from stages.train.estimate.workload import bound_workload
from stages.train.params import RunParams, TrainParams
from stages.train.recipe_params import AlignedRecipe, Continued, Lsr, PreferenceRecipe, Retriever, Tagger

_GIB: Final = 2**30
_GPU: Final = Path("/dev/nvidiactl")
"""Where it exists, a training may use other memory than the machine's."""
_CHECKPOINTS: Final = 2
"""Those that are kept."""
_CHECKPOINT_BYTES: Final = 12
"""For each trained parameter: its weight, and two averages of Adam."""
_WEIGHT_BYTES: Final = 4


def check_params(project: Project) -> Iterator[Finding]:
    """Find that texts, preferences or runs are missing that a recipe needs."""
    for run in _list_runs(project):
        yield from _check_alignment(project, run)
        if isinstance(run.chosen, Continued) and not _has_texts(Path(run.chosen.text)):
            yield project.report(
                Severity.ERROR,
                ("train", "recipes", run.recipe, "text"),
                "training_input",
                f"the recipe {run.recipe!r} reads {run.chosen.text!r}, which has no *.txt and no *.md",
                "put the texts there, or correct the path",
            )


def _check_alignment(project: Project, run: RunParams) -> Iterator[Finding]:
    """Find that a recipe would train on preferences that are not there, or needs a run that there will not be."""
    recipe, params = run.chosen, project.sections.get("train")
    if not isinstance(recipe, AlignedRecipe) or params is None:
        return
    if isinstance(recipe, PreferenceRecipe) and not _has_preferences():
        yield project.report(
            Severity.ERROR,
            ("train", "runs", run.recipe),
            "no_preferences",
            f"the recipe {run.recipe!r} trains on preferences, and {layout.RAW_PREFERENCES.as_posix()} has none",
            HOW_TO_START,
        )
    for key, name in list_needed_runs(recipe):
        if name not in params.runs and not (layout.model(name) / "manifest.json").is_file():
            yield project.report(
                Severity.ERROR,
                ("train", "recipes", run.recipe, key),
                "no_start",
                f"the recipe {run.recipe!r} needs the run {name!r}, which is neither trained nor in train.runs",
                f"add `{name}` to train.runs, or correct {key}",
            )


def _has_preferences() -> bool:
    # Imported here: its schemas need pyarrow, which would slow down every check.
    from exemplars.models.preference_log import list_pairs, read_preference_lines

    path = layout.RAW_PREFERENCES
    return path.is_file() and bool(list_pairs(read_preference_lines(read_file(path))))


def check_machine(project: Project) -> Iterator[Finding]:
    """Find packages that a recipe or the tracker needs, too little memory or disk space, and models of no run."""
    render = project.sections.get("render")
    for run in _list_runs(project):
        try:
            check_packages(run.chosen, run.shared)
        except UserError as error:
            yield from (_report_problem(project, run, problem) for problem in error.diagnostics)
        if isinstance(run.chosen, Tagger | Retriever | Lsr):
            yield from _check_space(project, run, run.chosen.encoder, run.chosen.max_tokens)
        elif render is not None:
            yield from _check_space(project, run, render.base, render.max_tokens)
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
                f"{folder.as_posix()} is of no run in train.runs, but `evaluate` and `publish` depend on all of "
                "models/ and reports/train/: in a fresh clone, which does not have it, DVC would run them again",
                f"remove the files of {folder.name} in models/, reports/train/ and reports/details/train/, "
                f"or add `{folder.name}` to train.runs",
            )


def _check_space(project: Project, run: RunParams, base: Base, max_tokens: int) -> Iterator[Finding]:
    """Find that a training takes more memory or disk space than is free. max_tokens: of a row."""
    shape = measure_shape(read_shapes(list_weight_files(base)))
    if shape is not None:
        yield from _check_memory(project, run, shape, max_tokens)
        yield from _check_disk(project, run, count_trained(run.chosen, shape), shape.parameters)


def _check_memory(project: Project, run: RunParams, shape: ModelShape, max_tokens: int) -> Iterator[Finding]:
    """Find that a training takes more memory than is free: an error if weights and optimizer alone cannot fit."""
    import psutil

    memory = psutil.virtual_memory()
    machine = Machine(memory.available, math.inf, on_gpu=False)
    work = bound_workload(run.chosen, run.shared, max_tokens)
    estimate = estimate_training(run.chosen, run.shared, shape, work, machine).memory
    if estimate.total > machine.memory:
        is_certain = estimate.certain > memory.total and not _GPU.exists()
        fits = suggest_changes(run.chosen, run.shared, shape, work, machine)
        fix = (
            f"this would fit: {'; '.join(fits)}" if fits else "choose a smaller base, or use a larger machine"
        )
        severity = Severity.ERROR if is_certain else Severity.WARNING
        yield _report_space(project, run, severity, ("memory", estimate.total, machine.memory), fix)


def _check_disk(project: Project, run: RunParams, trained: Trained, parameters: int) -> Iterator[Finding]:
    """Find that a training takes more disk space than is free: checkpoints with the averages of Adam, and weights."""
    checkpoints = _CHECKPOINTS * _CHECKPOINT_BYTES * trained.parameters
    size = checkpoints + _WEIGHT_BYTES * (trained.parameters if trained.are_added else parameters)
    free = shutil.disk_usage(Path()).free
    if size > free:
        fix = "free some, or choose the recipe lora or a smaller base"
        yield _report_space(project, run, Severity.WARNING, ("disk", size, free), fix)


def _report_space(
    project: Project, run: RunParams, severity: Severity, need: tuple[str, int, int], fix: str
) -> Finding:
    """Report a need: the name of a space, the bytes that a training takes of it, and those that are free."""
    name, size, free = need
    summary = (
        f"training {run.recipe} takes up to {size / _GIB:.1f} GiB of {name}, "
        f"and {free / _GIB:.1f} GiB are free"
    )
    return project.report(severity, ("train", "runs", run.recipe), f"little_{name}", summary, fix)
