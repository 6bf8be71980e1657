"""The section `train` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from exemplars.core.names import Name

Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Precision(StrEnum):
    """The number format of training."""

    AUTO = "auto"
    """bf16 on a GPU that supports it, else fp32."""
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


class _Method(msgspec.Struct, frozen=True, kw_only=True, tag_field="method", forbid_unknown_fields=True):
    learning_rate: Positive


class Full(_Method, frozen=True, tag="full"):
    """Train all weights."""


class Lora(_Method, frozen=True, tag="lora"):
    """Train low-rank adapters on all linear layers (Hu et al. 2021)."""

    rank: Count
    alpha: Count
    dropout: Share = 0.0
    layers: Count | None = None
    """How many of the last layers have adapters; `None`: all."""
    dora: bool = False
    """Split weights into magnitude and direction (Liu et al. 2024)."""
    quantized: bool = False
    """Load the base in 4 bits, by bitsandbytes (Dettmers et al. 2023)."""


class PromptTuning(_Method, frozen=True, tag="prompt_tuning"):
    """Train soft prompts, which are prepended to each row (Lester et al. 2021)."""

    virtual_tokens: Count


class Adapter(_Method, frozen=True, tag="ia3"):
    """Train scales of keys, values and feed-forward activations (Liu et al. 2022)."""


class Freeze(_Method, frozen=True, tag="freeze"):
    """Train all weights of the last layers; freeze those below."""

    layers: Count


class Continued(_Method, frozen=True, tag="continued"):
    """Train all weights on the next token of raw text."""

    text: str
    """A folder with `*.txt` and `*.md` files."""
    license: str
    block_tokens: Annotated[int, msgspec.Meta(ge=2)]


Recipe = Full | Lora | PromptTuning | Adapter | Freeze | Continued


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all recipes have in common."""

    epochs: Positive
    batch_rows: Count
    warmup_share: Share
    schedule: Schedule
    weight_decay: Annotated[float, msgspec.Meta(ge=0)]
    max_grad_norm: Positive
    adam_beta2: Share
    precision: Precision
    batching: Batching
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    log_every: Count
    checkpoint_every: Count
    validation_rows: Annotated[int, msgspec.Meta(ge=0)]
    max_steps: Count | None = None
    tracker: Tracker = Tracker.NONE


class TrainParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which recipe to train by, and how."""

    recipe: Name
    shared: Shared
    recipes: dict[Name, Recipe]

    def __post_init__(self) -> None:
        if self.recipe not in self.recipes:
            raise ValueError(
                f"Expected train.recipe to be one of {', '.join(sorted(self.recipes))}, got {self.recipe!r}"
            )

    @property
    def chosen(self) -> Recipe:
        """The recipe to train by."""
        return self.recipes[self.recipe]
