"""One training path for all recipes: TRL's `SFTTrainer` with our own batches and a lean loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from exemplars.models.number_formats import supports_bf16
from stages.train.batches import (
    LeftPaddingCollator,
    SharedPrefixCollator,
    build_batches,
    measure_supervised_width,
    pack_groups,
)
from stages.train.fitting import FitResult, QuietTrainer, build_common_arguments, fit_trainer, use_one_gpu
from stages.train.frozen_layers import FrozenLayers, list_frozen_layers
from stages.train.loss_log import LossLogger
from stages.train.params import Batching, Shared
from stages.train.precision import (
    PrecisionChoice,
    choose_precision,
    is_quantized,
    measure_speedup,
)
from stages.train.processes import count_processes
from stages.train.rows import IGNORED, TokenRow

_PACKED_MASK_DIMENSIONS: Final = 4
"""Of a batch of `SharedPrefixCollator`, whose supervised positions are scattered."""


class LeanTrainer(QuietTrainer, SFTTrainer):  # type: ignore[misc]
    """`SFTTrainer` that computes logits only at supervised positions, on CPU too.

    TRL's own loss does so by a Triton kernel, and without one computes logits at every position: with a
    vocabulary of 49,152, 14 supervised tokens of 128, and 2 cores, that takes as long as the rest of the model.
    """

    frozen_layers: FrozenLayers
    """Set by `_build_trainer`."""

    def remember(self) -> AbstractContextManager[None]:
        """Keep the output of frozen layers within this context."""
        return self.frozen_layers.remember()

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
    validation = validation[: shared.validation_rows]
    pack_tokens = _choose_pack_tokens([*rows, *validation], shared)

    def build(has_bf16: bool) -> LeanTrainer:
        arguments = _build_arguments(shared, has_bf16, learning_rate, pack_tokens, checkpoints)
        return _build_trainer(model, tokenizer, rows, validation, shared, arguments)

    return fit_trainer(
        model, build, lambda: _choose_precision(model, tokenizer, rows, shared), checkpoints, log
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
        arguments = {name: value for name, value in batch.items() if name != "labels"}
        return measure_speedup(model, lambda: model(**arguments, use_cache=False, logits_to_keep=1))

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
    arguments = SFTConfig(
        **build_common_arguments(shared, has_bf16=has_bf16, learning_rate=learning_rate, folder=folder),
        num_train_epochs=shared.epochs,
        activation_checkpointing=False,
        **_batching_arguments(shared, pack_tokens),
    )
    return use_one_gpu(arguments)


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
