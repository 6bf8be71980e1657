"""`exemplars call` in a project with tiny models."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplars.core.files import write_json
from exemplars.dataset.catalog import Skill, build_tool_definition
from tests.answering.conftest import in_project, trained_project  # noqa: F401
from tests.models.tagger.rows import SKILLS

pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("in_project")


def test_an_answer_for_people_shows_the_words_and_who_answered(printed: Callable[..., str]) -> None:
    lines = printed("call", "ring dad at work", "--recipe", "tagger").splitlines()
    assert lines[:3] == [
        'call(contact="dad", device="work")',
        '  contact = "dad": "dad", characters 5 to 8',
        '  device = "work": "work", characters 12 to 16',
    ]
    assert lines[3].startswith("  by tagger, confidence ")


def test_an_answer_for_programs_is_json(printed: Callable[..., str]) -> None:
    answer = json.loads(printed("call", "ring dad at work", "--recipe", "tagger", "--format", "json"))
    assert answer["calls"][0]["arguments"] == {"contact": "dad", "device": "work"}
    assert (answer["system"], answer["calls"][0]["spans"]["contact"]["start"]) == ("tagger", 5)


def test_a_conversation_has_a_history_until_a_new_one_begins(
    printed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from exemplars.models.tagger.predictor import Tagger

    asked: list[int] = []
    answer = Tagger.answer
    monkeypatch.setattr(
        Tagger,
        "answer",
        lambda tagger, questions, shown: (
            asked.append(len(questions[0].context)) or answer(tagger, questions, shown)
        ),
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("ring mum\n\nno thanks\n/new\nring dad at work\n"))
    text = printed("call", "--interactive", "--recipe", "tagger")
    assert asked == [0, 2, 0]
    assert text.splitlines()[0] == 'call(contact="mum")'


def test_another_catalog_is_refused_by_a_tagger_alone(printed: Callable[..., str], tmp_path: Path) -> None:
    write_json(tmp_path / "tools.json", [build_tool_definition(Skill("sing"))])
    error = printed("call", "sing", "--recipe", "tagger", "--tools", str(tmp_path / "tools.json"), status=1)
    assert "a tagger answers only for the catalog of its training, not for sing; leave out --tools" in error
    write_json(tmp_path / "known.json", [build_tool_definition(SKILLS[0])])
    known = printed("call", "ring mum", "--recipe", "tagger", "--tools", str(tmp_path / "known.json"))
    assert known.startswith('call(contact="mum")')


def test_without_a_trained_model_one_sentence_says_what_to_run(
    printed: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert printed("call", "ring mum", status=1) == (
        "error: 1 problem(s) found\n"
        "  models: not_trained: there is no trained model; run `dvc repro train`, or `dvc pull` if another machine has "
        "trained it\n"
    )
