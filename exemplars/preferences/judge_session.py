"""A session of a judge: one duel at a time; each decision is on the disk before the next duel is shown."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from exemplars.core import layout
from exemplars.models.calls import CallFormat
from exemplars.preferences.duels import Decision, Duel, make_judgment
from exemplars.preferences.preference_file import append_pairs, withdraw_pair


def read_clock() -> str:
    """Return the time in UTC: `2026-11-27T20:00:00Z`."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class JudgeSession:
    """The duels of a session, and what was said of them."""

    def __init__(
        self,
        duels: Sequence[Duel],
        form: CallFormat,
        judge: str,
        path: Path = layout.RAW_PREFERENCES,
        clock: Callable[[], str] = read_clock,
    ) -> None:
        """duels: in the order in which they are shown. form: how calls are written. path: of the preferences."""
        self._duels = tuple(duels)
        self._form, self._judge, self._path, self._clock = form, judge, path, clock
        self._decided: list[str | None] = []
        """For each duel so far the id of its line; `None`: skipped."""

    @property
    def current(self) -> Duel | None:
        """The duel to decide; `None`: all are decided or skipped."""
        return self._duels[self.position] if self.position < len(self._duels) else None

    @property
    def position(self) -> int:
        """The number of duels before the current one."""
        return len(self._decided)

    @property
    def judged(self) -> int:
        """The number of decisions of this session that count."""
        return sum(pair_id is not None for pair_id in self._decided)

    def decide(self, decision: Decision) -> None:
        """Append a decision about the current duel, and go to the next. Raises `OSError` if it cannot be written."""
        duel = self.current
        assert duel is not None  # Who decides has been shown one.
        pair_id = uuid.uuid4().hex
        append_pairs(
            [make_judgment(duel, decision, self._form, self._judge, pair_id, self._clock())], self._path
        )
        self._decided.append(pair_id)

    def skip(self) -> None:
        """Skip the current duel; a later session shows it again."""
        self._decided.append(None)

    def undo(self) -> bool:
        """Return to the duel before, and withdraw what was said of it. Returns whether there was one."""
        if not self._decided:
            return False
        pair_id = self._decided[-1]
        if pair_id is not None:
            withdraw_pair(pair_id, uuid.uuid4().hex, self._clock(), self._path)
        self._decided.pop()
        return True
