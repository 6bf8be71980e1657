"""Preferences: the lines of `data/raw/preferences.jsonl`, and the rows that `render` makes of them."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from exemplars.core.records import Origin
from exemplars.core.schemas import derive_schema
from exemplars.models.calls import Call, CallFormat, format_calls
from exemplars.models.rows import Message

PREFERENCE_VERSION: Final = 1
"""The version of the lines of `data/raw/preferences.jsonl`."""


class PairSource(StrEnum):
    """Who or what made a preference."""

    JUDGE = "judge"
    """A person compared the answers of two systems: `exemplars judge`."""
    ERRORS = "errors"
    """The right answer of a row against the wrong one of a model that was not trained on the row."""
    WRITTEN = "written"
    """A person wrote the sides."""
    IMPORTED = "imported"
    """`exemplars preferences add` converted it from the form of another tool."""


class Verdict(StrEnum):
    """What was decided about two sides."""

    CHOSEN = "chosen"
    """The side `chosen` is better; if there is one side only, `chosen` is good and `rejected` is bad."""
    TIE = "tie"
    """Both sides are equally good; which of them is `chosen` means nothing."""
    NEITHER = "neither"
    """Both sides are wrong; which of them is `chosen` means nothing."""


class PreferredCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of an answer: any values of JSON by the names of the parameters."""

    name: str
    arguments: dict[str, Any] = {}


Side = str | tuple[PreferredCall, ...]
"""An answer: a text as it is written, or calls, in the format that `render` writes; no calls: "no call"."""


class PreferencePair(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A line of `data/raw/preferences.jsonl`: two answers to a prompt, or one that is labeled good or bad.

    The prompt is a row of the dataset, by its digest, or messages. A line with `withdraws` takes back another line,
    and has nothing else.
    """

    version: Literal[1]
    id: str
    row: str | None = None
    """The digest of a row of the dataset: of a turn with several calls, that of any of its rows."""
    prompt: tuple[Message, ...] | None = None
    """The messages before the answer, if it is not about a row."""
    tools: tuple[dict[str, Any], ...] = ()
    """The OpenAI-style definitions of the tools that go with `prompt`."""
    chosen: Side | None = None
    rejected: Side | None = None
    verdict: Verdict = Verdict.CHOSEN
    kind: str | None = None
    """What is wrong with the rejected side: an `ErrorKind` of evaluate, or any other word."""
    chosen_by: str | None = None
    """The system that gave the side `chosen`."""
    rejected_by: str | None = None
    source: PairSource
    judge: str | None = None
    """Who decided."""
    time: str | None = None
    """When, as `2026-11-27T20:00:00Z`."""
    license: str | None = None
    """SPDX expression of the license of the texts; `None`: that of the row."""
    origin: str | None = None
    """Where an imported pair was: `dpo.json#/3`, `kto.jsonl:12`."""
    withdraws: str | None = None
    """The `id` of a line that this one takes back."""


class PreferenceRow(msgspec.Struct, frozen=True):
    """A preference as training reads it: the tokens of a prompt and of the two sides, or of one labeled side.

    `chosen_ids` and `rejected_ids` end with the end-of-turn token. A side that a label does not have is `None`, and
    its tokens are empty.
    """

    id: str
    """`preferences:preferences.jsonl#<line>`."""
    pair: str
    """The `id` of the pair."""
    digest: str
    """`hash_pair` of the pair."""
    row: str | None
    """The digest of the row of the dataset that the pair is about; `None`: the pair has its own prompt."""
    exemplar_ids: tuple[str, ...]
    """The rows of that turn, in the order of their calls."""
    digests: tuple[str, ...]
    """The digests of these rows."""
    source: PairSource
    kind: str | None
    skill: str | None
    """The first skill of the turn."""
    group: str
    """That of the row; of a pair with its own prompt, a hash of the prompt."""
    license: str
    origin: Origin
    messages: tuple[Message, ...]
    """The prompt."""
    tools: str
    """The tools in the prompt: a JSON list of OpenAI-style definitions."""
    prompt: str
    """The prompt as the chat template writes it."""
    prompt_ids: tuple[int, ...]
    chosen: str | None
    rejected: str | None
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]

    @property
    def is_pair(self) -> bool:
        """Whether it has both sides; otherwise it is one labeled side."""
        return self.chosen is not None and self.rejected is not None


PREFERENCE_SCHEMA: Final = derive_schema(PreferenceRow)


def format_side(side: Side, form: CallFormat) -> str:
    """Format an answer as a model should write it.

    >>> format_side((PreferredCall("weather", {"location": "Boston"}),), CallFormat.PYTHON)
    'weather(location="Boston")'
    """
    if isinstance(side, str):
        return side
    return format_calls([Call(call.name, call.arguments) for call in side], form)


def hash_pair(pair: PreferencePair) -> str:
    """Hash the content of a pair: row, prompt, tools, both sides and the verdict, not who decided, when or where."""
    content = (pair.row, pair.prompt, pair.tools, pair.chosen, pair.rejected, pair.verdict)
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
