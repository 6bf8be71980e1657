"""Answers a second of the tagger and of the language model, to the same questions about the whole catalog, in one run.

Run it after `dvc repro train`: `python tests/benchmarks/answers.py [QUESTIONS]`. The questions are turns of the test
split, asked one by one, as a program asks them. Both take processor time, so that other work on the machine counts little.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from exemplars.answering.loading import list_runs, load_system
from exemplars.answering.systems import System, TaggerSystem, Task
from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.core.turns import group_by_turn
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question

QUESTIONS = 40


def read_questions(count: int) -> list[Question]:
    """Turns of the test split, at regular distances."""
    rows = exemplars_from_table(read_table(layout.split("test"), EXEMPLAR_SCHEMA))
    turns = [calls[0] for calls in group_by_turn(rows).values()]
    chosen = turns[:: max(1, len(turns) // count)][:count]
    return [Question(row.utterance, row.context, row.speaker) for row in chosen]


def measure(system: System, questions: Sequence[Question]) -> float:
    """Answers a second; the first answer, which loads what is loaded once, does not count."""
    system.answer(Task(questions[0]))
    start = time.process_time()
    for question in questions:
        system.answer(Task(question))
    return len(questions) / (time.process_time() - start)


def main(count: int) -> None:
    """Measure each trained run, and print how many times as fast the tagger is."""
    suppress_library_messages()
    questions = read_questions(count)
    systems = sorted(
        (load_system(run.recipe) for run in list_runs()),
        key=lambda system: not isinstance(system, TaggerSystem),
    )
    speeds = {system.name: measure(system, questions) for system in systems}
    for name, speed in speeds.items():
        ratio = next(iter(speeds.values())) / speed
        print(f"{name}: {speed:.1f} answers a second; {next(iter(speeds))} gives {ratio:.1f} times as many")


if __name__ == "__main__":
    sys.exit(run_main(lambda: main(int(sys.argv[1]) if sys.argv[1:] else QUESTIONS)))
