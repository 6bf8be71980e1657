from __future__ import annotations

from exemplars.core.digests import hash_row
from exemplars.core.records import Exemplar, Mode, Origin, Reason, Speaker, Turn
from stages.compile.contradictions import contradicted


def exemplar(
    row_id: str, skill: str = "call", context: tuple[Turn, ...] = (), service: str | None = None
) -> Exemplar:
    return Exemplar(
        id=row_id,
        digest=hash_row("again please", context, skill, Mode.NORMAL, ()),
        source="s",
        service=service,
        skill=skill,
        mode=Mode.NORMAL,
        utterance="again please",
        exemplar="again please",
        arguments=(),
        context=context,
        group=row_id,
        license="MIT",
        origin=Origin("a.md", "0", row_id),
    )


def reasons(*exemplars: Exemplar) -> dict[str, Reason]:
    return {row_id: one.reason for row_id, one in contradicted(exemplars).items()}


def test_of_duplicates_the_first_by_id_stays() -> None:
    assert reasons(exemplar("c"), exemplar("a"), exemplar("b")) == {
        "b": Reason.DUPLICATE_EXEMPLAR,
        "c": Reason.DUPLICATE_EXEMPLAR,
    }


def test_of_contradicting_rows_none_stays_and_each_names_the_other() -> None:
    rejections = contradicted([exemplar("a"), exemplar("b", "text")])
    assert {one.reason for one in rejections.values()} == {Reason.CONFLICTING_LABEL}
    assert rejections["a"].message == (
        "a.md#a: found normal call(), but b say the same and mean normal text(), expected one meaning; "
        "correct one of them"
    )


def test_another_context_or_another_service_is_no_contradiction() -> None:
    other = (Turn(Speaker.SYSTEM, "Text or call?"),)
    assert reasons(exemplar("a"), exemplar("b", "text", other), exemplar("c", "text", service="S_1")) == {}
