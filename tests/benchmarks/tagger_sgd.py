"""The tagger on the Schema-Guided Dialogue dataset: exact match of turns, and joint goal accuracy of all frames.

Run it: `python tests/benchmarks/tagger_sgd.py [TRAIN_TURNS] [EPOCHS] [TEST_DIALOGUES]`; SGD_ARCHIVE names the archive. The
dialogues are compiled in a temporary project, and the folders of the release are the splits. Turns and dialogues are
sampled by hash; without the third argument, all test dialogues are asked.

Goal accuracy is that of the challenge (DSTC8): the state of each frame of each user turn, also of turns that are no
exemplars. A state is what all calls of the dialogue until then add up to, with values as said. The tagger is asked
twice: to choose from the whole catalog, and from the services of the turn's frames, which the challenge gives. Since
states are judged after every turn, train turns that add nothing to a state, which the compiler leaves out, are trained
on as well: they call nothing.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from accounting import compile_dialogues
from sgd_archive import MISSING, find_archive, unpack_archive

from exemplars.core import layout
from exemplars.core.digests import hash_to_fraction, stamp_digest
from exemplars.core.records import Argument, Exemplar, Mode, Origin, Reason, Speaker, Turn
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.core.turns import group_by_turn
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question
from exemplars.models.tagger.calls import TaggedTurn
from exemplars.models.tagger.features import find_mentions
from exemplars.models.tagger.predictor import Tagger as Predictor
from exemplars.models.tagger.predictor import load_tagger
from exemplars.models.tagger.right_answers import is_right
from stages.evaluate.goal_accuracy import score_slots
from stages.train.params import RunParams
from stages.train.recipe_params import Tagger
from stages.train.run import keep_run
from stages.train.tagger.rows import TaggerInput
from stages.train.tagger.run import train_tagger

TRAIN_TURNS: Final = 16_000
VALIDATION_TURNS: Final = 400
SILENT: Final = frozenset({Reason.ASKS_ABOUT_RESULT, Reason.ASKS_ALTERNATIVES, Reason.NO_NEW_MEANING})
"""Why a frame that adds nothing to a state is in the ledger."""
TODAY: Final = datetime.date(2019, 3, 1)
"""On which the dialogues are set: `ingest.sources.sgd.today`."""
Row = tuple[str, bool, float]
"""What is counted, whether the service was seen in training, and a score from 0 to 1."""


class UserTurn(NamedTuple):
    """A user turn of a test dialogue, as the release has it."""

    turn: str
    """The id that its rows have."""
    dialogue: str
    question: Question
    frames: Sequence[Mapping[str, Any]]

    @property
    def services(self) -> frozenset[str]:
        """The services of its frames."""
        return frozenset(frame["service"] for frame in self.frames)


def read_user_turns(folder: Path) -> Iterator[UserTurn]:
    """Read the user turns of a split, in order."""
    for path in sorted(folder.glob("dialogues_*.json")):
        for index, dialogue in enumerate(json.loads(path.read_bytes())):
            before: list[Turn] = []
            for number, turn in enumerate(dialogue["turns"]):
                speaker = Speaker.USER if turn["speaker"] == "USER" else Speaker.ASSISTANT
                if speaker is Speaker.USER:
                    name = f"sgd:{folder.name}/{path.name}#/{index}"
                    question = Question(turn["utterance"], tuple(before), today=TODAY)
                    yield UserTurn(f"{name}/turns/{number}", name, question, turn["frames"])
                before.append(Turn(speaker, turn["utterance"]))


def make_silent_rows(turns: Iterable[UserTurn], reasons: Mapping[str, str]) -> Iterator[Exemplar]:
    """Make a row without a call of each turn whose frames all add nothing. reasons: of the rows in the ledger."""
    for turn in turns:
        ids = [f"{turn.turn}/frames/{number}" for number in range(len(turn.frames))]
        if all(reasons.get(row) in SILENT for row in ids):
            row = Exemplar(
                id=turn.turn,
                digest="",
                source="sgd",
                turn=turn.turn,
                call=0,
                service=None,
                skill=None,
                mode=Mode.NONE,
                speaker=Speaker.USER,
                utterance=turn.question.utterance,
                exemplar=turn.question.utterance,
                arguments=(),
                reply=None,
                context=tuple(turn.question.context),
                group=turn.dialogue,
                license="CC-BY-SA-4.0",
                origin=Origin(turn.dialogue, "", turn.turn),
            )
            yield stamp_digest(row)


def sample_turns(exemplars: Sequence[Exemplar], folder: str, limit: int) -> list[Exemplar]:
    """Sample turns of a folder of the release by hash, with all their rows."""
    turns = group_by_turn(row for row in exemplars if row.id.startswith(f"sgd:{folder}/"))
    chosen = sorted(turns, key=lambda turn: hash_to_fraction(turn, "tagger"))[:limit]
    return [row for turn in chosen for row in turns[turn]]


def sample_dialogues(turns: Sequence[UserTurn], limit: int) -> list[UserTurn]:
    """Sample dialogues by hash, with all their turns."""
    dialogues = sorted(
        {turn.dialogue for turn in turns}, key=lambda dialogue: hash_to_fraction(dialogue, "x")
    )
    chosen = set(dialogues[:limit])
    return [turn for turn in turns if turn.dialogue in chosen]


def answer_turns(
    tagger: Predictor, turns: Sequence[UserTurn], skills: Sequence[Skill]
) -> tuple[list[TaggedTurn], list[TaggedTurn]]:
    """Answer turns from the whole catalog, and from the services of their frames.

    The second answer is the first where that calls only skills of these services.
    """
    by_service: dict[str, set[str]] = defaultdict(set)
    for skill in skills:
        by_service[str(skill.service)].add(skill.name)
    shown = [set().union(*(by_service[service] for service in turn.services)) for turn in turns]
    free = tagger.answer([turn.question for turn in turns])
    others = [
        place
        for place, answer in enumerate(free)
        if not shown[place].issuperset(call.skill for call in answer.calls)
    ]
    again = tagger.answer([turns[place].question for place in others], [shown[place] for place in others])
    return free, [
        dict(zip(others, again, strict=True)).get(place, free[place]) for place in range(len(turns))
    ]


def find_spoken(argument: Argument, question: Question, skill: Skill) -> str:
    """Find a value as it was said, as the states of the release have it; a listed value is as the catalog has it."""
    parameter = skill.find_parameter(argument.slot)
    if parameter is not None and parameter.enum:
        return argument.value
    if argument.surface is not None:
        return argument.surface
    for turn in reversed(question.context):
        for start, end in find_mentions(turn.utterance, argument, parameter):
            return turn.utterance[start:end]
    return argument.value


def score_states(
    turns: Sequence[UserTurn],
    answers: Sequence[TaggedTurn],
    skills: Mapping[str, Skill],
    seen: Collection[str],
    name: str,
) -> Iterator[Row]:
    """Score the state of each frame: joint goal accuracy."""
    listed: dict[str, frozenset[str]] = {}
    for skill in skills.values():
        slots = frozenset(parameter.name for parameter in skill.parameters if parameter.enum)
        listed[str(skill.service)] = listed.get(str(skill.service), frozenset()) | slots
    states: dict[tuple[str, str], dict[str, tuple[str, ...]]] = defaultdict(dict)
    for turn, answer in zip(turns, answers, strict=True):
        for call in answer.calls:
            skill = skills[call.skill]
            state = states[turn.dialogue, str(skill.service)]
            for argument in call.arguments:
                state[argument.slot] = (find_spoken(argument, turn.question, skill),)
        for frame in turn.frames:
            service = frame["service"]
            expected = frame["state"]["slot_values"]
            scores = score_slots(expected, states[turn.dialogue, service], listed[service])
            yield name, service in seen, prod(scores.values())


def score_turns(
    tagger: Predictor,
    rows: Mapping[str, Sequence[Exemplar]],
    turns: Sequence[UserTurn],
    answers: Sequence[TaggedTurn],
    seen: Collection[str],
    name: str,
) -> Iterator[Row]:
    """Score the turns that are exemplars: exact match, and whether the skills are right."""
    for turn, answer in zip(turns, answers, strict=True):
        exemplars = rows.get(turn.turn)
        if exemplars is None:
            continue
        is_seen = seen >= {str(exemplar.service) for exemplar in exemplars}
        yield f"exact match, {name}", is_seen, float(is_right(answer, exemplars, tagger.skills))
        skills = sorted(exemplar.skill for exemplar in exemplars if exemplar.skill)
        yield f"skills, {name}", is_seen, float(sorted(call.skill for call in answer.calls) == skills)


def print_rows(rows: Sequence[Row]) -> None:
    """Print the mean of each thing that is counted, of all, of seen and of unseen services."""
    print(f"{'':44} {'all':>14} {'seen':>14} {'unseen':>14}")
    for name in dict.fromkeys(name for name, _, _ in rows):
        cells = []
        for wanted in ((True, False), (True,), (False,)):
            scores = [score for kind, is_seen, score in rows if kind == name and is_seen in wanted]
            cells.append(f"{sum(scores) / max(1, len(scores)):.3f} of {len(scores):5}")
        print(f"{name:44} " + " ".join(f"{cell:>14}" for cell in cells))


def train(exemplars: Sequence[Exemplar], skills: Sequence[Skill], turns: int, epochs: int) -> None:
    """Train a tagger on a sample of the train split into the working folder."""
    train_rows = sample_turns(exemplars, "train", turns)
    validation = sample_turns(exemplars, "dev", VALIDATION_TURNS)
    recipe = Tagger(epochs=epochs, dialogue_passes=1, context_turns=2)
    start, used = time.perf_counter(), time.process_time()
    trained = train_tagger(
        RunParams("tagger", recipe), TaggerInput(skills, train_rows, validation), layout.MODELS
    )
    keep_run(trained, layout.model("tagger"))
    print(
        f"{len(train_rows)} train rows of {turns} turns, {epochs} epochs: {time.perf_counter() - start:.0f} s, "
        f"{time.process_time() - used:.0f} s of processor time"
    )


def main(arguments: list[str]) -> str | None:
    """Compile, train, and print the figures."""
    if find_archive() is None:
        return MISSING
    limit = int(arguments[0]) if arguments else TRAIN_TURNS
    epochs = int(arguments[1]) if arguments[1:] else 1
    test_dialogues = int(arguments[2]) if arguments[2:] else sys.maxsize
    suppress_library_messages()
    with tempfile.TemporaryDirectory() as name:
        sgd = unpack_archive(Path(name))
        tables = compile_dialogues(Path(name) / "project", sgd)
        (Path(name) / "project/.dvc").mkdir()
        os.chdir(Path(name) / "project")
        exemplars = exemplars_from_table(read_table(tables / "exemplars.parquet", EXEMPLAR_SCHEMA))
        skills = read_catalog(layout.CATALOG)
        ledger = pl.read_parquet(tables / "rejections.parquet", columns=["id", "reason"])
        silent = make_silent_rows(read_user_turns(sgd / "train"), dict(ledger.iter_rows()))
        train([*exemplars, *silent], skills, limit, epochs)
        tagger = load_tagger(layout.model("tagger"), skills)
        turns = list(read_user_turns(sgd / "test"))
        evaluate(tagger, exemplars, sample_dialogues(turns, test_dialogues))
    return None


def evaluate(tagger: Predictor, exemplars: Sequence[Exemplar], turns: Sequence[UserTurn]) -> None:
    """Answer test turns, and print the figures."""
    seen = {str(row.service) for row in exemplars if row.id.startswith("sgd:train/")}
    of_test = group_by_turn(row for row in exemplars if row.id.startswith("sgd:test/"))
    used = time.process_time()
    free, given = answer_turns(tagger, turns, list(tagger.skills.values()))
    print(f"{len(turns)} user turns answered in {time.process_time() - used:.0f} s of processor time")
    rows: list[Row] = []
    for answers, condition in ((free, "whole catalog"), (given, "services given")):
        rows += score_turns(tagger, of_test, turns, answers, seen, condition)
        rows += score_states(
            turns, answers, tagger.skills, seen, f"joint goal accuracy of frames, {condition}"
        )
    print_rows(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
