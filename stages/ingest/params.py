"""The section `ingest` of `params.yaml`."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Literal

import msgspec


class OnBadFile(StrEnum):
    """What a file that cannot be read at all does."""

    FAIL = "fail"
    REJECT = "reject"


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="format"):
    """What every source declares."""

    path: str
    license: str
    on_bad_file: OnBadFile = OnBadFile.FAIL


class SgdSource(Source, tag="sgd", frozen=True, forbid_unknown_fields=True):
    """Dialogues in the format of the Schema-Guided Dialogue data set."""

    splits: tuple[Literal["train", "dev", "test"], ...] = ("train", "dev", "test")
    today: datetime.date | None = None
    learn_aliases_from: tuple[Literal["train", "dev", "test"], ...] = ("train",)


class SkillsSource(Source, tag="skills", frozen=True, forbid_unknown_fields=True):
    """Skill example files."""

    none_skill: str | None = None
    today: datetime.date | None = None


class JsonlSource(Source, tag="jsonl", frozen=True, forbid_unknown_fields=True):
    """FullExemplar JSONL: examples that are labelled already."""

    today: datetime.date | None = None


class OpencuiSource(Source, tag="opencui", frozen=True, forbid_unknown_fields=True):
    """An OpenCUI bot, or a folder of bots."""

    instances_a_template: int = 20
    today: datetime.date | None = None


AnySource = SgdSource | SkillsSource | JsonlSource | OpencuiSource


class IngestParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `ingest` reads, and how."""

    context_turns: int
    sources: dict[str, AnySource]
