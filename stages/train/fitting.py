"""A trainer of transformers from its last checkpoint to its end, with what a manifest records of it."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainerState

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
from stages.train.precision import PrecisionChoice, hold_frozen_weights_in_bf16, skip_input_casts
from stages.train.processes import is_main_process


class FitResult(NamedTuple):
    """What a training did."""

    model: Any
    steps: int
    tokens: int
    """Processed tokens: a shared prefix counts once. Padding counts where batches are packed, and not where they are
    not."""
    resumed_from: int | None
    """The step of the checkpoint that training resumed from."""
    losses: dict[str, float]
    seconds: float
    """Of training and the last evaluation, including those before a resumed checkpoint."""
    precision: PrecisionChoice


class QuietTrainer:
    """A trainer of TRL that says nothing to a server, and writes no card into its checkpoints."""

    def _send_telemetry(self) -> None:
        """Send nothing: training works offline."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write no card: `exemplars merge` does."""


def fit_trainer(
    model: Any,
    build: Callable[[bool], Any],
    choose: Callable[[], PrecisionChoice],
    checkpoints: Path,
    log: LossLogger,
) -> FitResult:
    """Build a trainer of a prepared model, train, and compute the loss of its validation rows if it has any.

    build: makes the trainer, in bf16 or not; it may have a context in which it trains, `remember`. choose: chooses the
    number format of a new training. checkpoints: the folder of this very run. If it holds a whole checkpoint, training
    resumes there: the order of rows, the optimizer, the schedule and the random state are all restored.
    """
    checkpoint = find_last_checkpoint(checkpoints)
    if checkpoint is None and is_main_process():
        shutil.rmtree(checkpoints, ignore_errors=True)
    notes = read_notes(checkpoint) or Notes(0.0, choose())
    clock = Clock(notes)
    has_bf16 = notes.precision.chosen == Precision.BF16
    if has_bf16:
        hold_frozen_weights_in_bf16(model)
    trainer = build(has_bf16)
    trainer.add_callback(clock)
    replace_output(trainer, log)
    remember = getattr(trainer, "remember", nullcontext)
    with skip_input_casts(model) if has_bf16 else nullcontext(), remember():
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


def _train_and_evaluate(trainer: Any, checkpoint: Path | None) -> dict[str, float]:
    """Train, from a checkpoint if there is one, then evaluate if there are validation rows; return the losses."""
    if checkpoint is not None and _is_last(checkpoint):
        _restore(trainer, checkpoint)
        result_loss = math.nan
    else:
        result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        result_loss = float(result.training_loss)
    # The trainer's own mean leaves out the steps before a resumed checkpoint.
    mean = average_losses(trainer.state.log_history)
    losses = {"train_loss": result_loss if mean is None else mean}
    if trainer.eval_dataset is not None:
        losses["validation_loss"] = float(trainer.evaluate()["eval_loss"])
    return losses


def _is_last(checkpoint: Path) -> bool:
    """Return whether a checkpoint is of the last step: resumed there, a trainer would make one step more."""
    state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    return bool(0 < state.max_steps <= read_step(checkpoint))


def _restore(trainer: Any, checkpoint: Path) -> None:
    """Restore the model and the state of a trainer that had made its last step."""
    trainer._load_from_checkpoint(str(checkpoint))
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))


def build_common_arguments(
    shared: Shared, *, has_bf16: bool, learning_rate: float, folder: Path
) -> dict[str, Any]:
    """Build the arguments that all trainers of language models have in common. folder: of the checkpoints."""
    import torch

    return {
        "output_dir": str(folder),
        "max_steps": -1 if shared.max_steps is None else shared.max_steps,
        "learning_rate": learning_rate,
        "lr_scheduler_type": shared.schedule.value,
        "warmup_steps": shared.warmup_share,  # Below 1 it is a share.
        "weight_decay": shared.weight_decay,
        "max_grad_norm": shared.max_grad_norm,
        "adam_beta2": shared.adam_beta2,
        "bf16": has_bf16,
        "use_cpu": not torch.cuda.is_available(),
        "seed": shared.seed,
        "data_seed": shared.seed,
        "logging_steps": shared.log_every,
        "logging_nan_inf_filter": False,  # The log ends a training whose loss is no number.
        "save_strategy": "steps",
        "save_steps": shared.checkpoint_every,
        "save_total_limit": KEPT_CHECKPOINTS,
        "disable_tqdm": not sys.stderr.isatty(),
        "report_to": [] if shared.tracker == Tracker.NONE else [shared.tracker.value],
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def use_one_gpu(arguments: Any) -> Any:
    """Keep one process to one GPU: torch's `DataParallel` would tear packed batches apart."""
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    return arguments
