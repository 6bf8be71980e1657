from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Reason
from exemplars.models.preference_log import encode_pairs, list_pairs, read_preference_lines
from exemplars.models.preference_rows import PairSource, PreferencePair, PreferredCall
from exemplars.models.rows import Message

PAIR = {"version": 1, "id": "p1", "row": "d1", "chosen": "Yes.", "rejected": "No.", "source": "written"}
PROMPT = {"prompt": [{"role": "user", "content": "hi"}], "row": None, "license": "MIT"}


def read_line(**changes: Any) -> tuple[Reason, str] | None:
    document = {key: value for key, value in {**PAIR, **changes}.items() if value is not None}
    (line,) = read_preference_lines(msgspec.json.encode(document))
    return line.problem and (line.problem.reason, line.problem.sentence)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 2}, "found a line of version 2, expected version 1; upgrade exemplars, or convert the file"),
        ({"row": None}, "found neither row nor prompt, expected one of the two"),
        ({**PROMPT, "row": "d1"}, "found both row and prompt, expected one of the two"),
        ({"chosen": None, "rejected": None}, "found no side, expected chosen, rejected, or both"),
        ({"chosen": " "}, "found an answer without text, expected a text, or a list of calls"),
        ({"chosen": None, "verdict": "tie"}, "found one side and the verdict tie, expected two sides"),
        ({"chosen": [{"name": ""}]}, "found a call without a name, expected the name of a tool"),
        ({"chosen": [{"name": "a", "arguments": {"b": 2**63}}]}, "found a larger integer, expected an integer of at most"),
        ({"tools": [{}]}, "found tools of a row, expected tools of a prompt alone"),
        ({**PROMPT, "tools": [{}]}, "found a tool of another form"),
        ({**PROMPT, "license": None}, "found a prompt without a license, expected an SPDX expression as license"),
        ({**PROMPT, "license": "Apache 2"}, "found 'Apache 2' is not an SPDX identifier"),
        ({**PROMPT, "prompt": []}, "found a prompt without messages"),
        ({**PROMPT, "prompt": [{"role": "assistant", "content": "hi"}]}, "found a last message of the assistant"),
        ({**PROMPT, "prompt": [{"role": "bot", "content": "hi"}]}, "found the role 'bot', expected one of system, user"),
        ({"withdraws": "p0"}, "found a withdrawal with sides or a prompt, expected `withdraws` alone"),
        ({"choosen": "a"}, "object contains unknown field `choosen`; write a line as docs/preferences.md shows"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_preference_says_why(changes: dict[str, Any], sentence: str) -> None:
    found = read_line(**changes)
    assert found is not None
    assert found[0] == Reason.MALFORMED_RECORD
    assert found[1].startswith(sentence)


def test_a_label_has_one_side_and_a_prompt_of_its_own_has_a_license() -> None:
    assert read_line(rejected=None) is None
    assert read_line(**PROMPT) is None


def test_a_broken_line_hides_no_other_and_an_id_counts_once() -> None:
    lines = [
        msgspec.json.encode(PAIR),
        b'{"version": 1, "id"',
        msgspec.json.encode({**PAIR, "chosen": "Sure."}),
    ]
    read = read_preference_lines(b"\n\n".join(lines) + b"\n")
    assert [(line.number, line.problem and line.problem.reason) for line in read] == [
        (1, None),
        (3, Reason.MALFORMED_RECORD),
        (5, Reason.DUPLICATE_RECORD),
    ]
    assert read[2].problem is not None
    assert read[2].problem.sentence == "the id 'p1' is already on line 1; give each line its own id"


def test_a_withdrawal_takes_a_line_back_and_one_of_an_unknown_line_is_reported() -> None:
    lines = [PAIR, *({"version": 1, "id": f"w{p}", "withdraws": p, "source": "judge"} for p in ("p1", "p9"))]
    taken, withdrawal, unknown = read_preference_lines(b"\n".join(map(msgspec.json.encode, lines)))
    assert taken.problem is not None and taken.problem.reason == Reason.WITHDRAWN
    assert withdrawal.is_withdrawal and not taken.is_withdrawal
    assert unknown.problem is not None
    assert unknown.problem.sentence.startswith(
        "found the withdrawal of 'p9', expected the id of a line of this file"
    )
    assert list_pairs([taken, withdrawal, unknown]) == []


def test_a_line_whose_text_was_erased_is_not_malformed() -> None:
    assert read_line(chosen="[erased]", rejected=None) == (
        Reason.ERASED,
        "a tombstone removed the text of this line",
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
SIDES = TEXTS | st.lists(
    st.builds(PreferredCall, TEXTS, st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.booleans() | TEXTS))
).map(tuple)  # fmt: skip


@given(chosen=SIDES, rejected=st.none() | SIDES, content=TEXTS)
def test_what_is_written_is_read_back(chosen: Any, rejected: Any, content: str) -> None:
    pair = PreferencePair(
        version=1, id="p", prompt=(Message("user", content),), chosen=chosen, rejected=rejected,
        license="MIT", source=PairSource.IMPORTED,
    )  # fmt: skip
    (line,) = read_preference_lines(encode_pairs([pair]))
    assert (line.pair, line.problem) == (pair, None)
