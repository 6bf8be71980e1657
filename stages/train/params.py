"""The section `train` of `params.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.names import Name, is_name
from exemplars.core.parameter_validator import Fault
from stages.train.recipe_params import (
    DEFAULT_RECIPES,
    Count,
    Lsr,
    Positive,
    PreferenceRecipe,
    Recipe,
    Retriever,
    Share,
    Tagger,
)


class Folder(StrEnum):
    """The folder in `data/` whose rows a recipe reads."""

    SPLITS = "splits"
    """Exemplars with their spans, for encoders."""
    TRAINING = "training"
    """Rendered chat rows, for language models."""
    PREFERENCES = "preferences"
    """Rendered preferences, for language models and models of rewards."""


_KINDS: Final = {
    Folder.SPLITS: "an encoder",
    Folder.TRAINING: "a language model",
    Folder.PREFERENCES: "a model on preferences",
}
"""What recipes train, by the folder that they read."""


class Precision(StrEnum):
    """The number format of training."""

    AUTO = "auto"
    """bf16 where the GPU, or in a measurement on this machine the processor, is clearly faster with it, else fp32."""
    FP32 = "fp32"
    BF16 = "bf16"


class Batching(StrEnum):
    """How rows are combined into batches."""

    SHARED_PREFIX = "shared_prefix"
    """Rows are concatenated without padding; a prefix that rows have in common is there once."""
    GROUP_BY_LENGTH = "group_by_length"
    """Rows of about the same length, padded on the left."""
    PACKING = "packing"
    """Rows are packed without padding, by TRL: for GPUs with fused attention."""
    RANDOM = "random"
    """In random order, padded on the left."""


class Schedule(StrEnum):
    """How the learning rate falls after the warm-up."""

    CONSTANT = "constant_with_warmup"
    LINEAR = "linear"
    COSINE = "cosine"


class Tracker(StrEnum):
    """Experiment tracker to log to, besides DVCLive."""

    NONE = "none"
    WANDB = "wandb"
    MLFLOW = "mlflow"


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all recipes have in common."""

    epochs: Positive = 1.0
    """Number of passes over the train split."""
    max_steps: Count | None = None
    """Number of optimizer steps, overriding epochs; null: as given by epochs."""
    batch_rows: Count = 9
    """Rows per optimizer step."""
    warmup_share: Share = 0.1
    """Share of the steps in which the learning rate rises."""
    schedule: Schedule = Schedule.LINEAR
    """The learning rate afterwards: constant_with_warmup, linear or cosine."""
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Weight decay of AdamW."""
    max_grad_norm: Positive = 1.0
    """Gradients are clipped to this norm."""
    adam_beta2: Share = 0.95
    """Decay of Adam's average of squared gradients: 0.95 averages over about 20 steps, 0.999 over about 1,000."""
    precision: Precision = Precision.AUTO
    """auto: bf16 on a GPU that has it, or on a processor that has it and is 1.2 times as fast by it, as measured at
    the start; otherwise fp32. Or fp32, bf16."""
    batching: Batching = Batching.SHARED_PREFIX
    """shared_prefix: no padding, and a common prefix of rows is computed once; group_by_length: rows of similar
    length, padded; packing: TRL's, for GPUs with fused attention; random: in random order, padded."""
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 1
    """Seeds the order of the rows and the initial weights of adapters."""
    log_every: Count = 5
    """Steps between logged losses."""
    checkpoint_every: Count = 40
    """Steps between checkpoints."""
    validation_rows: Annotated[int, msgspec.Meta(ge=0)] = 64
    """Number of validation rows for the final loss, sampled by stable hash; 0: none."""
    tracker: Tracker = Tracker.NONE
    """Experiment tracker to log to, besides DVCLive: none, wandb or mlflow. Install its package first."""


class RunParams(msgspec.Struct, frozen=True):
    """By which recipe a run is trained, and how."""

    recipe: Name
    """Its name."""
    chosen: Recipe
    shared: Shared = Shared()


class TrainParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which recipes to train by, and how."""

    REPLACED: ClassVar[Mapping[str, str]] = {
        "recipe": "write `runs: {lora: training}` instead: each recipe to train, and the folder of rows that it reads"
    }
    runs: Annotated[dict[Name, Folder], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: {
            "retriever": Folder.SPLITS,
            "tagger": Folder.SPLITS,
            "lora": Folder.TRAINING,
        }
    )
    """The recipes that are trained, each as a stage of its own (`train@tagger`), with the folder of rows that it
    reads: `splits` for encoders, `training` (what `render` wrote) for language models, `preferences` for dpo, kto and
    reward. To try one more without an edit: `dvc exp run -S +train.runs.dora=training`."""
    shared: Shared = Shared()
    recipes: dict[Name, Recipe] = {}
    """The recipes by name. One that is named here replaces the default of the same name, and is added to the
    others."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "recipes", {**DEFAULT_RECIPES, **self.recipes})

    def find_conflicts(self) -> Iterator[Fault]:
        """Find the runs without a recipe, and those that name a folder whose rows their recipe does not read."""
        for name, folder in self.runs.items():
            keys, recipe = ("runs", name), self.recipes.get(name)
            if recipe is None:
                expected = f"one of {', '.join(sorted(self.recipes))}"
                summary = f"train.runs.{name}: there is no recipe {name!r}: expected {expected}"
                fix = suggest_name(name, self.recipes) or "correct it, or add the recipe to train.recipes"
                yield Fault("no_recipe", keys, name, expected, fix, summary)
            elif folder is not (wanted := get_folder(recipe)):
                reads = f"{name} trains {_KINDS[wanted]}, which reads {wanted.value}"
                summary = f"train.runs.{name} is {folder.value}: {reads}"
                fix = f"write `{name}: {wanted.value}`"
                yield Fault("wrong_folder", keys, folder.value, wanted.value, fix, summary)

    def get_run(self, name: str) -> RunParams:
        """Return the parameters of a run. Raises `UserError` if `train.runs` does not name it."""
        if name in self.runs and name in self.recipes:
            return RunParams(name, self.recipes[name], self.shared)
        problem = Diagnostic(
            path="params.yaml",
            code="no_run",
            found=f"no run {quote_text(name)} in train.runs",
            expected=f"one of {', '.join(self.runs)}",
            fix=f"name one of them, or add `{name}` to train.runs" if is_name(name) else "name one of them",
        )
        raise UserError([problem])

    def list_runs(self) -> list[RunParams]:
        """List the parameters of all runs."""
        return [self.get_run(name) for name in self.runs]


def get_folder(recipe: Recipe) -> Folder:
    """Return the folder of rows that a recipe reads."""
    if isinstance(recipe, Tagger | Retriever | Lsr):
        return Folder.SPLITS
    return Folder.PREFERENCES if isinstance(recipe, PreferenceRecipe) else Folder.TRAINING
