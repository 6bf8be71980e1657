"""One training path for all recipes: TRL's `SFTTrainer` with our own batches and a lean loss."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from stages.train.batches import (
    LeftPaddingCollator,
    SharedPrefixCollator,
    build_batches,
    measure_supervised_width,
    pack_groups,
)
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
from stages.train.frozen_layers import FrozenLayers, list_frozen_layers
from stages.train.loss_log import LossLogger
from stages.train.params import Batching, Precision, Shared, Tracker
from stages.train.precision import (
    PrecisionChoice,
    choose_precision,
    hold_frozen_weights_in_bf16,
    is_quantized,
    measure_speedup,
    skip_input_casts,
    supports_bf16,
)
from stages.train.processes import count_processes, is_main_process
from stages.train.rows import IGNORED, TokenRow

_PACKED_MASK_DIMENSIONS: Final = 4
"""Of a batch of `SharedPrefixCollator`, whose supervised positions are scattered."""


class FitResult(NamedTuple):
    """What a training did."""

    model: Any
    steps: int
    tokens: int
    """Processed tokens: without padding; a shared prefix counts once."""
    resumed_from: int | None
    """The step of the checkpoint that training resumed from."""
    losses: dict[str, float]
    seconds: float
    """Of training and the last evaluation, including those before a resumed checkpoint."""
    precision: PrecisionChoice


class LeanTrainer(SFTTrainer):  # type: ignore[misc]
    """`SFTTrainer` that computes logits only at supervised positions, on CPU too.

    TRL's own loss does so by a Triton kernel, and without one computes logits at every position: with a
    vocabulary of 49,152, 14 supervised tokens of 128, and 2 cores, that takes as long as the rest of the model.
    """

    frozen_layers: FrozenLayers
    """Set by `_build_trainer`."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Compute the mean negative log-likelihood of the supervised tokens."""
        if self.padding_free or return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        import torch

        logits, targets = self._compute_supervised_logits(model, inputs)
        count = len(targets) if num_items_in_batch is None else num_items_in_batch
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum") / count
        if num_items_in_batch is not None:  # Counted over all processes, whose gradients are averaged.
            loss = loss * self.accelerator.num_processes
        mode = "train" if self.model.training else "eval"
        accuracy = (logits.argmax(-1) == targets).float().mean()
        self._metrics[mode]["mean_token_accuracy"].append(accuracy.item())
        return loss

    def _compute_supervised_logits(self, model: Any, inputs: Any) -> tuple[Any, Any]:
        """Compute the logits of the supervised tokens, shape (tokens, vocabulary), and return these tokens."""
        labels = inputs["labels"]
        arguments = {name: value for name, value in inputs.items() if name != "labels"}
        self.frozen_layers.expect(arguments if model.training else None)
        if inputs["attention_mask"].dim() == _PACKED_MASK_DIMENSIONS:
            places = (labels[0] != IGNORED).nonzero().squeeze(1)
            # A token is predicted at the position before its own.
            logits = model(**arguments, use_cache=False, logits_to_keep=(places - 1).clamp(min=0)).logits
            return logits[0].float(), labels[0][places]
        kept = min(measure_supervised_width(labels) + 1, labels.shape[1])
        logits = model(**arguments, use_cache=False, logits_to_keep=kept).logits[:, -kept:-1]
        targets = labels[:, labels.shape[1] - kept + 1 :]
        mask = targets != IGNORED
        return logits[mask].float(), targets[mask]


def fit(
    model: Any,
    tokenizer: Any,
    rows: Sequence[TokenRow],
    validation: Sequence[TokenRow],
    shared: Shared,
    learning_rate: float,
    checkpoints: Path,
    log: LossLogger,
) -> FitResult:
    """Fit a prepared model to `rows`, then compute the loss on the first `validation` rows.

    checkpoints: the folder of this very run. If it holds a whole checkpoint, training resumes there: the
    order of rows, the optimizer, the schedule and the random state are all restored.
    """
    checkpoint = find_last_checkpoint(checkpoints)
    if checkpoint is None and is_main_process():
        shutil.rmtree(checkpoints, ignore_errors=True)
    notes = read_notes(checkpoint) or Notes(0.0, _choose_precision(model, tokenizer, rows, shared))
    clock = Clock(notes)
    has_bf16 = notes.precision.chosen == Precision.BF16
    if has_bf16:
        hold_frozen_weights_in_bf16(model)
    validation = validation[: shared.validation_rows]
    pack_tokens = _choose_pack_tokens([*rows, *validation], shared)
    arguments = _build_arguments(shared, has_bf16, learning_rate, pack_tokens, checkpoints)
    trainer = _build_trainer(model, tokenizer, rows, validation, shared, arguments)
    trainer.add_callback(clock)
    replace_output(trainer, log)
    with skip_input_casts(model) if has_bf16 else nullcontext(), trainer.frozen_layers.remember():
        losses = _train_and_evaluate(trainer, checkpoint)
    return FitResult(
        model=trainer.model,
        steps=int(trainer.state.global_step),
        tokens=int(trainer.state.num_input_tokens_seen),
        resumed_from=None if checkpoint is None else read_step(checkpoint),
        losses=losses,
        seconds=clock.seconds(),
        precision=notes.precision,
    )


