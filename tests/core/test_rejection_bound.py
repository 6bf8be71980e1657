"""A source that loses more records than its bound admits stops the stage that rejects them."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.rejection_bound import (
    DEFAULT,
    RejectionBound,
    check_rejection_rates,
    enforce_rejection_bound,
    is_loss,
    read_rejection_bound,
)

BOUND = RejectionBound(0.1, 95)


def test_a_source_over_the_bound_is_reported_with_key_line_reasons_and_action() -> None:
    rejected = [*[("hotel", "value_not_found")] * 4, ("hotel", "unknown_slot"), ("other", "unknown_slot")]
    with pytest.raises(UserError) as error:
        check_rejection_rates({"hotel": 31, "other": 40}, rejected, BOUND)
    assert str(error.value) == (
        "params.yaml:95: max_rejection_rate: source hotel: 5 of 36 (13.9 %) rejected: value_not_found 4, "
        "unknown_slot 1; at most 10 % (validate.max_rejection_rate); see `exemplars rejections --source hotel`, "
        "and correct the records, or raise the bound"
    )


def test_duplicates_and_turns_without_a_call_are_no_loss() -> None:
    check_rejection_rates({"hotel": 1}, [("hotel", "duplicate_exemplar")] * 9, BOUND)
    assert not is_loss("no_new_meaning")
    assert not is_loss("erased")
    assert is_loss("conflicting_label")


def test_a_source_without_any_row_is_a_warning_even_within_the_bound(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_rejection_rates({}, [("hotel", "value_not_found")] * 40, RejectionBound(1.0, None))
    assert capsys.readouterr().err == (
        "warning: source hotel: none of 40 records is kept: value_not_found 40; "
        "see `exemplars rejections --source hotel`\n"
    )


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("ingest: {}\nvalidate:\n  max_rejection_rate: 0.5\n", RejectionBound(0.5, 3)),
        ("validate: {min_exemplars: 3}\n", RejectionBound(DEFAULT, None)),
        ("ingest: {}\n", RejectionBound(DEFAULT, None)),
        ("validate: {max_rejection_rate: lots}\n", RejectionBound(DEFAULT, 1)),
    ],
)
def test_the_bound_is_that_of_the_parameters_or_the_default(
    tmp_path: Path, text: str, bound: RejectionBound
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, "utf-8")
    assert read_rejection_bound(path) == bound


def test_a_source_whose_rows_need_a_review_may_lose_any_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources = "{bot: {format: jsonl, review: required}, model: {format: generated}, hotel: {format: jsonl}}"
    Path("params.yaml").write_text(f"ingest: {{sources: {sources}}}\n", "utf-8")
    lost = [(source, "value_not_found") for source in ("bot", "model") for _ in range(9)]
    enforce_rejection_bound({"bot": 1}, lost)
    with pytest.raises(UserError, match=r"source hotel: 1 of 2 \(50 %\) rejected"):
        enforce_rejection_bound({"hotel": 1}, [*lost, ("hotel", "value_not_found")])
