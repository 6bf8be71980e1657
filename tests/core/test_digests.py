from __future__ import annotations

from exemplars.core.digests import hash_content, hash_row, hash_split, hash_to_fraction
from exemplars.core.records import Argument, Grounding, Mode, Speaker, Turn

ARGUMENTS = (Argument("contact", "Maria", "Maria", 5, 10, Grounding.VERBATIM),)


def test_the_digest_of_a_row_never_changes() -> None:
    digest = hash_row("call Maria", (Turn(Speaker.SYSTEM, "Yes?"),), "call", Mode.NORMAL, ARGUMENTS)
    assert digest == "760bf25428051a7bf1a79947154ef286bac191f259a4a4fe7b3259baaba7dd0e"


def test_the_digest_depends_on_context_and_mode() -> None:
    digests = {
        hash_row("yes", context, "call", mode, ())
        for context in ((), (Turn(Speaker.SYSTEM, "Call?"),))
        for mode in (Mode.EXTENDED, Mode.NEGATIVE)
    }
    assert len(digests) == 4


def test_the_data_hash_does_not_depend_on_the_order_of_rows() -> None:
    assert hash_split(["b", "a"]) == hash_split(["a", "b"]) == hash_content(b"a\nb\n")


def test_the_data_hash_of_nothing_is_that_of_no_bytes() -> None:
    assert hash_split([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_fraction_of_a_text_is_the_same_everywhere() -> None:
    assert hash_to_fraction("group", "salt") == 0.23579887105207764
    assert hash_to_fraction("group", "other salt") != hash_to_fraction("group", "salt")
