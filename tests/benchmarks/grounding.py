"""How well values are located in real dialogues, with the given spans hidden.

Run it: `python tests/benchmarks/grounding.py`. Counted are the values of free slots that user turns
inform and whose span SGD gives. (a) from the value as spoken; (b) from the canonical value alone, with
aliases learned from the states of the train split.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sgd_archive import unpack

from exemplars.core.records import DONTCARE, LabelledArgument
from exemplars.dataset.catalog import Parameter
from stages.compile.grounding import Lexicon, locate
from stages.ingest.aliases import ALIASES, learn_aliases
from stages.ingest.sgd.dialogues import Dialogue, decode_dialogues
from stages.ingest.sgd.schema import Service, decode_schema
from stages.ingest.sgd.source import variants_of

TODAY = datetime.date(2019, 3, 1)


class Score(NamedTuple):
    """Counts of values."""

    values: int
    located: int
    """Values with exactly one place."""
    right: int
    """Values whose one place is the given span."""

    @property
    def located_share(self) -> float:
        """Of all values."""
        return self.located / self.values

    @property
    def right_share(self) -> float:
        """Of the located ones."""
        return self.right / self.located


class _Given(NamedTuple):
    utterance: str
    slot: str
    spoken: str
    canonical: str
    span: tuple[int, int]


def learned(root: Path) -> Lexicon:
    """The aliases that the train split teaches."""
    services, dialogues = _split(root, "train")
    variants = set().union(*(variants_of(one, services) for one in dialogues))
    return Lexicon(learn_aliases(sorted(variants)))


def score(root: Path, split: str, lexicon: Lexicon, *, spoken: bool) -> Score:
    """Locate every value of a split: as spoken, or from its canonical form."""
    parameter = Parameter("value", recognizer=ALIASES)
    values = located = right = 0
    for one in _given(root, split):
        label = LabelledArgument(one.slot, one.canonical, (one.spoken,) if spoken else ())
        places = locate(label, one.utterance, parameter, lexicon, TODAY)
        values += 1
        located += len(places) == 1
        right += len(places) == 1 and (places[0].start, places[0].end) == one.span
    return Score(values, located, right)


def _split(root: Path, split: str) -> tuple[dict[str, Service], list[Dialogue]]:
    services = decode_schema(split, (root / split / "schema.json").read_bytes())
    files = sorted((root / split).glob("dialogues_*.json"))
    dialogues = [one for file in files for _, one in decode_dialogues(file.name, file.read_bytes()).dialogues]
    return {one.service_name: one for one in services}, dialogues


def _given(root: Path, split: str) -> Iterator[_Given]:
    services, dialogues = _split(root, split)
    for dialogue in dialogues:
        for turn in dialogue.turns:
            for frame in turn.frames if turn.speaker == "USER" else ():
                spans = {one.slot: (one.start or 0, one.exclusive_end or 0) for one in frame.slots}
                for action in frame.actions:
                    free = action.act == "INFORM" and action.slot in spans and action.values[0] != DONTCARE
                    if free and not services[frame.service].slot_by_name[action.slot].is_categorical:
                        yield _Given(
                            turn.utterance,
                            action.slot,
                            action.values[0],
                            action.canonical_values[0],
                            spans[action.slot],
                        )


def main() -> None:
    """Print the scores of all splits."""
    with tempfile.TemporaryDirectory() as folder:
        root = unpack(Path(folder))
        lexicon = learned(root)
        for split in ("train", "dev", "test"):
            for name, spoken in (("as spoken", True), ("canonical", False)):
                one = score(root, split, lexicon, spoken=spoken)
                print(
                    f"{split:6} {name:10} {one.values:6} values, {one.located_share:8.3%} located, "
                    f"{one.right_share:8.3%} of them right"
                )


if __name__ == "__main__":
    main()
