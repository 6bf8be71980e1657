"""Losses as they come: for `dvc plots` by DVCLive, and for people on standard error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from exemplars.core.errors import Diagnostic, UserError
from stages.train.processes import is_main_process

LossLogger = Callable[[int, Mapping[str, float]], None]
"""Takes a step and its losses, by the trainer's names."""
_METRICS: Final = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "mean_token_accuracy": "train/token_accuracy",
    "rewards/accuracies": "train/pair_accuracy",
    "accuracy": "train/pair_accuracy",
    "reward": "train/reward",
    "kl": "train/divergence",
    "eval_loss": "validation/loss",
    "eval_mean_token_accuracy": "validation/token_accuracy",
}
"""The names in the plots."""


def select_losses(entry: Mapping[str, object]) -> dict[str, float]:
    """Select what is logged from an entry of the trainer's history; it has more keys.

    >>> select_losses({"loss": 2.5, "epoch": 1.0})
    {'loss': 2.5}
    """
    found = ((name, entry.get(name)) for name in _METRICS)
    return {name: float(value) for name, value in found if isinstance(value, int | float)}


@contextmanager
def open_loss_log(folder: Path) -> Iterator[LossLogger]:
    """Open a log whose plots are complete after each step.

    Of several processes that train together only the main one writes. The log raises `UserError` for a loss that is no
    finite number, which ends the training.
    """
    if not is_main_process():
        yield _check_losses
        return
    from dvclive import Live

    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(step: int, losses: Mapping[str, float]) -> None:
            _check_losses(step, losses)
            live.step = step
            for name, value in losses.items():
                live.log_metric(_METRICS[name], round(value, 6))
            live.make_summary()

        yield log


def _check_losses(step: int, losses: Mapping[str, float]) -> None:
    """Raise `UserError` for a loss that is no finite number: the weights are then of no use."""
    for name, value in losses.items():
        if not math.isfinite(value):
            raise UserError(
                [
                    Diagnostic(
                        path="params.yaml",
                        code="diverged",
                        found=f"{_METRICS[name]} is {value} at step {step}",
                        expected="a finite number",
                        fix="lower the learning rate of the recipe, or train.shared.max_grad_norm",
                    )
                ]
            )


def format_losses(step: int, steps: int, losses: Mapping[str, float]) -> str:
    """Format the losses of a step as a line for people.

    >>> format_losses(5, 19, {"loss": 2.3456, "learning_rate": 0.003})
    'train: step 5 of 19, loss 2.346'
    >>> format_losses(19, 19, {"eval_loss": 2.1})
    'train: step 19 of 19, validation loss 2.100'
    """
    names = {"loss": "loss", "reward": "reward", "eval_loss": "validation loss"}
    values = [f"{names[name]} {value:.3f}" for name, value in losses.items() if name in names]
    return ", ".join([f"train: step {step} of {steps}", *values])
