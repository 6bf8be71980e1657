"""The tagger on SNIPS (seven intents): share of utterances whose intent and slots are all right.

Run it: `python tests/benchmarks/tagger_snips.py [EPOCHS]`. The data is compiled in a temporary project. The archive has
the train files alone, so that 100 utterances per intent are held out by hash; equal texts are on the same side.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlu import compile_set
from real_archive import MISSING, find_archive, unpack_archive

from exemplars.core import layout
from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.texts import make_equality_key
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question
from exemplars.models.tagger.calls import TaggedTurn
from exemplars.models.tagger.predictor import load_tagger
from exemplars.models.tagger.right_answers import is_right
from stages.train.params import RunParams
from stages.train.recipe_params import Tagger
from stages.train.run import keep_run
from stages.train.tagger.rows import TaggerInput
from stages.train.tagger.run import train_tagger

HELD_OUT = 100
"""Utterances of each intent, for the test; half as many are for validation."""


def split_by_hash(exemplars: Sequence[Exemplar]) -> tuple[list[Exemplar], list[Exemplar], list[Exemplar]]:
    """Split rows into train, validation and test: of each intent, the first texts by hash are held out."""
    by_intent: dict[str, dict[str, list[Exemplar]]] = defaultdict(lambda: defaultdict(list))
    for exemplar in exemplars:
        by_intent[str(exemplar.skill)][make_equality_key(exemplar.utterance)].append(exemplar)
    splits: tuple[list[Exemplar], list[Exemplar], list[Exemplar]] = ([], [], [])
    for by_text in by_intent.values():
        ordered = sorted(by_text, key=lambda text: hash_to_fraction(text, "snips"))
        for place, text in enumerate(ordered):
            which = 2 if place < HELD_OUT else 1 if place < HELD_OUT * 3 // 2 else 0
            splits[which].extend(by_text[text][: None if which == 0 else 1])
    return splits


def list_kinds(exemplar: Exemplar, answer: TaggedTurn, exact: bool) -> Iterator[tuple[str, bool]]:
    """What is counted of an answer."""
    has_intent = [call.skill for call in answer.calls] == [exemplar.skill]
    yield "intent", has_intent
    yield "whole frame", exact
    yield f"  {exemplar.skill}", exact


def main(arguments: list[str]) -> str | None:
    """Compile, train, and print the figures."""
    if find_archive() is None:
        return MISSING
    suppress_library_messages()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = compile_set(unpack_archive(folder) / "snips", folder)
        (folder / ".dvc").mkdir()
        os.chdir(folder)
        exemplars = exemplars_from_table(read_table(tables / "exemplars.parquet", EXEMPLAR_SCHEMA))
        train, validation, test = split_by_hash(exemplars)
        skills = read_catalog(layout.CATALOG)
        recipe = Tagger(epochs=int(arguments[0]) if arguments else 4, batch_rows=32)
        params = RunParams("tagger", recipe)
        start = time.perf_counter()
        keep_run(
            train_tagger(params, TaggerInput(skills, train, validation), layout.MODELS),
            layout.model("tagger"),
        )
        print(f"{len(train)} train rows, {recipe.epochs} epochs, {time.perf_counter() - start:.0f} s")
        tagger = load_tagger(layout.model("tagger"), skills)
        answers = tagger.answer([Question(exemplar.utterance) for exemplar in test])
        counts: dict[str, list[bool]] = defaultdict(list)
        for exemplar, answer in zip(test, answers, strict=True):
            for kind, is_good in list_kinds(exemplar, answer, is_right(answer, [exemplar], tagger.skills)):
                counts[kind].append(is_good)
    for kind, flags in counts.items():
        print(f"{kind:28} {len(flags):4} {sum(flags) / len(flags):.3f}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
