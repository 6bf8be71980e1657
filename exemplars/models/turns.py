"""Turns: the rows that one prompt asks for together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from exemplars.core.ids import is_speech_id, strip_speech
from exemplars.core.records import Exemplar, Mode
from exemplars.core.turns import group_by_turn
from exemplars.models.questions import Question


class TurnRows(NamedTuple):
    """The rows of a turn, in the order of their calls; or their speech views."""

    rows: tuple[Exemplar, ...]
    """At least one. They have the utterance, the context and the group in common."""

    @property
    def id(self) -> str:
        """The id of the row, or of the turn if it has several."""
        return self.first.id if len(self.rows) == 1 else self.first.turn

    @property
    def first(self) -> Exemplar:
        """The first row."""
        return self.rows[0]

    @property
    def question(self) -> Question:
        """What a model is asked in the turn."""
        return Question(self.first.utterance, self.first.context, self.first.speaker)

    @property
    def is_speech(self) -> bool:
        """Whether these are speech views."""
        return is_speech_id(self.id)

    @property
    def sampling_key(self) -> str:
        """What decides whether the turn is sampled; its speech view has the same."""
        return strip_speech(self.first.id)

    @property
    def content_key(self) -> str:
        """The digests of the rows."""
        return " ".join(row.digest for row in self.rows)

    @property
    def called_rows(self) -> tuple[Exemplar, ...]:
        """The rows that call something; a skill that is declined is not called."""
        return tuple(row for row in self.rows if row.skill and row.mode in (Mode.NORMAL, Mode.EXTENDED))

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills that the rows are about, called or declined, each once."""
        return tuple(dict.fromkeys(row.skill for row in self.rows if row.skill))

    @property
    def reply(self) -> str | None:
        """What the assistant says in addition to, or instead of, a call."""
        return next((row.reply for row in self.rows if row.reply is not None), None)

    def describe(self) -> dict[str, Any]:
        """Return the fields of a chat row that the turn alone decides, by name."""
        about_skill = next((row for row in self.rows if row.skill), self.first)
        return {
            "turn": self.first.turn,
            "exemplar_ids": tuple(row.id for row in self.rows),
            "digests": tuple(row.digest for row in self.rows),
            "source": self.first.source,
            "services": tuple(dict.fromkeys(row.service for row in self.rows if row.service)),
            "skills": self.skills,
            "mode": about_skill.mode,
            "group": self.first.group,
            "license": self.first.license,
            "origin": self.first.origin,
            "speech": self.is_speech,
            "speaker": self.first.speaker,
            "utterance": self.first.utterance,
            "reply": self.reply,
        }


def collect_turns(rows: Iterable[Exemplar]) -> list[TurnRows]:
    """Collect rows by turn, in the order of their first rows."""
    return [TurnRows(tuple(calls)) for calls in group_by_turn(rows).values()]
