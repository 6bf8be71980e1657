"""What can be known of a training before a run: its packages, its texts, and the space that it takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exemplars.core.errors import UserError
from exemplars.core.files import list_folder
from exemplars.core.preflight import Finding, Project, Severity
from exemplars.models.base_models import Base, FolderBase, PackagedBase, locate_packaged_base
from stages.train.checks import check_packages
from stages.train.params import Continued, Freeze, Full, Recipe, Tagger, TrainParams

_GIB: Final = 2**30
_GGUF_BYTES: Final = 0.625
"""Per parameter of a GGUF file in 4 bits with scales (Q4_1)."""
_SAVED_BYTES: Final = 2.0
"""Per parameter of a folder or another file of a package, whose weights are in bf16 as a rule."""
_BYTES: Final = {"all": 16, "few": 5}
"""Memory per parameter in fp32: weights, gradients and two averages of Adam; or weights and the rest, at most."""


def check_params(project: Project) -> Iterator[Finding]:
    """Find that the texts of the recipe `continued` are missing."""
    params: TrainParams | None = project.sections.get("train")
    if params is None or not isinstance(params.chosen, Continued):
        return
    folder = Path(params.chosen.text)
    suffixes = {entry.path.suffix.casefold() for entry in list_folder(folder)} if folder.is_dir() else set()
    if not suffixes & {".txt", ".md"}:
        yield project.report(
            Severity.ERROR,
            ("train", "recipes", params.recipe, "text"),
            "training_input",
            f"the recipe {params.recipe!r} reads {params.chosen.text!r}, which has no *.txt and no *.md",
            "put the texts there, or correct the path",
        )


def check_machine(project: Project) -> Iterator[Finding]:
    """Find packages that the recipe or the tracker needs, and too little memory or disk space."""
    params: TrainParams | None = project.sections.get("train")
    if params is None:
        return
    try:
        check_packages(params.chosen, params.shared)
    except UserError as error:
        for problem in error.diagnostics:
            keys = ("train", "shared", "tracker") if problem.code == "no_tracker" else ("train", "recipe")
            summary = (
                problem.summary or f"{params.recipe}: found {problem.found}, expected {problem.expected}"
            )
            yield project.report(Severity.ERROR, keys, problem.code, summary, problem.fix)
    render = project.sections.get("render")
    if isinstance(params.chosen, Tagger):
        size = estimate_parameters(params.chosen.encoder)
    else:
        size = 0 if render is None else estimate_parameters(render.base)
    if size:
        yield from _check_space(project, params.chosen, size)


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


def _check_space(project: Project, recipe: Recipe, parameters: int) -> Iterator[Finding]:
    """Find that the machine has less memory or disk space than a training takes, by an estimate."""
    import psutil

    trains_all = isinstance(recipe, Full | Continued | Freeze | Tagger)
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
                ("train", "recipe"),
                f"little_{name}",
                f"training takes about {size / _GIB:.1f} GiB of {name}, and {here[name] / _GIB:.1f} GiB are free",
                "free some, choose the recipe lora or a smaller base, or use a larger machine",
            )
