from __future__ import annotations

from stages.publish.facts import ReleaseFacts
from stages.publish.params import SourceKind
from stages.publish.summary import SECTIONS, render_content_summary


def test_the_summary_has_the_three_parts_of_the_template_and_is_not_legal_advice(facts: ReleaseFacts) -> None:
    summary = render_content_summary(facts)
    assert [line for line in summary.splitlines() if line.startswith("## ")] == [
        "## 1. General information",
        "## 2. List of data sources",
        "## 3. Data processing aspects",
    ]
    assert "**This is not legal advice**" in summary


def test_each_source_is_listed_once_by_its_kind(facts: ReleaseFacts) -> None:
    summary = render_content_summary(facts)
    public = summary.split("### 2.1 Publicly available datasets")[1].split("###")[0]
    unstated = summary.split("### 2.7 Sources without a statement")[1].split("##")[0]
    assert public.strip() == (
        "- **forum** (CC-BY-SA-4.0; 5 records, 4 exemplars). Posts. Authors: The forum. https://example.org/forum."
    )
    assert unstated.strip() == "- **notes** (MIT OR LicenseRef-notes; 2 records, 2 exemplars)."
    assert summary.count("**notes**") == 1


def test_every_kind_of_source_has_a_section() -> None:
    assert {kind for _, kind in SECTIONS} == {*SourceKind, None}


def test_the_summary_states_counts_and_processing(facts: ReleaseFacts) -> None:
    summary = render_content_summary(facts)
    assert "- Rejected records: 1 of 7, each with a reason: value not found (compile) 1." in summary
    assert "- Personal data outside any argument: phone 2." in summary
    assert "| contact | somebody@example.org |" in summary
