"""The section `split` of `params.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from exemplars.core.ids import SplitName
from exemplars.core.names import Name

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Similarity = Annotated[float, msgspec.Meta(ge=0.5, le=1)]
"""Below 0.5, MinHash misses too many pairs."""


class Official(StrEnum):
    """What to do with the splits that a source prescribes."""

    KEEP = "keep"
    REHASH = "rehash"


class Ratios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of the groups that each split gets; they sum to 1."""

    train: Share = 0.8
    validation: Share = 0.1
    test: Share = 0.1

    def __post_init__(self) -> None:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"Expected shares that sum to 1, got a sum of {total:g}")


class Leaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a train row counts as leaked."""

    context_turns: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Number of preceding turns that must be equal, too, for a train row to count as leaked from validation or
    test. 0: the same utterance or template is enough."""
    against: tuple[Name, ...] = ()
    """Test sets of other people, each in a folder of that name in data/raw/against: *.txt, *.json, *.jsonl or
    *.parquet. Train rows whose utterance or template is in one of them, or nearly so, leave train."""
    similarity: Similarity = 0.8
    """Minimum Jaccard similarity, as in curate.duplicates, of a train row and a text of these sets."""


class SplitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How groups are assigned to splits."""

    ratios: Ratios = Ratios()
    """Share of the groups (dialogues, clusters of skill examples) in each split; the three sum to 1."""
    salt: str = "exemplars-1"
    """Seeds the choice of splits: another text gives different splits."""
    official: Official = Official.KEEP
    """The splits that a source prescribes (SGD's folders). keep: keep them; rehash: assign their groups like all
    others, but for generated rows, which are in train alone."""
    leaks: Leaks = Leaks()
    speech: tuple[SplitName, ...] = ("test",)
    """The splits whose speech views, rows as a speech recognizer would write them, are in
    data/splits/speech.parquet: test for an evaluation slice, train for more training rows."""
