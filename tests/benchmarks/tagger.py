"""The tagger of this workspace on the test rows, the whole catalog to choose from: `python tests/benchmarks/tagger.py`.

Run it after `dvc repro train@tagger`. `--split validation` asks the validation rows, and `--errors` prints those that
are wrong. A row is right if all calls of its turn are.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.core.turns import group_by_turn
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question
from exemplars.models.run_manifest import ROWS
from exemplars.models.tagger.calls import TaggedTurn
from exemplars.models.tagger.predictor import Tagger, load_tagger
from exemplars.models.tagger.right_answers import is_right
from exemplars.models.tagger.vocabulary import Vocabulary


def find_trained_skills(vocabulary: Vocabulary) -> frozenset[str]:
    """Find the skills that train rows call; others are known by their descriptions, or not at all."""
    return frozenset(skill.name for skill in vocabulary.skills if skill.has_rows)


def list_kinds(exemplar: Exemplar, vocabulary: Vocabulary) -> Iterator[str]:
    """The kinds of rows that a figure is printed for."""
    yield "all rows"
    yield "dialogues" if exemplar.service else f"source {exemplar.source}"
    if exemplar.skill is not None and exemplar.skill not in find_trained_skills(vocabulary):
        yield "skills without train rows"
    elif exemplar.service:
        yield "dialogues, skills with train rows"


def score(
    tagger: Tagger, turns: Sequence[Sequence[Exemplar]], answers: Sequence[TaggedTurn]
) -> dict[str, list[tuple[bool, bool, bool]]]:
    """Whether exact, whether of the right skills, and whether answered at all, by kind of row."""
    scores: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for turn, answer in zip(turns, answers, strict=True):
        exact = is_right(answer, turn, tagger.skills)
        skills = sorted(call.skill for call in answer.calls)
        same = skills == sorted(exemplar.skill for exemplar in turn if exemplar.skill)
        for exemplar in turn:
            for kind in list_kinds(exemplar, tagger.settings.vocabulary):
                scores[kind].append((exact, same, not tagger.abstains(answer)))
    return scores


def show(turn: Sequence[Exemplar], answer: TaggedTurn) -> None:
    """Print a wrong answer."""
    for before in turn[0].context[-2:]:
        print(f"    {before.speaker.value}: {before.utterance}")
    print(f"  {turn[0].id} {turn[0].utterance}")
    for exemplar in turn:
        print(
            "    right",
            exemplar.skill,
            [(a.slot, a.value, a.surface, a.grounding.value) for a in exemplar.arguments],
        )
    for call in answer.calls:
        print(
            "    answer",
            call.skill,
            [(a.slot, a.value, a.surface) for a in call.arguments],
            call.problem or "",
        )


def main() -> str | None:
    """Answer all test rows, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    suppress_library_messages()
    folder = layout.model("tagger")
    try:
        tagger = load_tagger(folder, read_catalog(layout.CATALOG))
        exemplars = exemplars_from_table(read_table(layout.split(arguments.split), EXEMPLAR_SCHEMA))
    except UserError as error:
        return str(error)
    seen = set((folder / ROWS).read_text("ascii").split())
    if leaked := [exemplar.id for exemplar in exemplars if exemplar.digest in seen]:
        return f"the run was trained on {len(leaked)} row(s) of the split: {leaked[0]}"
    turns = list(group_by_turn(exemplars).values())
    start = time.perf_counter()
    answers = tagger.answer([Question(turn[0].utterance, turn[0].context, turn[0].speaker) for turn in turns])
    seconds = time.perf_counter() - start
    if arguments.errors:
        for turn, answer in zip(turns, answers, strict=True):
            if not is_right(answer, turn, tagger.skills):
                show(turn, answer)
    print(f"{'rows':34} {'n':>5} {'exact':>6} {'skill':>6} {'answered':>8} {'exact of these':>14}")
    for kind, rows in sorted(score(tagger, turns, answers).items()):
        answered = [exact for exact, _, answers in rows if answers]
        shares = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        of_answered = sum(answered) / len(answered) if answered else 0.0
        print(
            f"{kind:34} {len(rows):5} {shares[0]:6.3f} {shares[1]:6.3f} {shares[2]:8.3f} {of_answered:14.3f}"
        )
    print(f"{len(turns) / seconds:.0f} answers a second")
    return None


if __name__ == "__main__":
    sys.exit(main())
