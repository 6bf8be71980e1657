"""The section `train` of `params.yaml`."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec


class Precision(StrEnum):
    """The numbers that are computed with."""

    AUTO = "auto"
    """bf16 on a GPU that has it, else fp32."""
    FP32 = "fp32"
    BF16 = "bf16"


class Batching(StrEnum):
    """How rows are put together."""

    SHARED_PREFIX = "shared_prefix"
    """Rows behind one another without padding; what rows have in common in front is there once."""
    GROUP_BY_LENGTH = "group_by_length"
    """Rows of about the same length, padded on the left."""
    PACKING = "packing"
    """Rows behind one another without padding, by TRL: for GPUs with fused attention."""
    RANDOM = "random"
    """As they come, padded on the left."""


class Schedule(StrEnum):
    """How the learning rate falls, after the warm-up."""

    CONSTANT = "constant_with_warmup"
    LINEAR = "linear"
    COSINE = "cosine"


class Tracker(StrEnum):
    """Who is told of losses, beside DVCLive."""

    NONE = "none"
    WANDB = "wandb"
    MLFLOW = "mlflow"


def _at_least_one(section: msgspec.Struct, *names: str) -> None:
    """Raise `ValueError` for the first of these counts that is below 1; null counts as none."""
    for name in names:
        if (count := getattr(section, name)) is not None and count < 1:
            raise ValueError(f"Expected {name} of at least 1, got {count}")


class _Method(msgspec.Struct, frozen=True, kw_only=True, tag_field="method", forbid_unknown_fields=True):
    learning_rate: float

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(f"Expected a learning rate above 0, got {self.learning_rate:g}")


class Full(_Method, frozen=True, tag="full"):
    """All weights are trained."""


class Lora(_Method, frozen=True, tag="lora"):
    """Low-rank adapters on all linear layers (Hu et al. 2021)."""

    rank: int
    alpha: int
    dropout: float = 0.0
    layers: int | None = None
    """Only the last so many layers; null: all."""
    dora: bool = False
    """Weights are split into size and direction (Liu et al. 2024)."""
    quantized: bool = False
    """The base in 4 bits by bitsandbytes (Dettmers et al. 2023)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least_one(self, "rank", "alpha")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Expected dropout from 0 to below 1, got {self.dropout:g}")


class PromptTuning(_Method, frozen=True, tag="prompt_tuning"):
    """Soft prompts before the row (Lester et al. 2021)."""

    virtual_tokens: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least_one(self, "virtual_tokens")


class Adapter(_Method, frozen=True, tag="ia3"):
    """Learned scales of keys, values and feed-forward activations (Liu et al. 2022)."""


class Freeze(_Method, frozen=True, tag="freeze"):
    """All weights of the last layers are trained; those below are frozen."""

    layers: int


class Continued(_Method, frozen=True, tag="continued"):
    """Next-token training of all weights on raw text."""

    text: str
    """A folder with `*.txt` and `*.md` files."""
    license: str
    block_tokens: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block_tokens < 2:
            raise ValueError(f"Expected block_tokens of at least 2, got {self.block_tokens}")


Recipe = Full | Lora | PromptTuning | Adapter | Freeze | Continued


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all recipes have in common."""

    epochs: float
    batch_rows: int
    warmup_share: float
    schedule: Schedule
    weight_decay: float
    max_grad_norm: float
    adam_beta2: float
    precision: Precision
    batching: Batching
    seed: int
    log_every: int
    checkpoint_every: int
    validation_rows: int
    max_steps: int | None = None
    tracker: Tracker = Tracker.NONE

    def __post_init__(self) -> None:
        for name in ("epochs", "max_grad_norm"):
            if getattr(self, name) <= 0:
                raise ValueError(f"Expected {name} above 0, got {getattr(self, name):g}")
        for name, below in (("warmup_share", 1), ("adam_beta2", 1), ("weight_decay", math.inf)):
            if not 0 <= getattr(self, name) < below:
                raise ValueError(f"Expected {name} from 0 to below {below:g}, got {getattr(self, name):g}")
        _at_least_one(self, "batch_rows", "log_every", "checkpoint_every", "max_steps")
        if self.validation_rows < 0:
            raise ValueError(f"Expected validation_rows of at least 0, got {self.validation_rows}")


class TrainParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which recipe, and how."""

    recipe: str
    shared: Shared
    recipes: dict[str, Recipe]

    def __post_init__(self) -> None:
        if self.recipe not in self.recipes:
            raise ValueError(
                f"Expected train.recipe to be one of {', '.join(sorted(self.recipes))}, got {self.recipe!r}"
            )

    @property
    def chosen(self) -> Recipe:
        """The recipe that is trained by."""
        return self.recipes[self.recipe]
