"""Work on shards that kills its worker, or waits until somebody does; shards that are counted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def double_or_die(folder: Path, deaths: int, number: int) -> int:
    """Double a number; the process of shard 3 is killed the first `deaths` times, as by a machine without memory."""
    if number == 3:
        died = len(list(folder.iterdir()))
        if died < deaths:
            (folder / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return number * 2


def run_after_kill(folder: Path, work: Callable[[Any], Any], shard: Any) -> Any:
    """Run `work` on a shard after a node was killed, which the file `killed` in the folder says.

    Until then it waits; its own file there has the processes of the worker and of its parent, which is Ray's raylet.
    """
    if not (folder / "killed").exists():
        (folder / f"started-{os.getpid()}-{os.getppid()}").touch()
    while not (folder / "killed").exists():
        time.sleep(0.02)
    return work(shard)


def wait_after_first(number: int) -> int:
    """Return 0 at once; with any other number, wait until the process is killed."""
    while number:
        time.sleep(0.1)
    return number


class CountedShards(Sequence[int]):
    """Numbers that are made when they are asked for."""

    def __init__(self, count: int) -> None:
        self.made: list[int] = []
        """Those that were asked for, in this order."""
        self._numbers = range(count)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        number = self._numbers[index]  # Raises `IndexError` past the end.
        self.made.append(number)
        return number
