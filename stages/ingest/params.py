"""The section `ingest` of `params.yaml`."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from exemplars.core.names import Name
from stages.ingest.chat.conversations import Dialect as ChatDialect


class OnBadFile(StrEnum):
    """What happens if a file cannot be read at all."""

    FAIL = "fail"
    """The stage fails."""
    REJECT = "reject"
    """The file is rejected, and the others are read."""


class Ungrounded(StrEnum):
    """What happens to a value that nothing ties to the conversation."""

    REJECT = "reject"
    """Its row is rejected."""
    COMPOSE = "compose"
    """It counts as written by the model."""


class ReviewPolicy(StrEnum):
    """Whether a person must approve each row."""

    OPTIONAL = "optional"
    """A row counts unless somebody decides against it."""
    REQUIRED = "required"
    """A row is a candidate until somebody approves it."""


class BaseSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="format"):
    """The keys that every source has."""

    path: str
    license: str
    on_bad_file: OnBadFile = OnBadFile.FAIL
    ungrounded: Ungrounded = Ungrounded.REJECT
    review: ReviewPolicy = ReviewPolicy.OPTIONAL


class SgdSource(BaseSource, tag="sgd", frozen=True, forbid_unknown_fields=True):
    """Dialogues in the format of the Schema-Guided Dialogue dataset."""

    splits: tuple[Literal["train", "dev", "test"], ...] = ("train", "dev", "test")
    """The folders to read. Empty list: the dialogues and their schema.json are in the path itself."""
    today: datetime.date | None = None
    learn_aliases_from: tuple[Literal["train", "dev", "test"], ...] = ("train",)
    """The folders to learn aliases of values from ("San Fran" for San Francisco). Leave the test folder out."""


class SkillsSource(BaseSource, tag="skills", frozen=True, forbid_unknown_fields=True):
    """Skill example files."""

    none_skill: str | None = None
    """The skill whose examples ask for nothing: its rows get the mode none, and no skill."""
    today: datetime.date | None = None


class JsonlSource(BaseSource, tag="jsonl", frozen=True, forbid_unknown_fields=True):
    """FullExemplar JSONL: examples that already have labels."""

    today: datetime.date | None = None


class OpencuiSource(BaseSource, tag="opencui", frozen=True, forbid_unknown_fields=True):
    """An OpenCUI bot, or a folder of bots."""

    instances_a_template: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    """Maximum number of exemplars that a template is expanded to."""
    today: datetime.date | None = None


Dialect = Literal["alexa", "bio", "clinc", "clu", "dialogflow", "luis", "massive", "rasa", "snips"]
"""The formats of NLU data."""


class NluSource(BaseSource, tag="nlu", frozen=True, forbid_unknown_fields=True):
    """Labeled utterances of NLU tools: intents and entities."""

    dialect: Dialect | None = None
    """What all files must be; null: each file is of the dialect that it looks like."""
    none_intents: tuple[str, ...] = ()
    """The intents that ask for nothing: out of scope, or small talk."""
    instances_a_template: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    """Maximum number of exemplars that a template is expanded to."""
    today: datetime.date | None = None


InstructDialect = Literal["alpaca", "dolly", "flan", "lima", "completion"]
"""The formats of instruction data."""


class SystemText(StrEnum):
    """What becomes of the `system` of a row, which no speaker of a dialogue says."""

    PREPEND = "prepend"
    """It begins what the user says first: the reply may depend on it."""
    LEAVE_OUT = "leave_out"
    """It is not kept."""


class InstructSource(BaseSource, tag="instruct", frozen=True, forbid_unknown_fields=True):
    """Instructions with replies, which ask for no call."""

    dialect: InstructDialect | None = None
    """What all files must be; null: each file is of the dialect that its rows look like."""
    mask_history: bool = False
    """Keep only the last reply of a conversation as a row; earlier ones are context, and not learned."""
    system: SystemText = SystemText.PREPEND
    """What becomes of a row's system text. prepend: it begins what the user says first; leave_out: it is not kept."""
    today: datetime.date | None = None


class ChatSource(BaseSource, tag="chat", frozen=True, forbid_unknown_fields=True):
    """Conversations with tool calls."""

    dialect: ChatDialect | None = None
    """What all rows must be; null: each row is of the dialect that it looks like."""
    ungrounded: Ungrounded = Ungrounded.COMPOSE
    today: datetime.date | None = None


class GeneratedSource(BaseSource, tag="generated", frozen=True, forbid_unknown_fields=True):
    """Examples that a model wrote: the raw answers that `exemplars generate` stored."""

    review: ReviewPolicy = ReviewPolicy.REQUIRED
    today: datetime.date | None = None


AnySource = (
    SgdSource
    | SkillsSource
    | JsonlSource
    | OpencuiSource
    | NluSource
    | InstructSource
    | ChatSource
    | GeneratedSource
)


class IngestParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The sources, and how they are read."""

    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 12
    """Maximum number of preceding turns that are kept with an utterance. A value that was said earlier cannot
    be grounded, and a model could not know it."""
    sources: dict[Name, AnySource]
    """The sources, each under a name of your choice (a-z, 0-9, _ and -), which is the prefix of its row ids. Common
    keys:
      format       sgd, skills, jsonl, opencui, nlu, chat, instruct or generated: see docs/
      path         a folder, relative to this file, or a URL of one: see docs/scale.md
      license      SPDX expression of the data's license
      on_bad_file  what a file that cannot be read does. fail: it stops the stage; reject: it goes to the ledger
      ungrounded   what a value that is not said does. reject: its row goes to the ledger; compose: it counts as
                   written by the model, which is the default of chat
      review       required: a row counts only if a person has approved it, and takes no other row's place: see
                   docs/review.md; optional: each row counts unless a person has rejected it
      today        the date that "tomorrow" refers to, in quotes; without it, such words are not grounded"""
