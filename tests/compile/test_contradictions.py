from __future__ import annotations

import msgspec

from exemplars.core.digests import stamp_digest
from exemplars.core.ledger import Ledger
from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    Mode,
    Origin,
    Reason,
    Rejection,
    Speaker,
    Turn,
)
from stages.compile.contradictions import content_key, prefilter_key, reject_contradictions


def exemplar(
    row_id: str,
    skill: str | None = "call",
    context: tuple[Turn, ...] = (),
    service: str | None = None,
    turn: str = "",
    call: int = 0,
    reply: str | None = None,
) -> Exemplar:
    row = Exemplar(
        id=row_id,
        digest="",
        source="s",
        turn=turn or row_id,
        call=call,
        service=service,
        skill=skill,
        mode=Mode.NORMAL if skill else Mode.NONE,
        speaker=Speaker.USER,
        utterance="again please",
        exemplar="again please",
        arguments=(),
        reply=reply,
        context=context,
        group=row_id,
        license="MIT",
        origin=Origin("a.md", "0", row_id),
    )
    return stamp_digest(row)


def turn(name: str, *skills: str, reply: str | None = None) -> list[Exemplar]:
    return [
        exemplar(f"{name}/{call}", skill, turn=name, call=call, reply=reply)
        for call, skill in enumerate(skills)
    ]


def reject(*exemplars: Exemplar) -> dict[str, Rejection]:
    ledger = Ledger("compile")
    kept = reject_contradictions(exemplars, ledger)
    rejections = {rejection.id: rejection for rejection in ledger.rejections}
    assert kept == [exemplar for exemplar in exemplars if exemplar.id not in rejections]
    return rejections


def list_reasons(rejections: dict[str, Rejection]) -> dict[str, Reason]:
    return {row_id: rejection.reason for row_id, rejection in rejections.items()}


def test_of_duplicates_the_first_by_id_stays() -> None:
    rejections = reject(exemplar("c"), exemplar("a"), exemplar("b"))
    assert list_reasons(rejections) == {"b": Reason.DUPLICATE_EXEMPLAR, "c": Reason.DUPLICATE_EXEMPLAR}
    assert rejections["c"].message == "a.md#c: a duplicate of a, which is kept; remove one of them"


def test_of_contradicting_exemplars_none_stays_and_each_names_the_other() -> None:
    rejections = reject(exemplar("a"), exemplar("b", "text"))
    assert list_reasons(rejections) == {"a": Reason.CONFLICTING_LABEL, "b": Reason.CONFLICTING_LABEL}
    assert rejections["a"].message == (
        "a.md#a: labeled normal call(), but the same utterance and context are labeled normal text() in b; "
        "correct one of them"
    )


def test_what_differs_is_shown_first() -> None:
    same = [Argument(slot, "1", "1", 0, 1, Grounding.VERBATIM) for slot in ("a", "b", "c")]
    first, second = (
        msgspec.structs.replace(
            exemplar(row_id), arguments=(*same, Argument("d", value, value, 0, 1, Grounding.VERBATIM))
        )
        for row_id, value in (("a", "5"), ("b", "6"))
    )
    assert reject(first, second)["a"].message == (
        "a.md#a: labeled normal call(d='5', a='1', b='1', …), but the same utterance and context are labeled "
        "normal call(d='6', a='1', b='1', …) in b; correct one of them"
    )


def test_a_long_list_of_contradicting_exemplars_is_cut() -> None:
    others = [exemplar(row_id, "text") for row_id in "bcdef"]
    assert "are labeled normal text() in b, c, d and 2 more;" in reject(exemplar("a"), *others)["a"].message


def test_a_different_context_speaker_or_service_is_not_a_contradiction() -> None:
    other = (Turn(Speaker.ASSISTANT, "Text or call?"),)
    tool = msgspec.structs.replace(exemplar("d", "text"), speaker=Speaker.TOOL)
    rows = (exemplar("a"), exemplar("b", "text", other), exemplar("c", "text", service="S_1"), tool)
    assert reject(*rows) == {}


def test_the_calls_of_one_turn_neither_repeat_nor_contradict_each_other() -> None:
    assert reject(*turn("a", "call", "text", "call")) == {}


def test_of_duplicate_turns_all_calls_of_the_later_one_go_whatever_their_order() -> None:
    rejections = reject(*turn("a", "call", "text"), *turn("b", "text", "call"))
    assert list_reasons(rejections) == {
        "b/0": Reason.DUPLICATE_EXEMPLAR,
        "b/1": Reason.DUPLICATE_EXEMPLAR,
    }
    assert rejections["b/1"].message == "a.md#b/1: a duplicate of a/0, which is kept; remove one of them"


