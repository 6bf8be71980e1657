"""What alignment reads: rendered preferences, or chat rows whose answers are rewarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.models.preference_rows import PREFERENCE_SCHEMA
from exemplars.models.render_manifest import RenderManifest, get_attached_manifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View


class PreferenceTokens(msgspec.Struct, frozen=True, gc=False):
    """The columns of a `PreferenceRow` that training reads."""

    id: str
    digest: str
    digests: tuple[str, ...]
    group: str
    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]

    @property
    def is_pair(self) -> bool:
        """Whether it has both sides; otherwise it is one labeled side."""
        return bool(self.chosen_ids and self.rejected_ids)

    @property
    def seen(self) -> tuple[str, ...]:
        """The digests of what a training sees of it: its own, and those of the rows that it is about."""
        return (self.digest, *self.digests)


class PreferenceInput(NamedTuple):
    """What a model is aligned by, if people or errors said what is better."""

    rendered: RenderManifest
    train: Sequence[PreferenceTokens]
    validation: Sequence[PreferenceTokens]


class RewardInput(NamedTuple):
    """What a model is aligned by, if a judge rewards its answers."""

    rendered: RenderManifest
    rows: Sequence[TrainingRow]
    """The train rows of the view `call`."""
    skills: Mapping[str, Skill]
    """The catalog, by name."""


def read_preference_input() -> PreferenceInput:
    """Read the rendered preferences. Raises `UserError` if a table is missing or unreadable."""
    (train, rendered), (validation, _) = map(_read_preferences, ("train", "validation"))
    return PreferenceInput(rendered, train, validation)


def read_reward_input() -> RewardInput:
    """Read the train rows and the catalog. Raises `UserError` if a file is missing or unreadable."""
    path = layout.training("train")
    table = read_table(path, TRAINING_SCHEMA)
    rows = [row for row in rows_from_table(table, TrainingRow) if row.view == View.CALL]
    skills = {skill.name: skill for skill in read_catalog(layout.CATALOG)}
    return RewardInput(get_attached_manifest(table, path), rows, skills)


def _read_preferences(split: str) -> tuple[list[PreferenceTokens], RenderManifest]:
    path = layout.preferences(split)
    table = read_table(path, PREFERENCE_SCHEMA, PreferenceTokens.__struct_fields__)
    return rows_from_table(table, PreferenceTokens), get_attached_manifest(table, path)
