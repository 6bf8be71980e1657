from __future__ import annotations

import re
import subprocess

import pytest

from tests.style.check_style import PROJECT


def test_the_revision_of_the_hook_in_the_readme_exists_and_has_the_hook() -> None:
    if not (PROJECT / ".git").exists():
        pytest.skip("not a git repository")
    shallow = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"], cwd=PROJECT, capture_output=True, text=True
    )
    if shallow.stdout.strip() == "true":
        pytest.skip("a shallow clone has no history")
    [revision] = re.findall(r"^ +rev: (\S+)$", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE)
    done = subprocess.run(
        ["git", "show", f"{revision}:.pre-commit-hooks.yaml"], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "- id: exemplars-lint\n" in done.stdout


SYSTEMS = {
    "base model, zero-shot": "base",
    "nearest exemplar (kNN)": "knn",
    "tuned": "tuned",
    "tuned, constrained decoding": "tuned_constrained",
}
"""The systems of the card, by the names that the README gives them."""
README = (PROJECT / "README.md").read_text("utf-8")
CARD = (PROJECT / "reports/card/README.md").read_text("utf-8")


def read_numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def count_rejections(stage: str) -> float:
    """Count the records that a stage rejected, from the table of the card."""
    return sum(
        sum(read_numbers(count)) for count in re.findall(rf"^\| {stage} \| \w+ \| ([\d,]+) \|", CARD, re.M)
    )


def read_flow(stage: str) -> list[list[float]]:
    """Read what the README says of a stage: records in, kept, rejected."""
    line = rf"^ +{stage}: ([\d,]+) (?:records|rows) in, ([\d,]+) kept, ([\d,]+) rejected"
    return [read_numbers(" ".join(numbers)) for numbers in re.findall(line, README, re.M)]


def test_the_counts_of_the_readme_are_those_of_the_card() -> None:
    [[exemplars, records, rejected]] = map(
        read_numbers, re.findall("^Exemplars: .* Rejected: [0-9,]+", CARD, re.M)
    )
    ingested = records - count_rejections("ingest")
    compiled = ingested - count_rejections("compile")
    assert (
        records - rejected == exemplars == compiled - count_rejections("curate") - count_rejections("split")
    )
    assert read_flow("compile") == [[ingested, compiled, ingested - compiled]]
    assert [numbers[0] for numbers in read_flow("curate")] == [compiled]
    [ledger] = map(read_numbers, re.findall("[0-9,]+ exemplars, [0-9,]+ rejections", README))
    assert ledger == [compiled, records - compiled]


def test_the_figures_of_the_readme_are_those_of_the_card() -> None:
    for name, system in SYSTEMS.items():
        [stated] = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", README, re.M)
        [expected] = re.findall(rf"^\| {system} \| (.*) \|$", CARD, re.M)
        for cell, exact in zip(stated.split(" | "), expected.split(" | "), strict=True):
            # The README may leave out an interval, and either may round to two digits.
            for number, figure in zip(read_numbers(cell), read_numbers(exact), strict=False):
                assert abs(number - figure) < 0.006, (name, cell, exact)