def test_a_turn_with_one_call_more_contradicts_the_other() -> None:
    rejections = reject(*turn("a", "call", "call"), *turn("b", "call"))
    assert list_reasons(rejections) == dict.fromkeys(("a/0", "a/1", "b/0"), Reason.CONFLICTING_LABEL)
    assert rejections["a/1"].message == (
        "a.md#a/1: labeled normal call() and normal call(), but the same utterance and context are labeled "
        "normal call() in b/0; correct one of them"
    )


def test_turns_of_several_services_are_compared_with_turns_of_the_same_services() -> None:
    def frames(name: str, *services: str) -> list[Exemplar]:
        return [
            exemplar(f"{name}/{service}", service, service=service, turn=name, call=call)
            for call, service in enumerate(services)
        ]

    rejections = reject(*frames("a", "A", "B"), *frames("b", "A", "B"), *frames("c", "A"))
    assert list_reasons(rejections) == dict.fromkeys(("b/A", "b/B"), Reason.DUPLICATE_EXEMPLAR)


def test_turns_that_differ_in_their_replies_alone_all_stay() -> None:
    rows = [
        exemplar(name, None, reply=reply) for name, reply in (("a", "Hi."), ("b", "Hello."), ("c", "Hi."))
    ]
    assert list_reasons(reject(*rows)) == {"c": Reason.DUPLICATE_EXEMPLAR}


def test_the_prefilter_key_is_equal_whenever_the_content_key_is() -> None:
    turns = tuple(Turn(Speaker.ASSISTANT, f"turn {number}") for number in range(5))
    first, second = exemplar("a", context=turns), exemplar("b", "text", context=turns)
    assert content_key([first]) == content_key([second])
    assert prefilter_key(first) == prefilter_key(second)
    assert prefilter_key(first) == prefilter_key(exemplar("a", context=turns, service="S_1"))
    assert prefilter_key(first) != prefilter_key(exemplar("a", context=turns[:4]))


def test_the_order_of_arguments_and_what_else_is_accepted_are_no_contradiction() -> None:
    def fill(row_id: str, *arguments: Argument) -> Exemplar:
        return stamp_digest(msgspec.structs.replace(exemplar(row_id), arguments=arguments))

    first, second = (
        Argument(slot, "again", None, None, None, Grounding.COMPOSED) for slot in ("what", "when")
    )
    accepting = msgspec.structs.replace(first, accepted=("once more",))
    rejections = reject(fill("a", first, second), fill("b", second, accepting))
    assert {row_id: rejection.reason for row_id, rejection in rejections.items()} == {
        "b": Reason.DUPLICATE_EXEMPLAR
    }


def test_a_long_value_is_cut_in_the_message() -> None:
    long = Argument("text", "x" * 1000, None, None, None, Grounding.COMPOSED)
    row = stamp_digest(msgspec.structs.replace(exemplar("a"), arguments=(long,)))
    expected = f"labeled normal call(text='{'x' * 59}…'), but"
    assert expected in reject(row, exemplar("b"))["a"].message


def test_a_turn_without_a_call_is_called_so_in_the_message() -> None:
    expected = "labeled normal call(), but the same utterance and context are labeled no call in b;"
    assert expected in reject(exemplar("a"), exemplar("b", skill=None))["a"].message


def reject_candidates(*exemplars: Exemplar) -> dict[str, Reason]:
    """Reject what contradicts or repeats; rows whose ids begin with `g` are candidates."""
    ledger = Ledger("compile")
    rows = [msgspec.structs.replace(row, source="g" if row.id.startswith("g") else "s") for row in exemplars]
    reject_contradictions(rows, ledger, {"g"})
    return {rejection.id: rejection.reason for rejection in ledger.rejections}


def test_a_candidate_takes_no_other_row_with_it() -> None:
    assert reject_candidates(exemplar("g1", "text"), exemplar("s1")) == {"g1": Reason.CONFLICTING_LABEL}
    assert reject_candidates(exemplar("g1"), exemplar("s1")) == {"g1": Reason.DUPLICATE_EXEMPLAR}


def test_candidates_are_compared_with_each_other_only_if_nothing_else_says_more() -> None:
    assert reject_candidates(exemplar("g1"), exemplar("g2"), exemplar("g3", "text"), exemplar("s1")) == {
        "g1": Reason.DUPLICATE_EXEMPLAR,
        "g2": Reason.DUPLICATE_EXEMPLAR,
        "g3": Reason.CONFLICTING_LABEL,
    }
    assert reject_candidates(exemplar("g1"), exemplar("g2")) == {"g2": Reason.DUPLICATE_EXEMPLAR}
    replies = [exemplar(name, reply=reply) for name, reply in (("g1", "a"), ("g2", "a"), ("s1", "b"))]
    assert reject_candidates(*replies) == {"g2": Reason.DUPLICATE_EXEMPLAR}


def test_rows_that_contradict_each_other_are_rejected_whatever_candidates_say() -> None:
    rows = [exemplar("g1"), exemplar("s1"), exemplar("s2", "text")]
    assert set(reject_candidates(*rows)) == {"g1", "s1", "s2"}
