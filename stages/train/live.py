"""Losses as they come, for `dvc plots`: written by DVCLive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stages.train.processes import first_process

Log = Callable[[int, Mapping[str, float]], None]
"""Takes a step and its losses."""
_NAMES: Final = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "mean_token_accuracy": "train/token_accuracy",
    "eval_loss": "validation/loss",
    "eval_mean_token_accuracy": "validation/token_accuracy",
}


@contextmanager
def live_log(folder: Path) -> Iterator[Log]:
    """What takes the losses of a step; the plots are whole after each step.

    Of several processes that train together the first alone writes.
    """
    if not first_process():
        yield lambda step, losses: None
        return
    from dvclive import Live

    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(step: int, losses: Mapping[str, float]) -> None:
            live.step = step
            for name, value in losses.items():
                live.log_metric(_NAMES[name], round(value, 6))
            live.make_summary()

        yield log
