"""One training path for all recipes: TRL's `SFTTrainer` with batches of ours and a lean loss."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from datasets import Dataset
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from stages.train.batches import (
    IGNORED,
    LeftPadded,
    SharedPrefixes,
    batches_of,
    packed,
    supervised_width,
)
from stages.train.live import Log
from stages.train.params import Batching, Precision, Shared, Tracker
from stages.train.processes import first_process
from stages.train.rows import Row

_KEPT_CHECKPOINTS: Final = 2
_SECONDS: Final = "seconds.json"
_PACKED_MASK: Final = 4
"""The dimensions of the mask of a batch of `SharedPrefixes`, whose logits are picked by their places."""


class Fit(NamedTuple):
    """What a training did."""

    model: Any
    steps: int
    tokens: int
    """That the model went over: without padding, shared prefixes once."""
    resumed_from: int | None
    losses: dict[str, float]
    seconds: float
    """Of training and the last evaluation; those before a resumed checkpoint are in it."""


class LeanTrainer(SFTTrainer):  # type: ignore[misc]
    """`SFTTrainer` that makes logits of the supervised positions alone, on CPU too.

    TRL's own loss does so by a Triton kernel, and elsewhere scores every position: with a vocabulary of
    49,152, 14 supervised tokens of 128, and 2 cores, that takes as long as the rest of the model.
    """

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean negative log-likelihood of the supervised tokens."""
        if self.padding_free or return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        import torch

        labels = inputs["labels"]
        fed = {name: value for name, value in inputs.items() if name != "labels"}
        if inputs["attention_mask"].dim() == _PACKED_MASK:
            places = (labels[0] != IGNORED).nonzero().squeeze(1)
            logits = model(**fed, use_cache=False, logits_to_keep=(places - 1).clamp(min=0)).logits
            chosen, right = logits[0].float(), labels[0][places]
        else:
            kept = min(supervised_width(labels) + 1, labels.shape[1])
            logits = model(**fed, use_cache=False, logits_to_keep=kept).logits[:, -kept:-1]
            targets = labels[:, labels.shape[1] - kept + 1 :]
            mask = targets != IGNORED
            chosen, right = logits[mask].float(), targets[mask]
        count = len(right) if num_items_in_batch is None else num_items_in_batch
        loss = torch.nn.functional.cross_entropy(chosen, right, reduction="sum") / count
        if num_items_in_batch is not None:  # Counted over all processes, whose gradients are averaged.
            loss = loss * self.accelerator.num_processes
        mode = "train" if self.model.training else "eval"
        accuracy = (chosen.argmax(-1) == right).float().mean()
        self._metrics[mode]["mean_token_accuracy"].append(accuracy.item())
        return loss


class _Losses(TrainerCallback):  # type: ignore[misc]
    """Tells of losses as they come; of those before a resumed checkpoint first."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell what the checkpoint remembers."""
        for entry in state.log_history:
            self._tell(entry, int(entry["step"]))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Tell what is new."""
        self._tell(logs or {}, int(state.global_step))

    def _tell(self, entry: Mapping[str, Any], step: int) -> None:
        names = ("loss", "learning_rate", "mean_token_accuracy", "eval_loss", "eval_mean_token_accuracy")
        known = {name: float(entry[name]) for name in names if name in entry}
        if known:
            self._log(step, known)


class _Clock(TrainerCallback):  # type: ignore[misc]
    """Counts seconds, and goes on counting where a checkpoint stopped."""

    def __init__(self, resumed: Path | None) -> None:
        before = _read_json(resumed / _SECONDS) if resumed is not None else None
        self._start = time.monotonic() - (before if isinstance(before, float) else 0.0)

    def seconds(self) -> float:
        """Since training began."""
        return time.monotonic() - self._start

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the seconds beside the checkpoint."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / _SECONDS).write_text(json.dumps(self.seconds()), encoding="ascii")


def fit(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    watched: Sequence[Row],
    shared: Shared,
    learning_rate: float,
    checkpoints: Path,
    log: Log,
) -> Fit:
    """Train a prepared model on `rows`; tell the loss on `watched` at the end.

    checkpoints: the folder of this very run. Where it holds a whole checkpoint, training goes on from
    there: the order of rows, the optimizer, the schedule and the random state are all restored.
    """
    last = last_checkpoint(checkpoints)
    clock = _Clock(last)
    if last is None and first_process():
        shutil.rmtree(checkpoints, ignore_errors=True)
    watched = watched[: shared.validation_rows]
    taken, watched_taken = _taken(rows, shared), _taken(watched, shared)
    trainer = LeanTrainer(
        model=model,
        args=_arguments(shared, learning_rate, _pack_tokens([*rows, *watched], shared), checkpoints),
        train_dataset=Dataset.from_list(taken),
        eval_dataset=Dataset.from_list(watched_taken) if watched else None,
        processing_class=tokenizer,
        data_collator=_collator(shared, tokenizer),
        callbacks=[_Losses(log), clock],
    )
    result = trainer.train(resume_from_checkpoint=None if last is None else str(last))
    # The trainer's own mean leaves out the steps before a resumed checkpoint.
    logged = _mean_logged(trainer.state.log_history)
    losses = {"train_loss": float(result.training_loss) if logged is None else logged}
    seen = trainer.state.num_input_tokens_seen
    if watched:
        found = trainer.evaluate()
        losses["validation_loss"] = float(found["eval_loss"])
    resumed = None if last is None else int(last.name.rpartition("-")[2])
    return Fit(trainer.model, int(trainer.state.global_step), int(seen), resumed, losses, clock.seconds())


def _mean_logged(history: Sequence[Mapping[str, Any]]) -> float | None:
    """The mean loss over the steps up to the last logged one; null where none was logged.

    Each entry holds the mean since the one before.
    """
    logged = [(int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry]
    if not logged:
        return None
    starts = [0, *(step for step, _ in logged[:-1])]
    total = sum(loss * (step - start) for start, (step, loss) in zip(starts, logged, strict=True))
    return total / logged[-1][0]


def last_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint of a folder; the trainer writes `trainer_state.json` last."""
    whole = [path for path in folder.glob("checkpoint-*") if _read_json(path / "trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def pad_token(tokenizer: Any) -> int:
    """What rows are padded with: it is masked, so that the end token serves where there is none."""
    token = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if token is None else token)


def uses_bf16(precision: Precision) -> bool:
    """Whether bf16 is computed with."""
    import torch

    if precision == Precision.AUTO:
        return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())
    return precision == Precision.BF16


