"""A tagger with its files: saved, loaded, and refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.questions import Question
from exemplars.models.run_manifest import load_run, read_manifest
from tests.models.tagger.rows import SKILLS
from tests.train.tagger.trained import train_tiny

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny tagger that has learned the rows of the tests by heart."""
    root = tmp_path_factory.mktemp("tagger")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return root / train_tiny(epochs=40)[1]


def ask(folder: Path, *utterances: str, **settings: Any) -> list[Any]:
    from exemplars.models.tagger.predictor import load_tagger

    tagger = load_tagger(folder, SKILLS)
    tagger.settings = msgspec.structs.replace(tagger.settings, **settings)
    return tagger.answer([Question(utterance) for utterance in utterances])


def test_what_was_learned_is_answered_with_spans_and_canonical_values(folder: Path) -> None:
    timer, none, home = ask(folder, "set a timer for ten minutes", "no thanks", "ring ann on the landline")
    [call] = timer.calls
    assert (call.skill, [(a.slot, a.value, a.surface) for a in call.arguments]) == (
        "set_timer",
        [("minutes", "10", "ten")],
    )
    assert none.calls == ()
    assert [(a.slot, a.value, a.start) for a in home.calls[0].arguments] == [
        ("contact", "ann", 5),
        ("device", "home", None),
    ]


def test_a_question_is_answered_with_the_service_of_the_last_call_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exemplars.models.tagger import predictor

    asked: list[tuple[str, str | None]] = []
    assemble = predictor.assemble_turn

    def record(logits: Any, encoded: Any, *rest: Any) -> Any:
        asked.append((encoded.texts[0], rest[-1]))
        return assemble(logits, encoded, *rest)

    monkeypatch.setattr(predictor, "assemble_turn", record)
    tagger = predictor.load_tagger(folder)
    tagger.skills = {
        name: msgspec.structs.replace(skill, service="S") for name, skill in tagger.skills.items()
    }
    turns = [
        Turn(Speaker.USER, "ring mum"),
        Turn(Speaker.ASSISTANT, "At home?"),
        Turn(Speaker.USER, "no thanks"),
    ]
    tagger.answer([Question("no thanks", turns[:2]), Question("ring mum", turns)])
    assert asked == [("ring mum", None), ("no thanks", "S"), ("ring mum", "S")]
    tagger.answer([Question("no thanks", turns[:2])])
    assert len(asked) == 3  # What was answered before is remembered.


def test_a_value_of_an_earlier_turn_is_answered(folder: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    turns = (Turn(Speaker.USER, "weather please"), Turn(Speaker.ASSISTANT, "In Rome?"))
    [call] = load_tagger(folder).answer([Question("yes, that one", turns)])[0].calls
    assert (call.skill, [(a.slot, a.value) for a in call.arguments]) == ("weather", [("location", "Rome")])


def test_answers_do_not_depend_on_what_else_is_asked(folder: Path) -> None:
    utterances = ["ring mum", "weather in Oslo", "ring dad at work", "no thanks, timer for 5 minutes please"]
    together = ask(folder, *utterances)
    alone = [ask(folder, utterance)[0] for utterance in utterances]
    calls = [[call[:2] for call in answer.calls] for answer in together]
    assert calls == [[call[:2] for call in answer.calls] for answer in alone]
    assert [answer.score for answer in together] == pytest.approx(
        [answer.score for answer in alone], abs=1e-4
    )


def test_only_what_is_shown_is_called(folder: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    tagger = load_tagger(folder)
    question = Question("ring mum")
    answers = tagger.answer([question] * 3, [["call", "weather"], ["weather", "unknown"], []])
    assert [[call.skill for call in answer.calls] for answer in answers][::2] == [["call"], []]
    assert {call.skill for call in answers[1].calls} <= {"weather"}


def test_an_utterance_that_does_not_fit_is_not_answered(folder: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    long, short = ask(folder, "ring " * 100, "ring mum")
    assert long.problem.startswith("found an utterance of 102 tokens, expected at most 48 tokens")
    assert ([call.skill for call in long.calls], [call.skill for call in short.calls]) == ([], ["call"])
    assert load_tagger(folder).abstains(long)


def test_a_catalog_that_changed_since_the_training_is_refused_with_its_skills(folder: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    changed = [Skill("call", parameters=(Parameter("contact"),)), SKILLS[1], Skill("sing")]
    with pytest.raises(
        UserError, match="found skills that changed since the training: call, weather, expected"
    ):
        load_tagger(folder, changed)


def test_new_skills_of_a_catalog_are_no_change(folder: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    assert set(load_tagger(folder, [*SKILLS, Skill("sing")]).skills) == {"call", "set_timer", "weather"}


def test_weights_that_are_not_those_of_the_manifest_are_refused(folder: Path, tmp_path: Path) -> None:
    from exemplars.models.tagger.predictor import load_tagger

    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "weights/tagger.json").write_text("{}")
    with pytest.raises(UserError, match="found other weights, expected those of its manifest"):
        load_tagger(copy)


def test_a_tagger_is_not_loaded_as_a_language_model(folder: Path) -> None:
    run = read_manifest(folder).run
    with pytest.raises(UserError, match=f"found {run}, a tagger"):
        load_run(folder)
