"""What `exemplars estimate` finds out: the base, the rows, and the machine."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.params import load_section
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.models.base_models import Base, HubBase, PackagedBase
from exemplars.models.preference_rows import PREFERENCE_SCHEMA
from stages.render.params import RenderParams
from stages.train.estimate.devices import find_device
from stages.train.estimate.model_shape import ModelShape, measure_shape
from stages.train.estimate.training import (
    Machine,
    TrainingEstimate,
    estimate_training,
    suggest_changes,
)
from stages.train.estimate.weight_headers import list_weight_files, read_shapes
from stages.train.estimate.workload import (
    Workload,
    bound_workload,
    count_step_rows,
    estimate_workload,
    measure_workload,
)
from stages.train.inputs import read_prompts
from stages.train.params import Shared, TrainParams
from stages.train.recipe_params import Continued, Lsr, PreferenceRecipe, Recipe, Retriever, Rloo, Tagger
from stages.train.rows import IGNORED, TokenRow, build_chat_rows

CPU: Final = "cpu"
"""The name of this machine's processor."""
_CPU_SHARE: Final = 0.5
"""Of the speed of a matrix product, what training reaches on a CPU: measured with `lora` on the default data."""
_MATRIX: Final = (384, 576, 1536)
"""The product whose speed is measured: of the size that a step of the default recipe has."""
_MEASURED_SECONDS: Final = 0.15


class Subject(NamedTuple):
    """What is estimated."""

    recipe: str
    base: str
    device: str
    shape: ModelShape
    work: Workload
    machine: Machine


class Estimate(NamedTuple):
    """An estimate, and what to do if it does not fit."""

    subject: Subject
    training: TrainingEstimate
    fits: bool
    changes: list[str]
    """Changes with which it would fit."""


def estimate_recipe(name: str, base: str | None, device: str) -> Estimate:
    """Estimate the training of a recipe of `params.yaml`.

    base: a folder or a file with weights; `None`: that of the parameters. device: `CPU`, or the name of a GPU. Raises
    `UserError` if a name is not known, or the base is not on this machine.
    """
    params, render = load_section("train", TrainParams), load_section("render", RenderParams)
    recipe = _find_recipe(params, name)
    if isinstance(recipe, Rloo):
        found = f"the recipe {name}, which samples answers of any length"
        fix = "estimate lora with the same base, whose memory is about the same"
        raise UserError(
            [_problem("--recipe", "no_estimate", found, "a recipe that trains on given rows", fix)]
        )
    own = recipe.encoder if isinstance(recipe, Tagger | Retriever | Lsr) else render.base
    files = list_weight_files(own) if base is None else _list_files(Path(base))
    shape = measure_shape(read_shapes(files))
    label = _name_base(own) if base is None else base
    if shape is None:
        raise UserError([_report_base(label, bool(files))])
    work = _measure_work(recipe, params.shared, render.max_tokens)
    machine = _measure_cpu() if device == CPU else _describe_device(device)
    training = estimate_training(recipe, params.shared, shape, work, machine)
    fits = training.memory.total <= machine.memory
    changes = [] if fits else suggest_changes(recipe, params.shared, shape, work, machine)
    return Estimate(Subject(name, label, device, shape, work, machine), training, fits, changes)


def _find_recipe(params: TrainParams, name: str) -> Recipe:
    recipe = params.recipes.get(name)
    if recipe is None:
        names = sorted(params.recipes)
        found, fix = f"no recipe {name!r}", suggest_name(name, names) or "name one of these"
        raise UserError([_problem("--recipe", "unknown_recipe", found, f"one of {', '.join(names)}", fix)])
    return recipe


def _list_files(path: Path) -> list[Path]:
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path] if path.is_file() else []


def _name_base(base: Base) -> str:
    match base:
        case PackagedBase():
            return base.file if base.file.endswith(".gguf") else base.package
        case HubBase():
            return base.id
        case _:
            return base.path


def _report_base(name: str, is_here: bool) -> Diagnostic:
    found = "weights of an unknown kind" if is_here else "no weights"
    expected = "a transformer in *.safetensors or *.gguf"
    return _problem(
        name, "base_model", found, expected, "download it first, or name its folder: --base FOLDER"
    )


def _measure_work(recipe: Recipe, shared: Shared, max_tokens: int) -> Workload:
    """Measure the work on the rows of this project, if they are there."""
    if isinstance(recipe, Tagger | Retriever | Lsr):
        passes = recipe.dialogue_passes if isinstance(recipe, Tagger) else 1
        lengths = _measure_texts(layout.split("train"), recipe.context_turns, passes)
        return estimate_workload(recipe, shared, lengths) if lengths else bound_workload(recipe, shared, 0)
    if isinstance(recipe, PreferenceRecipe):
        shared = msgspec.structs.replace(
            shared, batch_rows=count_step_rows(recipe, shared), epochs=float(recipe.epochs)
        )
        sides = _read_sides()
        return (
            measure_workload(recipe, shared, sides) if sides else bound_workload(recipe, shared, max_tokens)
        )
    if isinstance(recipe, Continued) or not layout.training("train").is_file():
        return bound_workload(recipe, shared, max_tokens)
    rows = build_chat_rows(read_prompts("train")[0])
    return measure_workload(recipe, shared, rows) if rows else bound_workload(recipe, shared, max_tokens)


def _read_sides() -> list[TokenRow]:
    """Read the sides of the rendered preferences as rows; none if there are none yet."""
    path = layout.preferences("train")
    if not path.is_file():
        return []
    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    return [
        TokenRow([*row["prompt_ids"], *side], [IGNORED] * len(row["prompt_ids"]) + side, "")
        for row in read_table(path, PREFERENCE_SCHEMA, columns).to_pylist()
        for side in (row["chosen_ids"], row["rejected_ids"])
        if side
    ]


def _measure_texts(path: Path, turns: int, passes: int) -> list[int]:
    """Measure the rows of a split, with the last turns before them, in code points; none if the split is not there.

    passes: how often rows of dialogues are measured.
    """
    if not path.is_file():
        return []
    table = read_table(path, EXEMPLAR_SCHEMA, ("utterance", "context", "service"))
    return [
        len(row["utterance"]) + sum(len(turn["utterance"]) for turn in row["context"][-turns:] if turns)
        for row in table.to_pylist()
        for _ in range(passes if row["context"] or row["service"] is not None else 1)
    ]


def _measure_cpu() -> Machine:
    """Measure the free memory of this machine, and the speed of its fastest matrix product in fp32."""
    import numpy as np
    import psutil

    rows, inner, columns = _MATRIX
    first, second = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    fastest, end = math.inf, time.perf_counter() + _MEASURED_SECONDS
    while (start := time.perf_counter()) < end:
        np.matmul(first, second)
        fastest = min(fastest, time.perf_counter() - start)
    speed = 2 * rows * inner * columns / fastest
    return Machine(psutil.virtual_memory().available, speed * _CPU_SHARE, on_gpu=False)


def _describe_device(name: str) -> Machine:
    device = find_device(name)
    return Machine(device.memory, device.speed, on_gpu=True)


def _problem(path: str, code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=os.fspath(path), code=code, found=found, expected=expected, fix=fix)
