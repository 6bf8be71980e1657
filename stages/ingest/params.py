"""The section `ingest` of `params.yaml`."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from exemplars.core.names import Name


class OnBadFile(StrEnum):
    """What happens if a file cannot be read at all."""

    FAIL = "fail"
    """The stage fails."""
    REJECT = "reject"
    """The file is rejected, and the others are read."""


class BaseSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="format"):
    """The keys that every source has."""

    path: str
    license: str
    on_bad_file: OnBadFile = OnBadFile.FAIL


class SgdSource(BaseSource, tag="sgd", frozen=True, forbid_unknown_fields=True):
    """Dialogues in the format of the Schema-Guided Dialogue dataset."""

    splits: tuple[Literal["train", "dev", "test"], ...] = ("train", "dev", "test")
    """The folders of the release to read; empty: the path itself is one."""
    today: datetime.date | None = None
    learn_aliases_from: tuple[Literal["train", "dev", "test"], ...] = ("train",)
    """The folders whose dialogues teach other names of a value."""


class SkillsSource(BaseSource, tag="skills", frozen=True, forbid_unknown_fields=True):
    """Skill example files."""

    none_skill: str | None = None
    """The skill whose examples ask for nothing."""
    today: datetime.date | None = None


class JsonlSource(BaseSource, tag="jsonl", frozen=True, forbid_unknown_fields=True):
    """FullExemplar JSONL: examples that already have labels."""

    today: datetime.date | None = None


class OpencuiSource(BaseSource, tag="opencui", frozen=True, forbid_unknown_fields=True):
    """An OpenCUI bot, or a folder of bots."""

    instances_a_template: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    """The maximum number of records per template."""
    today: datetime.date | None = None


AnySource = SgdSource | SkillsSource | JsonlSource | OpencuiSource


class IngestParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `ingest`."""

    context_turns: Annotated[int, msgspec.Meta(ge=0)]
    """The maximum number of turns before an utterance that its row keeps."""
    sources: dict[Name, AnySource]
