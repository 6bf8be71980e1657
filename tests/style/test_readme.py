from __future__ import annotations

import re
import subprocess
import textwrap
from typing import Final
from xml.etree import ElementTree

import pytest

from exemplars.core.records import Exemplar
from exemplars.dataset.recognizers import Recognizers
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon
from stages.ingest.reading import SourceInfo
from stages.ingest.skills import parse_skill_file
from tests.style.check_style import PROJECT

DOCUMENTS: Final = sorted((*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")))


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
    "nearest exemplar (kNN)": "knn",
    "generator: `lora`, constrained": "lora_constrained",
    "`tagger`": "tagger",
    "cascade: tagger, then generator": "cascade",
}
"""The systems of the card, by the names that the README gives them."""
README = (PROJECT / "README.md").read_text("utf-8")


def read_card() -> str:
    """Read the card as it was committed: one that this machine made has the figures of its own trainings."""
    command = ["git", "show", "HEAD:reports/card/README.md"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def read_numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def count_rejections(stage: str) -> float:
    """Count the records that a stage rejected, from the table of the card."""
    return sum(
        sum(read_numbers(count))
        for count in re.findall(rf"^\| {stage} \| \w+ \| ([\d,]+) \|", read_card(), re.M)
    )


def read_flow(stage: str) -> list[list[float]]:
    """Read what the README says of a stage: records in, kept, rejected."""
    line = rf"^ +{stage}: ([\d,]+) (?:records|rows) in, ([\d,]+) kept, ([\d,]+) rejected"
    return [read_numbers(" ".join(numbers)) for numbers in re.findall(line, README, re.M)]


@pytest.mark.workspace
def test_the_counts_of_the_readme_are_those_of_the_card() -> None:
    [[exemplars, records, rejected]] = map(
        read_numbers, re.findall("^Exemplars: .* Rejected: [0-9,]+", read_card(), re.M)
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


@pytest.mark.workspace
def test_the_figures_of_the_readme_are_those_of_the_card() -> None:
    for name, system in SYSTEMS.items():
        [stated] = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", README, re.M)
        [expected] = re.findall(rf"^\| {system} \| (.*) \|$", read_card(), re.M)
        for cell, exact in zip(stated.split(" | "), expected.split(" | "), strict=True):
            # The README may leave out an interval, and either may round to two digits.
            for number, figure in zip(read_numbers(cell), read_numbers(exact), strict=False):
                assert abs(number - figure) < 0.006, (name, cell, exact)


def list_blocks(text: str) -> list[str]:
    """List the indented blocks of a document."""
    return [
        textwrap.dedent(block).strip("\n") for block in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    ]


def test_the_example_of_the_readme_is_compiled_to_the_row_that_it_shows() -> None:
    blocks = [block for block in list_blocks((PROJECT / "README.md").read_text("utf-8")) if block]
    source, shown = blocks[:2]
    reading, diagnostics = parse_skill_file(SourceInfo("s", "MIT"), "call.md", source.encode(), "other")
    assert diagnostics == ()
    skills = {skill.name: skill for skill in reading.skills}
    [record] = reading.records
    exemplar = compile_record(record, skills, Lexicon(Recognizers()))
    assert isinstance(exemplar, Exemplar)
    width = max(len(argument.slot) for argument in exemplar.arguments)
    spans = [f"[{argument.start}:{argument.end}]" for argument in exemplar.arguments]
    values = [f'"{argument.value}"' for argument in exemplar.arguments]
    arguments = [
        f"{argument.slot:<{width}} = {value:<{max(map(len, values))}}  {span:<{max(map(len, spans))}} {argument.grounding}"
        for argument, value, span in zip(exemplar.arguments, values, spans, strict=True)
    ]
    lines = [
        f"utterance   {exemplar.utterance}",
        f"exemplar    {exemplar.exemplar}",
        f"skill       {exemplar.skill}",
        *(f"{'' if number else 'arguments':<12}{line}" for number, line in enumerate(arguments)),
    ]
    assert [line.split() for line in shown.splitlines()] == [line.split() for line in lines]


def test_the_picture_is_read_without_a_mouse_and_in_the_dark() -> None:
    root = ElementTree.fromstring((PROJECT / "docs/overview.svg").read_bytes())
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = {element.get("id") for element in (*root.iter(f"{space}title"), *root.iter(f"{space}desc"))}
    assert named == set((root.get("aria-labelledby") or "").split())
    assert "prefers-color-scheme: dark" in "".join(style.text or "" for style in root.iter(f"{space}style"))


def test_the_index_has_every_page_and_no_other() -> None:
    docs = PROJECT / "docs"
    links = re.findall(r"\]\(([^)]+)\)", (docs / "README.md").read_text("utf-8"))
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - {"README.md"}
    assert {link for link in links if link.endswith(".md")} == {
        page for page in pages if not page.startswith("adr/")
    }
    assert len(links) == len(set(links))


@pytest.mark.parametrize("document", [path.relative_to(PROJECT).as_posix() for path in DOCUMENTS])
def test_links_of_a_document_lead_to_files(document: str) -> None:
    folder = (PROJECT / document).parent
    text = re.sub(r"^ {4}.*$|`[^`]*`", "", (PROJECT / document).read_text("utf-8"), flags=re.MULTILINE)
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    assert [link for link in links if not (folder / link).exists()] == []
