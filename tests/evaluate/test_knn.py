from __future__ import annotations

import numpy as np

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import CallFormat
from exemplars.models.rows import Answer, Message, TargetCall
from stages.evaluate.knn import insert_examples, order_by_similarity, predict_from_neighbor
from tests.chat_rows import make_training_row

SKILLS = {
    "call": Skill("call", parameters=(Parameter("contact"), Parameter("device", enum=("home", "work"))))
}


def answer(slot: str, *accepted: str) -> Answer:
    return Answer(slot, accepted[0], accepted, "verbatim")


def test_nearest_rows_come_first_and_ties_go_to_the_first_place() -> None:
    train = np.eye(3, dtype=np.float32)
    asked = np.array([[0, 1, 0], [0.6, 0, 0.8], [1, 0, 0]], dtype=np.float32)
    assert order_by_similarity(asked, train).tolist() == [[1, 0, 2], [2, 0, 1], [0, 1, 2]]


def test_the_call_of_the_nearest_row_keeps_the_values_in_the_utterance() -> None:
    neighbor = make_training_row(
        calls=(TargetCall("call", (answer("contact", "mum"), answer("device", "work"))),)
    )
    assert (
        predict_from_neighbor("ring mum now", [neighbor], SKILLS, CallFormat.PYTHON) == 'call(contact="mum")'
    )
    assert predict_from_neighbor("ring mummy", [neighbor], SKILLS, CallFormat.PYTHON) == "call()"


def test_a_value_is_in_the_utterance_only_with_its_signs() -> None:
    neighbor = make_training_row(calls=(TargetCall("call", (answer("contact", "C"),)),))
    assert predict_from_neighbor("find C++", [neighbor], SKILLS, CallFormat.PYTHON) == "call()"
    assert predict_from_neighbor("find C?", [neighbor], SKILLS, CallFormat.PYTHON) == 'call(contact="C")'


def test_all_calls_of_the_nearest_row_are_predicted_and_a_list_only_as_a_whole() -> None:
    items = {"type": "array", "items": {"type": "string"}}
    skills = {
        **SKILLS,
        "order": Skill("order", parameters=(Parameter("dishes", type="array", schema=items),)),
    }
    order = TargetCall("order", (answer("dishes[0]", "soup"), answer("dishes[1]", "pie")))
    neighbor = make_training_row(calls=(TargetCall("call", (answer("contact", "mum"),)), order))
    for text, predicted in (
        ("order soup and pie", '[call(), order(dishes=["soup", "pie"])]'),
        ("ring mum, order pie", '[call(contact="mum"), order()]'),
    ):
        assert predict_from_neighbor(text, [neighbor], skills, CallFormat.PYTHON) == predicted


def test_a_nearest_row_that_calls_nothing_predicts_no_call() -> None:
    neighbor = make_training_row(calls=())
    assert predict_from_neighbor("thanks", [neighbor], SKILLS, CallFormat.PYTHON) == "None"
    assert predict_from_neighbor("thanks", [], SKILLS, CallFormat.PYTHON) == "None"


def test_examples_follow_the_system_message_the_nearest_last() -> None:
    def turns(*pairs: tuple[str, str]) -> list[Message]:
        return [Message(role, content) for role, content in pairs]

    prompt = turns(("system", "tools"), ("user", "now"))
    near = turns(("system", "other"), ("user", "u1"), ("assistant", "a1"))
    far = turns(("system", "other"), ("assistant", "before"), ("user", "u2"), ("assistant", "a2"))
    assert insert_examples(prompt, [near, far]) == turns(
        ("system", "tools"),
        ("user", "u2"),
        ("assistant", "a2"),
        ("user", "u1"),
        ("assistant", "a1"),
        ("user", "now"),
    )
