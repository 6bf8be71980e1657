"""The tagger of this workspace on the test rows, the whole catalog to choose from: `python tests/benchmarks/tagger.py`.

Run it after `dvc exp run -S train.recipe=tagger train`. A row is right if the skill and all arguments are. Rows of one
turn are counted each: a tagger answers one call.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question
from exemplars.models.run_manifest import ROWS
from exemplars.models.tagger.calls import TaggedCall, is_right
from exemplars.models.tagger.predictor import Tagger, load_tagger
from exemplars.models.tagger.vocabulary import Vocabulary


def list_kinds(exemplar: Exemplar, vocabulary: Vocabulary) -> Iterator[str]:
    """The kinds of rows that a figure is printed for."""
    yield "all rows"
    yield "dialogues" if exemplar.service else f"source {exemplar.source}"
    if vocabulary.number_skill(exemplar.skill) is None:
        yield "skills without train rows"
    elif exemplar.service:
        yield "dialogues, skills with train rows"


def score(
    tagger: Tagger, exemplars: Sequence[Exemplar], calls: Sequence[TaggedCall]
) -> dict[str, list[tuple[bool, bool, bool]]]:
    """Whether exact, whether of the right skill, and whether answered at all, by kind of row."""
    skills = {skill.name: skill for skill in read_catalog(layout.CATALOG)}
    scores: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for exemplar, call in zip(exemplars, calls, strict=True):
        exact = is_right(call, exemplar, skills.get(exemplar.skill or ""))
        for kind in list_kinds(exemplar, tagger.settings.vocabulary):
            scores[kind].append((exact, call.skill == exemplar.skill, not tagger.abstains(call)))
    return scores


def main() -> str | None:
    """Answer all test rows, and print the figures."""
    suppress_library_messages()
    folder = layout.model("tagger")
    try:
        tagger = load_tagger(folder, read_catalog(layout.CATALOG))
        exemplars = exemplars_from_table(read_table(layout.split("test"), EXEMPLAR_SCHEMA))
    except UserError as error:
        return str(error)
    seen = set((folder / ROWS).read_text("ascii").split())
    if leaked := [exemplar.id for exemplar in exemplars if exemplar.digest in seen]:
        return f"the run was trained on {len(leaked)} test row(s): {leaked[0]}"
    start = time.perf_counter()
    calls = tagger.answer([Question(row.utterance, row.context, row.speaker) for row in exemplars])
    seconds = time.perf_counter() - start
    print(f"{'rows':34} {'n':>5} {'exact':>6} {'skill':>6} {'answered':>8} {'exact of these':>14}")
    for kind, rows in sorted(score(tagger, exemplars, calls).items()):
        answered = [exact for exact, _, answers in rows if answers]
        shares = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        of_answered = sum(answered) / len(answered) if answered else 0.0
        print(
            f"{kind:34} {len(rows):5} {shares[0]:6.3f} {shares[1]:6.3f} {shares[2]:8.3f} {of_answered:14.3f}"
        )
    print(f"{len(exemplars) / seconds:.0f} answers a second")
    return None


if __name__ == "__main__":
    sys.exit(main())
