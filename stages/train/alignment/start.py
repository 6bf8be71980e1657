"""The model that an alignment starts from: the base with new adapters, or with those of another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file
from exemplars.core.params import PATH
from exemplars.models.base_models import BaseFiles, hash_model, suppress_peft_warning
from exemplars.models.run_manifest import ROWS, WEIGHTS, StartRun, read_manifest
from stages.train.recipe_params import AlignedRecipe, Reward, RewardKind, Rloo
from stages.train.recipes import prepare_model

_METHODS: Final = frozenset({"lora", "dpo", "kto", "rloo"})
"""The methods whose runs have low-rank adapters of a language model."""


class Start(NamedTuple):
    """The run that an alignment starts from."""

    run: StartRun
    weights: Path
    digests: tuple[str, ...]
    """Of the rows that it was trained on."""


def find_start(recipe: AlignedRecipe, name: str, base: BaseFiles) -> Start | None:
    """Find the run that a recipe starts from; `None`: it starts from the base. name: of the recipe.

    Raises `UserError` if there is no such run, if it has no low-rank adapters, or if it is on a different base.
    """
    if isinstance(recipe, Reward) or recipe.start is None:
        return None
    place = f"{PATH}: train.recipes.{name}.start"
    if recipe.start == name:
        raise UserError([_describe(place, "the run itself", "another run, such as lora", "correct it")])
    folder = layout.model(recipe.start)
    if not (folder / "manifest.json").is_file():
        found, fix = (
            f"{recipe.start}, which has no run",
            f"run `dvc repro train@{recipe.start}` first, or set it to null",
        )
        raise UserError([_describe(place, found, "a run that has been trained", fix)])
    manifest = read_manifest(folder)
    if manifest.method not in _METHODS:
        found = f"{manifest.run}, of the method {manifest.method}"
        fix = f"choose a run of lora, or name the folder {folder / WEIGHTS} in render.base"
        raise UserError([_describe(place, found, "a run with low-rank adapters", fix)])
    weights = folder / WEIGHTS
    if not weights.is_dir() or hash_model(weights) != manifest.weights_sha256:
        found = f"{manifest.run} without the weights that its manifest names"
        raise UserError(
            [_describe(place, found, "them", f"run `dvc checkout`, or `dvc repro train@{recipe.start}`")]
        )
    if manifest.base_sha256 != base.sha256:
        found = f"{manifest.run}, on the base {manifest.base_sha256[:16]}…"
        expected = f"a run on the base {base.sha256[:16]}…, for which the rows were rendered"
        raise UserError([_describe(place, found, expected, f"run `dvc repro train@{recipe.start}` first")])
    digests = tuple(read_file(folder / ROWS).decode("ascii").split())
    return Start(StartRun(manifest.run, manifest.recipe, manifest.weights_sha256), weights, digests)


def list_needed_runs(recipe: AlignedRecipe) -> list[tuple[str, str]]:
    """List the runs that a recipe needs, each after the key that names it."""
    needed = [] if isinstance(recipe, Reward) or recipe.start is None else [("start", recipe.start)]
    if isinstance(recipe, Rloo) and RewardKind.LEARNED in recipe.rewards:
        needed.append(("reward_run", recipe.reward_run))
    return needed


def load_policy(model: Any, recipe: AlignedRecipe, start: Start | None) -> Any:
    """Add adapters to a base, which alone are trained: those of the start, or new ones."""
    if start is None:
        return prepare_model(model, recipe.adapters)
    from peft import PeftModel

    with suppress_peft_warning():
        policy = PeftModel.from_pretrained(model, str(start.weights), is_trainable=True)
    for config in policy.peft_config.values():
        # Otherwise peft asks the hub for the base's config at each checkpoint.
        config.base_model_name_or_path = ""
    return policy


def _describe(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="no_start", found=found, expected=expected, fix=fix)
