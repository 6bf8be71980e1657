"""How well values are located in real dialogues, with the given spans hidden.

Run it: `python tests/benchmarks/grounding.py [--small]`. The values counted are those of free slots that user
turns inform and whose span SGD gives: (a) located from the value as spoken; (b) from the canonical value alone,
with aliases learned from the states of the train split.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hidden_spans import Score
from sgd_archive import MISSING, find_dialogues

from exemplars.core.records import DONTCARE, LabelledArgument
from exemplars.dataset.parameters import Parameter
from stages.compile.grounding import find_matches
from stages.compile.lexicon import Lexicon
from stages.ingest.aliases import ALIASES, AliasLearner
from stages.ingest.sgd.dialogues import Dialogue, decode_dialogues
from stages.ingest.sgd.schema import Service, decode_schema
from stages.ingest.sgd.source import collect_variants

TODAY = datetime.date(2019, 3, 1)


class _Given(NamedTuple):
    utterance: str
    slot: str
    spoken: str
    canonical: str
    span: tuple[int, int]


def learn_lexicon(root: Path) -> Lexicon:
    """Learn aliases from the train split."""
    services, dialogues = _split(root, "train")
    learner = AliasLearner()
    for dialogue in dialogues:
        learner.add(collect_variants(dialogue, services))
    return Lexicon(learner.build())


def score_split(root: Path, split: str, lexicon: Lexicon, *, spoken: bool) -> Score:
    """Locate every value of a split: as spoken, or from its canonical form."""
    parameter = Parameter("value", recognizer=ALIASES)
    count = located = right = 0
    for value in _given(root, split):
        label = LabelledArgument(value.slot, value.canonical, (value.spoken,) if spoken else ())
        places = find_matches(label, value.utterance, parameter, lexicon, TODAY)
        count += 1
        located += len(places) == 1
        right += len(places) == 1 and (places[0].start, places[0].end) == value.span
    return Score(count, located, right)


def _split(root: Path, split: str) -> tuple[dict[str, Service], list[Dialogue]]:
    services = decode_schema(split, (root / split / "schema.json").read_bytes())
    files = sorted((root / split).glob("dialogues_*.json"))
    dialogues = [
        dialogue for file in files for _, dialogue in decode_dialogues(file.name, file.read_bytes()).dialogues
    ]
    return {service.service_name: service for service in services}, dialogues


def _given(root: Path, split: str) -> Iterator[_Given]:
    services, dialogues = _split(root, split)
    for dialogue in dialogues:
        for turn in dialogue.turns:
            for frame in turn.frames if turn.speaker == "USER" else ():
                spans = {slot.slot: (slot.start or 0, slot.exclusive_end or 0) for slot in frame.slots}
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


def print_scores(root: Path) -> None:
    """Print the scores of all splits that have values."""
    lexicon = learn_lexicon(root)
    for split in ("train", "dev", "test"):
        for name, spoken in (("as spoken", True), ("canonical", False)):
            score = score_split(root, split, lexicon, spoken=spoken)
            if score.values:
                print(
                    f"{split:6} {name:10} {score.values:6} values, {score.located_share:8.3%} located, "
                    f"{score.right_share:8.3%} of them right"
                )


def main(small: bool) -> None:
    """Print the scores of the archive, or of the default data."""
    with tempfile.TemporaryDirectory() as name:
        data = find_dialogues(Path(name), small)
        print(MISSING) if data is None else print_scores(data)


if __name__ == "__main__":
    main("--small" in sys.argv[1:])
