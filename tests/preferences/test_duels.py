from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exemplars.core.conditions import Condition
from exemplars.core.errors import UserError
from exemplars.models.calls import CallFormat
from exemplars.models.preference_rows import PreferencePair, PreferredCall, Verdict
from exemplars.preferences.duels import Decision, Duel, DuelList, list_duels, make_judgment
from tests.preferences.answers import ANSWERS, ROWS, make_answer

EXEMPLARS = {row.id: row for row in ROWS}


def list_for(judge: str = "Kim", pairs: list[PreferencePair] | None = None, **options: Any) -> DuelList:
    answers = [msgspec.structs.asdict(answer) for answer in options.pop("answers", ANSWERS)]
    return list_duels(answers, EXEMPLARS, pairs or [], judge, **options)


def decide(duel: Duel, decision: Decision) -> PreferencePair:
    return make_judgment(duel, decision, CallFormat.PYTHON, "Kim", "p1", "2026-11-27T20:00:00Z")


def test_rows_on_which_both_say_the_same_are_not_shown() -> None:
    duels = list_for()
    assert sorted(duel.exemplar.utterance for duel in duels.open) == ["ring Ada", "ring Bo"]
    assert (duels.judged, duels.same) == (0, 1)


def test_what_was_judged_is_not_shown_to_the_same_judge_again() -> None:
    first, second = list_for().open
    pairs = [decide(first, Decision.TIE)]
    assert list_for(pairs=pairs) == DuelList((second,), 1, 1)
    assert len(list_for("Lee", pairs).open) == 2


def test_the_side_of_a_system_depends_on_the_row_and_the_judge_alone() -> None:
    answers = [make_answer(row, system, system) for row in ROWS for system in ("a", "b")]
    sides = {
        judge: [duel.left.system for duel in list_for(judge, answers=answers).open]
        for judge in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")
    }
    left = [system for systems in sides.values() for system in systems]
    assert 6 <= left.count("a") <= 18
    assert sides["Ada"] == [duel.left.system for duel in list_for("Ada", answers=answers[::-1]).open]


@pytest.mark.parametrize(
    ("decision", "better", "verdict"),
    [
        (Decision.LEFT, "left", Verdict.CHOSEN),
        (Decision.RIGHT, "right", Verdict.CHOSEN),
        (Decision.TIE, "left", Verdict.TIE),
        (Decision.NEITHER, "left", Verdict.NEITHER),
    ],
)
def test_a_decision_is_a_line_with_both_answers(decision: Decision, better: str, verdict: Verdict) -> None:
    duel = next(duel for duel in list_for().open if duel.exemplar is ROWS[0])
    pair = decide(duel, decision)
    chosen = getattr(duel, better)
    rejected = duel.left if chosen is duel.right else duel.right
    sides: dict[str, Any] = {"lora": (PreferredCall("call", {"contact": "Ada"}),), "tagger": ()}
    assert (pair.row, pair.verdict, pair.judge) == (ROWS[0].digest, verdict, "Kim")
    assert (pair.chosen_by, pair.rejected_by) == (chosen.system, rejected.system)
    assert (pair.chosen, pair.rejected) == (sides[chosen.system], sides[rejected.system])
    is_error = verdict == Verdict.CHOSEN and rejected.system == "tagger"
    assert pair.kind == ("missed_call" if is_error else None)


def test_an_answer_that_is_no_call_stays_text_and_another_condition_is_named() -> None:
    duel = next(duel for duel in list_for().open if duel.exemplar is ROWS[1])
    assert "I will ring Bo." in (decide(duel, Decision.LEFT).chosen, decide(duel, Decision.LEFT).rejected)
    (oracle,) = list_for(condition=Condition.ORACLE).open
    assert sorted((oracle.left.system, oracle.right.system)) == ["lora (oracle)", "tagger (oracle)"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"systems": ["lora", "tager"]}, "--systems: unknown_system: found the system tager, expected one of lora, tagger; "
         "did you mean 'tagger'?"),
        ({"systems": ["lora", "lora"]}, r"--systems: no_pair: found 1 system\(s\) under the condition end_to_end, expected at "
         "least two; name two systems"),
        ({"answers": ANSWERS[:1]}, r"found 1 system\(s\) .* expected at least two; add a run to train.runs"),
    ],
)  # fmt: skip
def test_one_system_is_compared_with_nothing(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        list_for(**options)
