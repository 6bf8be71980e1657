"""The training of a retriever by the trainer of sentence-transformers, which this imports."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.training_args import SentenceTransformerTrainingArguments

from exemplars.models.number_formats import supports_bf16
from stages.train.attention import use_plain_attention
from stages.train.callbacks import (
    KEPT_CHECKPOINTS,
    Clock,
    Notes,
    average_losses,
    find_last_checkpoint,
    read_notes,
    read_step,
    replace_output,
)
from stages.train.loss_log import LossLogger
from stages.train.params import Precision, Shared, Tracker
from stages.train.precision import PrecisionChoice, choose_precision, measure_speedup
from stages.train.recipe_params import Retriever
from stages.train.retriever.batches import Pair
from stages.train.retriever.padding import trim_padding

_DIRECTIONS: Final = ("query_to_doc", "doc_to_query")


class RetrieverResult(NamedTuple):
    """What a training did."""

    steps: int
    tokens: int
    """Without padding."""
    resumed_from: int | None
    losses: Mapping[str, float]
    precision: PrecisionChoice
    seconds: float


class _PlannedBatches(DefaultBatchSampler):  # type: ignore[misc]
    """The batches as they were planned: the rows of the dataset, cut where a batch ends."""

    def __init__(self, dataset: Dataset, sizes: Sequence[int], **options: Any) -> None:
        super().__init__(dataset, **options)
        self.sizes = sizes

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        for size in self.sizes:
            yield list(range(start, start + size))
            start += size

    def __len__(self) -> int:
        return len(self.sizes)


class PlannedTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """The trainer of sentence-transformers, with batches that were planned."""

    sizes: Sequence[int] = ()

    def get_batch_sampler(self, dataset: Dataset, **options: Any) -> _PlannedBatches:
        """Return the sampler of the planned batches."""
        return _PlannedBatches(dataset, self.sizes, **options)


class EncoderTask(NamedTuple):
    """What a sentence encoder is trained on."""

    columns: Mapping[str, Sequence[Any]]
    """The rows in their order: texts, and a column `label` if the loss takes one."""
    sizes: Sequence[int]
    """How many rows each step has."""
    loss: torch.nn.Module
    learning_rate: float
    prompts: Mapping[str, str] = {}
    """What comes before the texts of a column."""


def fit_retriever(
    encoder: SentenceTransformer,
    batches: Sequence[Sequence[Pair]],
    recipe: Retriever,
    shared: Shared,
    checkpoints: Path,
    log: LossLogger,
) -> RetrieverResult:
    """Fit an encoder to batches of pairs, one a step; as `fit_encoder`."""
    pairs = [pair for batch in batches for pair in batch]
    task = EncoderTask(
        columns={"query": [pair.query for pair in pairs], "document": [pair.document for pair in pairs]},
        sizes=[len(batch) for batch in batches],
        loss=_build_loss(encoder, recipe),
        learning_rate=recipe.learning_rate,
        prompts={"query": recipe.query_prompt, "document": recipe.document_prompt},
    )
    return fit_encoder(encoder, task, shared, checkpoints, log)


def fit_encoder(
    encoder: SentenceTransformer, task: EncoderTask, shared: Shared, checkpoints: Path, log: LossLogger
) -> RetrieverResult:
    """Fit an encoder.

    checkpoints: the folder of this very run. If it holds a whole checkpoint, training resumes there.
    """
    checkpoint = find_last_checkpoint(checkpoints)
    notes = read_notes(checkpoint) or Notes(0.0, _choose_precision(shared.precision, encoder, task))
    clock = Clock(notes)
    if checkpoint is None:
        for damaged in checkpoints.glob("checkpoint-*"):
            shutil.rmtree(damaged, ignore_errors=True)
    trainer = _build_trainer(encoder, task, _build_arguments(task, shared, notes.precision, checkpoints))
    trainer.add_callback(clock)
    replace_output(trainer, log)
    model = encoder.transformers_model
    with trim_padding(encoder), nullcontext() if model is None else use_plain_attention(model):
        result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    encoder.eval()
    # The trainer's own mean leaves out the steps before a resumed checkpoint.
    mean = average_losses(trainer.state.log_history)
    return RetrieverResult(
        steps=int(trainer.state.global_step),
        tokens=_count_tokens(encoder, task),
        resumed_from=None if checkpoint is None else read_step(checkpoint),
        losses={"train_loss": float(result.training_loss) if mean is None else mean},
        precision=notes.precision,
        seconds=clock.seconds(),
    )


@contextmanager
def average_weights(encoder: SentenceTransformer, start_share: float) -> Iterator[None]:
    """Average the weights that an encoder has after this block with those before it.

    The average is better on what training has few rows of, and as good on the rest (WiSE-FT, Wortsman et al. 2022,
    [arXiv 2109.01903](https://arxiv.org/abs/2109.01903)). start_share: the share of the weights before the block.
    """
    start = {name: value.clone() for name, value in encoder.state_dict().items()}
    yield
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(start[name].to(value.device), start_share)


def _build_trainer(
    encoder: SentenceTransformer, task: EncoderTask, arguments: SentenceTransformerTrainingArguments
) -> PlannedTrainer:
    encoder.model_card_data.generate_widget_examples = False  # No card is written.
    trainer = PlannedTrainer(
        model=encoder,
        args=arguments,
        train_dataset=Dataset.from_dict({name: list(values) for name, values in task.columns.items()}),
        loss=task.loss,
    )
    trainer.sizes = task.sizes
    return trainer


def _choose_precision(asked: Precision, encoder: SentenceTransformer, task: EncoderTask) -> PrecisionChoice:
    """Choose the number format for an encoder that reads the questions of a task."""

    def measure() -> float | None:
        model = encoder.transformers_model
        if model is None:
            return None
        texts = next(iter(task.columns.values()))[: task.sizes[0]]
        features = encoder.preprocess(list(texts))
        with use_plain_attention(model):
            return measure_speedup(model, lambda: encoder(features))

    return choose_precision(
        asked, has_gpu=torch.cuda.is_available(), is_native=supports_bf16(), measure=measure
    )


def _build_loss(encoder: SentenceTransformer, recipe: Retriever) -> Any:
    """Build the loss: the other documents of a batch are wrong for a question, and its other questions for a document.

    Van den Oord et al. 2018, in both directions as in Günther et al. 2023; also for shorter vectors, if the recipe says
    so (Kusupati et al. 2022).
    """
    loss = MultipleNegativesRankingLoss(
        encoder, scale=recipe.scale, directions=_DIRECTIONS, partition_mode="per_direction"
    )
    if not recipe.dimensions:
        return loss
    widths = sorted({int(encoder.get_embedding_dimension() or 0), *recipe.dimensions}, reverse=True)
    return MatryoshkaLoss(encoder, loss, matryoshka_dims=widths)


def _build_arguments(
    task: EncoderTask, shared: Shared, precision: PrecisionChoice, folder: Path
) -> SentenceTransformerTrainingArguments:
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=max(task.sizes, default=1),
        learning_rate=task.learning_rate,
        lr_scheduler_type=shared.schedule.value,
        warmup_steps=shared.warmup_share,  # Below 1 it is a share.
        weight_decay=shared.weight_decay,
        max_grad_norm=shared.max_grad_norm,
        adam_beta2=shared.adam_beta2,
        bf16=precision.chosen == Precision.BF16,
        use_cpu=not torch.cuda.is_available(),
        seed=shared.seed,
        data_seed=shared.seed,
        logging_steps=shared.log_every,
        save_strategy="steps",
        save_steps=shared.checkpoint_every,
        save_total_limit=KEPT_CHECKPOINTS,
        disable_tqdm=not sys.stderr.isatty(),
        report_to=[] if shared.tracker == Tracker.NONE else [shared.tracker.value],
        dataloader_pin_memory=torch.cuda.is_available(),
        prompts=dict(task.prompts),
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # One process keeps to one GPU.
    return arguments


def _count_tokens(encoder: SentenceTransformer, task: EncoderTask) -> int:
    """Count the tokens of all texts as the encoder reads them, without padding and prompts."""
    texts = [value for values in task.columns.values() for value in values if isinstance(value, str)]
    encoded = encoder.tokenizer(texts, truncation=True, max_length=encoder.max_seq_length)["input_ids"]
    return sum(map(len, encoded))