def _build_trainer(
    model: Any,
    tokenizer: Any,
    rows: Sequence[TokenRow],
    validation: Sequence[TokenRow],
    shared: Shared,
    arguments: SFTConfig,
) -> LeanTrainer:
    trainer = LeanTrainer(
        model=model,
        args=arguments,
        train_dataset=_build_dataset(rows, shared),
        eval_dataset=_build_dataset(validation, shared) if validation else None,
        processing_class=tokenizer,
        data_collator=_build_collator(shared, tokenizer),
    )
    batches = len(trainer.train_dataset)
    comes_again = shared.epochs > 1 if shared.max_steps is None else shared.max_steps > batches
    # Other batches than packed ones are put together differently in each epoch.
    is_kept = comes_again and shared.batching == Batching.SHARED_PREFIX
    trainer.frozen_layers = FrozenLayers(list_frozen_layers(model) if is_kept else [])
    return trainer


def _train_and_evaluate(trainer: LeanTrainer, checkpoint: Path | None) -> dict[str, float]:
    """Train, from a checkpoint if there is one, then evaluate if there are validation rows; return the losses."""
    result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    # The trainer's own mean leaves out the steps before a resumed checkpoint.
    mean = average_losses(trainer.state.log_history)
    losses = {"train_loss": float(result.training_loss) if mean is None else mean}
    if trainer.eval_dataset is not None:
        losses["validation_loss"] = float(trainer.evaluate()["eval_loss"])
    return losses


def find_pad_token(tokenizer: Any) -> int:
    """Find the token to pad with. It is masked, so that the end token serves if there is no pad token."""
    token = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if token is None else token)


def _choose_precision(
    model: Any, tokenizer: Any, rows: Sequence[TokenRow], shared: Shared
) -> PrecisionChoice:
    """Choose the number format for a model that trains on these rows.

    Several processes, which could measure differently, and a base in 4 bits do without a measurement.
    """
    import torch

    def measure() -> float | None:
        if count_processes() > 1 or is_quantized(model):
            return None
        batch = _build_collator(shared, tokenizer)(_build_examples(rows[: shared.batch_rows], shared))
        return measure_speedup(model, {name: value for name, value in batch.items() if name != "labels"})

    return choose_precision(
        shared.precision, has_gpu=torch.cuda.is_available(), is_native=supports_bf16(), measure=measure
    )


def _build_dataset(rows: Sequence[TokenRow], shared: Shared) -> Dataset:
    """Build the trainer's dataset: of rows, or of whole packed batches."""
    return Dataset.from_list(_build_examples(rows, shared))


def _build_examples(rows: Sequence[TokenRow], shared: Shared) -> list[dict[str, Any]]:
    """Build what a collator takes: rows, or whole packed batches."""
    if shared.batching == Batching.SHARED_PREFIX:
        return [pack_groups(groups)._asdict() for groups in build_batches(rows, shared.batch_rows)]
    return [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]


def _build_collator(shared: Shared, tokenizer: Any) -> Any:
    if shared.batching == Batching.PACKING:
        return None  # TRL's own.
    if shared.batching == Batching.SHARED_PREFIX:
        return SharedPrefixCollator()
    return LeftPaddingCollator(find_pad_token(tokenizer))


def _choose_pack_tokens(rows: Sequence[TokenRow], shared: Shared) -> int:
    """Choose the length of a pack: about `batch_rows` rows, and at least the longest row, which is not cut."""
    lengths = [len(row.input_ids) for row in rows]
    return max(*lengths, math.ceil(shared.batch_rows * sum(lengths) / len(lengths)))


def _build_arguments(
    shared: Shared, has_bf16: bool, learning_rate: float, pack_tokens: int, folder: Path
) -> SFTConfig:
    import torch

    arguments = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=shared.epochs,
        max_steps=-1 if shared.max_steps is None else shared.max_steps,
        learning_rate=learning_rate,
        lr_scheduler_type=shared.schedule.value,
        warmup_steps=shared.warmup_share,  # Below 1 it is a share.
        weight_decay=shared.weight_decay,
        max_grad_norm=shared.max_grad_norm,
        adam_beta2=shared.adam_beta2,
        bf16=has_bf16,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        seed=shared.seed,
        data_seed=shared.seed,
        logging_steps=shared.log_every,
        save_strategy="steps",
        save_steps=shared.checkpoint_every,
        save_total_limit=KEPT_CHECKPOINTS,
        disable_tqdm=not sys.stderr.isatty(),
        report_to=[] if shared.tracker == Tracker.NONE else [shared.tracker.value],
        dataloader_pin_memory=torch.cuda.is_available(),
        **_batching_arguments(shared, pack_tokens),
    )
    if arguments.n_gpu > 1:
        # One process keeps to one GPU: torch's `DataParallel` would tear packed batches apart.
        arguments._n_gpu = 1
    return arguments


def _batching_arguments(shared: Shared, pack_tokens: int) -> dict[str, Any]:
    packs, shares = shared.batching == Batching.PACKING, shared.batching == Batching.SHARED_PREFIX
    by_length = shared.batching == Batching.GROUP_BY_LENGTH
    rows_a_step = 1 if packs or shares else shared.batch_rows
    return {
        "per_device_train_batch_size": rows_a_step,
        "per_device_eval_batch_size": rows_a_step,
        "train_sampling_strategy": "group_by_length" if by_length else "random",
        "packing": packs,
        "eval_packing": False,
        "max_length": pack_tokens if packs else None,
        "dataset_kwargs": {"skip_prepare_dataset": not packs},
        "remove_unused_columns": not shares,
        "include_num_input_tokens_seen": "all" if packs or shares else "non_padding",
    }
