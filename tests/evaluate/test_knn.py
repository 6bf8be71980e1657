from __future__ import annotations

import numpy as np

from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import CallFormat
from stages.evaluate.knn import call_of_nearest, nearest_rows, with_examples

SKILLS = {
    "call": Skill("call", parameters=(Parameter("contact"), Parameter("device", enum=("home", "work"))))
}


def answer(slot: str, *accepted: str) -> dict[str, object]:
    return {"slot": slot, "value": accepted[0], "accepted": list(accepted), "grounding": "verbatim"}


def test_nearest_rows_come_first_and_ties_go_to_the_first_place() -> None:
    train = np.eye(3, dtype=np.float32)
    asked = np.array([[0, 1, 0], [0.6, 0, 0.8], [1, 0, 0]], dtype=np.float32)
    assert nearest_rows(asked, train, 2).tolist() == [[1, 0], [2, 0], [0, 1]]
    assert nearest_rows(asked, train, 9).shape == (3, 3)


def test_call_of_the_nearest_keeps_the_values_that_the_utterance_holds() -> None:
    near = {"call": "call", "answers": [answer("contact", "mum"), answer("device", "work")]}
    assert call_of_nearest("ring mum now", near, SKILLS, CallFormat.PYTHON) == 'call(contact="mum")'
    assert call_of_nearest("ring mummy", near, SKILLS, CallFormat.PYTHON) == "call()"


def test_nearest_that_calls_nothing_answers_none() -> None:
    assert call_of_nearest("thanks", {"call": None, "answers": []}, SKILLS, CallFormat.PYTHON) == "None"


def test_examples_stand_behind_the_system_message_the_nearest_last() -> None:
    def turns(*pairs: tuple[str, str]) -> list[dict[str, str]]:
        return [{"role": role, "content": content} for role, content in pairs]

    prompt = turns(("system", "tools"), ("user", "now"))
    near = turns(("system", "other"), ("user", "u1"), ("assistant", "a1"))
    far = turns(("system", "other"), ("assistant", "before"), ("user", "u2"), ("assistant", "a2"))
    assert with_examples(prompt, [near, far]) == turns(
        ("system", "tools"),
        ("user", "u2"),
        ("assistant", "a2"),
        ("user", "u1"),
        ("assistant", "a1"),
        ("user", "now"),
    )
