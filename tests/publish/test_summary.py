from __future__ import annotations

from stages.publish.facts import Facts
from stages.publish.params import Kind
from stages.publish.summary import SECTIONS, content_summary


def test_it_has_the_three_parts_of_the_template_and_says_what_it_is_not(facts: Facts) -> None:
    summary = content_summary(facts)
    assert [line for line in summary.splitlines() if line.startswith("## ")] == [
        "## 1. General information",
        "## 2. List of data sources",
        "## 3. Data processing aspects",
    ]
    assert "**This is no legal advice**" in summary


def test_each_source_stands_once_below_its_kind(facts: Facts) -> None:
    summary = content_summary(facts)
    public = summary.split("### 2.1 Publicly available data sets")[1].split("###")[0]
    unstated = summary.split("### 2.7 Sources that nothing was stated about")[1].split("##")[0]
    assert public.strip() == (
        "- **forum** (CC-BY-SA-4.0; 5 records, 4 exemplars). Posts. Authors: The forum. https://example.org/forum."
    )
    assert unstated.strip() == "- **notes** (MIT OR LicenseRef-notes; 2 records, 2 exemplars)."
    assert summary.count("**notes**") == 1


def test_every_kind_of_source_has_a_section() -> None:
    assert {kind for _, kinds in SECTIONS for kind in kinds} == {*Kind, None}


def test_counts_and_processing_are_told(facts: Facts) -> None:
    summary = content_summary(facts)
    assert "- 1 of 7 records were left out, each with a reason: value not found (compile) 1." in summary
    assert "- Personal data that no argument labels: phone 2." in summary
    assert "| contact | somebody@example.org |" in summary
