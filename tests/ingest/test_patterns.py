"""Patterns of tombstones, with texts that make backtracking engines run for ever."""

from __future__ import annotations

import time

import pytest

from exemplars.core.errors import UserError
from stages.ingest import patterns
from stages.ingest.patterns import LimitedPattern, PatternError
from stages.ingest.tombstone_matching import make_text_matcher
from stages.ingest.tombstones import Erasures, Tombstone


def make_tombstone(pattern: str) -> Tombstone:
    return Tombstone(id="t1", pattern=pattern, reviewer="Kim", reason="asked")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|aa)+$", "a" * 100 + "b"),
        ("(a|aa)+!", "a" * 200),
    ],
)
def test_a_pattern_that_would_not_end_is_an_error_of_one_sentence(
    pattern: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "MAX_SECONDS", 0.2)
    match_text = make_text_matcher(Erasures((make_tombstone(pattern),)))
    with pytest.raises(UserError) as error:
        match_text(text)
    assert str(error.value) == (
        f"data/raw/erasures.jsonl: slow_pattern: the pattern {pattern!r} of tombstone t1 takes more than 0.2 s "
        f"for a text of {len(text):,} code points; write it without a repetition within a repetition, such as (a+)+"
    )


def test_the_usual_example_of_a_slow_pattern_is_answered_at_once() -> None:
    start = time.process_time()
    assert not LimitedPattern("(a+)+$", "t1").is_in("a" * 500 + "b")
    assert LimitedPattern("(a+)+$", "t1").is_in("b" + "a" * 500)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\bJosé\b", "ask José now", True),
        (r"(?i)STRASSE \d+", "in strasse 5", True),
        (r"(?<!\w)Ada(?= B)", "Ada Byron", True),
        (r"(\w)\1", "Anna", True),
        (r"\bAda\b", "Adam", False),
        (r"^\S+@\S+$", "a@b", True),
        (r"[[a]", "[", True),
        (r"a{2,3}", "aa", True),
    ],
)
def test_patterns_mean_what_they_mean_in_python(pattern: str, text: str, expected: bool) -> None:
    assert LimitedPattern(pattern, "t1").is_in(text) is expected


def test_a_malformed_pattern_is_refused() -> None:
    with pytest.raises(PatternError, match="missing \\), unterminated subpattern at position 0"):
        LimitedPattern("(a", "t1")
