from __future__ import annotations

from exemplars.core.digests import stamp_digest
from exemplars.core.ledger import Ledger
from exemplars.core.records import Exemplar, Mode, Origin, Reason, Rejection, Speaker, Turn
from stages.compile.contradictions import content_key, prefilter_key, reject_contradictions


def exemplar(
    row_id: str, skill: str = "call", context: tuple[Turn, ...] = (), service: str | None = None
) -> Exemplar:
    row = Exemplar(
        id=row_id,
        digest="",
        source="s",
        turn=row_id,
        call=0,
        service=service,
        skill=skill,
        mode=Mode.NORMAL,
        speaker=Speaker.USER,
        utterance="again please",
        exemplar="again please",
        arguments=(),
        reply=None,
        context=context,
        group=row_id,
        license="MIT",
        origin=Origin("a.md", "0", row_id),
    )
    return stamp_digest(row)


def reject(*exemplars: Exemplar) -> dict[str, Rejection]:
    ledger = Ledger("compile")
    kept = reject_contradictions(exemplars, ledger)
    rejections = {rejection.id: rejection for rejection in ledger.rejections}
    assert kept == [exemplar for exemplar in exemplars if exemplar.id not in rejections]
    return rejections


def test_of_duplicates_the_first_by_id_stays() -> None:
    rejections = reject(exemplar("c"), exemplar("a"), exemplar("b"))
    assert {row_id: rejection.reason for row_id, rejection in rejections.items()} == {
        "b": Reason.DUPLICATE_EXEMPLAR,
        "c": Reason.DUPLICATE_EXEMPLAR,
    }
    assert rejections["c"].message == "a.md#c: a duplicate of a, which is kept; remove one of them"


def test_of_contradicting_exemplars_none_stays_and_each_names_the_other() -> None:
    rejections = reject(exemplar("a"), exemplar("b", "text"))
    assert {row_id: rejection.reason for row_id, rejection in rejections.items()} == {
        "a": Reason.CONFLICTING_LABEL,
        "b": Reason.CONFLICTING_LABEL,
    }
    assert rejections["a"].message == (
        "a.md#a: labeled normal call(), but the same utterance and context are labeled normal text() in b; "
        "correct one of them"
    )


def test_a_long_list_of_contradicting_exemplars_is_cut() -> None:
    others = [exemplar(row_id, "text") for row_id in "bcdef"]
    assert "are labeled normal text() in b, c, d and 2 more;" in reject(exemplar("a"), *others)["a"].message


def test_a_different_context_or_service_is_not_a_contradiction() -> None:
    other = (Turn(Speaker.ASSISTANT, "Text or call?"),)
    assert reject(exemplar("a"), exemplar("b", "text", other), exemplar("c", "text", service="S_1")) == {}


def test_the_prefilter_key_is_equal_whenever_the_content_key_is() -> None:
    turns = tuple(Turn(Speaker.ASSISTANT, f"turn {number}") for number in range(5))
    first, second = exemplar("a", context=turns), exemplar("b", "text", context=turns)
    assert content_key(first) == content_key(second)
    assert prefilter_key(first) == prefilter_key(second)
    assert prefilter_key(first) != prefilter_key(exemplar("a", context=turns[:4]))