def _taken(rows: Sequence[Row], shared: Shared) -> list[dict[str, Any]]:
    """What the trainer's data set holds: rows, or whole batches whose rows stand behind one another."""
    if shared.batching == Batching.SHARED_PREFIX:
        return [packed(batch)._asdict() for batch in batches_of(rows, shared.batch_rows)]
    return [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in rows]


def _collator(shared: Shared, tokenizer: Any) -> Any:
    if shared.batching == Batching.PACKING:
        return None  # TRL's own.
    shares = shared.batching == Batching.SHARED_PREFIX
    return SharedPrefixes() if shares else LeftPadded(pad_token(tokenizer))


def _pack_tokens(rows: Sequence[Row], shared: Shared) -> int:
    """The length of a pack: of about `batch_rows` rows, and of the longest row at least, which is not cut."""
    lengths = [len(row["input_ids"]) for row in rows]
    return max(*lengths, math.ceil(shared.batch_rows * sum(lengths) / len(lengths)))


def _arguments(shared: Shared, learning_rate: float, pack_tokens: int, folder: Path) -> SFTConfig:
    import torch

    packing, shares = (shared.batching == one for one in (Batching.PACKING, Batching.SHARED_PREFIX))
    rows_a_step = 1 if shares or packing else shared.batch_rows
    lengths = shared.batching == Batching.GROUP_BY_LENGTH
    arguments = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=shared.epochs,
        max_steps=-1 if shared.max_steps is None else shared.max_steps,
        per_device_train_batch_size=rows_a_step,
        per_device_eval_batch_size=rows_a_step,
        learning_rate=learning_rate,
        lr_scheduler_type=shared.schedule.value,
        warmup_steps=shared.warmup_share,  # Below 1 it is a share.
        weight_decay=shared.weight_decay,
        max_grad_norm=shared.max_grad_norm,
        adam_beta2=shared.adam_beta2,
        bf16=uses_bf16(shared.precision),
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        train_sampling_strategy="group_by_length" if lengths else "random",
        packing=packing,
        eval_packing=False,
        max_length=pack_tokens if packing else None,
        dataset_kwargs={"skip_prepare_dataset": not packing},
        remove_unused_columns=not shares,
        seed=shared.seed,
        data_seed=shared.seed,
        logging_steps=shared.log_every,
        save_strategy="steps",
        save_steps=shared.checkpoint_every,
        save_total_limit=_KEPT_CHECKPOINTS,
        include_num_input_tokens_seen="all" if shares or packing else "non_padding",
        disable_tqdm=not sys.stderr.isatty(),
        report_to=[] if shared.tracker == Tracker.NONE else [shared.tracker.value],
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    if arguments.n_gpu > 1:
        # One process keeps to one GPU: torch's `DataParallel` would tear packed batches apart.
        arguments._n_gpu = 1
    return arguments


def _read_json(path: Path) -> Any:
    """What a file says; null where it is missing or not whole."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
