"""Losses, a progress bar, seconds and checkpoints of the trainers of transformers, which this imports."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from exemplars.core.terminal import print_errors
from stages.train.loss_log import LossLogger, format_losses, select_losses
from stages.train.precision import PrecisionChoice
from stages.train.remaining_time import StepClock

KEPT_CHECKPOINTS: Final = 2
"""The last checkpoints of a run, which are kept while it trains."""
_NOTES: Final = "notes.json"
_PRINTED_LINES: Final = 10
"""Lines of losses of a training without a terminal, at most; the plots have all."""


class LossCallback(TrainerCallback):  # type: ignore[misc]
    """Logs losses as they come, and prints them if there is no progress bar."""

    def __init__(self, log: LossLogger, prints: bool) -> None:
        """prints: whether a line is printed for a tenth of the training."""
        self._log = log
        self._prints = prints
        self._printed = 0
        self._clock = StepClock()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Log the losses from before a resumed checkpoint."""
        for entry in state.log_history:
            if losses := select_losses(entry):
                self._log(int(entry["step"]), losses)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Print the time that is left, once it is known; a progress bar shows it anyway."""
        left = self._clock.note_step(state.max_steps - state.global_step)
        if left is not None and self._prints and state.is_world_process_zero:
            print_errors([f"train: {left}"])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Log new losses."""
        losses = select_losses(logs or {})
        if losses:
            self._log(int(state.global_step), losses)
        tenth = state.global_step * _PRINTED_LINES // max(1, state.max_steps)
        if self._prints and state.is_world_process_zero and ("eval_loss" in losses or tenth > self._printed):
            self._printed = tenth
            print_errors([format_losses(state.global_step, state.max_steps, losses)])


class _ProgressBar(ProgressCallback):  # type: ignore[misc]
    """The trainer's progress bar, with the loss at its end instead of a dictionary above it."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Show the loss."""
        if self.training_bar is not None and logs and "loss" in logs:
            self.training_bar.set_postfix(loss=f"{logs['loss']:.3f}")


class Notes(msgspec.Struct, frozen=True):
    """What a resumed training takes over from the training before, in addition to what the trainer keeps."""

    seconds: float
    precision: PrecisionChoice


class Clock(TrainerCallback):  # type: ignore[misc]
    """Counts seconds, and notes them, with the precision, in each checkpoint."""

    def __init__(self, before: Notes) -> None:
        """before: the notes of the checkpoint that training resumes from, or new ones."""
        self._start = time.monotonic() - before.seconds
        self._precision = before.precision

    def seconds(self) -> float:
        """Return the seconds since training began."""
        return time.monotonic() - self._start

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the notes into the folder of the checkpoint."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / _NOTES).write_bytes(msgspec.json.encode(Notes(self.seconds(), self._precision)))


def replace_output(trainer: Any, log: LossLogger) -> None:
    """Replace the trainer's own output: a bar on a terminal, else one line for each logged loss."""
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    has_bar = sys.stderr.isatty()
    trainer.add_callback(LossCallback(log, prints=not has_bar))
    if has_bar:
        trainer.add_callback(_ProgressBar())


def average_losses(history: Sequence[Mapping[str, Any]]) -> float | None:
    """Average the loss over the steps up to the last logged one; `None` if none was logged.

    Each entry holds the mean since the one before.
    """
    logged = [(int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry]
    if not logged:
        return None
    starts = [0, *(step for step, _ in logged[:-1])]
    total = sum(loss * (step - start) for start, (step, loss) in zip(starts, logged, strict=True))
    return total / logged[-1][0]


def find_last_checkpoint(folder: Path) -> Path | None:
    """Find the last whole checkpoint of a folder; the trainer writes `trainer_state.json` last."""
    whole = [path for path in folder.glob("checkpoint-*") if _read_json(path / "trainer_state.json")]
    return max(whole, key=read_step, default=None)


def read_step(checkpoint: Path) -> int:
    """Read the step from the name of a checkpoint: `checkpoint-40`."""
    return int(checkpoint.name.rpartition("-")[2])


def read_notes(checkpoint: Path | None) -> Notes | None:
    """Read the notes of a checkpoint; `None` without a checkpoint, or if it has none."""
    if checkpoint is None:
        return None
    try:
        return msgspec.json.decode((checkpoint / _NOTES).read_bytes(), type=Notes)
    except (OSError, msgspec.MsgspecError):
        return None


def _read_json(path: Path) -> Any:
    """Read a JSON file; `None` if it is missing or incomplete."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
