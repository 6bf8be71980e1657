"""A parameter that no utterance says is reported once, with the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.audit.linting import lint_skill_files, list_skill_files
from exemplars.core.errors import Diagnostic
from exemplars.dataset.recognizers import Recognizers

WORDS = ("one", "two", "three", "four")
SUMS = "\n".join(
    f"### User: What is {WORDS[first]} times {WORDS[second]}?\n"
    f'### Assistant: math(question="{first + 1}*{second + 1}")'
    for first in range(4)
    for second in range(4)
)
MATH = f"""\
#### Prompt:
math(question="[the term]", unit="[unit]")
Computes.

#### Parameters:
question: string, required

#### Examples:
{SUMS}
"""


def lint(path: Path) -> list[Diagnostic]:
    return lint_skill_files(list_skill_files(path), Recognizers(), "").diagnostics


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "math.md"


def test_sixteen_terms_that_nobody_says_are_one_finding_that_names_composed(path: Path) -> None:
    path.write_text(MATH)
    [finding] = lint(path)
    assert (finding.line, finding.column, finding.code) == (6, 1, "value_not_found")
    assert finding.message == (
        "none of the 16 values of math.question is found in its utterances; if the model writes it, declare it "
        "`composed`: `question: …, composed` under `#### Parameters:` of a skill file, "
        '"x-filled-by": "composed" in tool definitions; otherwise correct the values'
    )


def test_a_composed_parameter_is_no_finding(path: Path) -> None:
    path.write_text(MATH.replace("string, required", "string, required, composed"))
    assert lint(path) == []


def test_the_signature_is_the_place_of_a_parameter_that_is_not_declared(path: Path) -> None:
    path.write_text(MATH.replace("#### Parameters:\nquestion: string, required\n\n", ""))
    [finding] = lint(path)
    assert (finding.line, finding.column) == (2, 6)


def test_a_value_that_is_said_once_leaves_a_finding_for_each_of_the_others(path: Path) -> None:
    said = '\n### User: 7*8 please\n### Assistant: math(question="7*8")\n'
    path.write_text(MATH + said)
    assert [finding.code for finding in lint(path)] == ["value_not_found"] * 16


def test_two_values_that_are_not_said_are_two_findings(path: Path) -> None:
    head = MATH[: MATH.index("### User")]
    path.write_text(head + "\n".join(SUMS.split("\n")[:4]) + "\n")
    assert [finding.line for finding in lint(path)] == [9, 11]


def test_other_mistakes_of_these_examples_are_still_reported(path: Path) -> None:
    path.write_text(MATH.replace('math(question="1*1")', 'math(question="1*1", unit="meter")'))
    assert [(finding.line, "unit" in finding.message) for finding in lint(path)] == [(6, False), (9, True)]


def test_leaves_of_a_list_are_one_parameter(path: Path) -> None:
    schema = '{"type": "array", "items": {"type": "object", "properties": {"term": {"type": "string"}}}}'
    text = MATH.replace("question: string", f"question: {schema}")
    for first in range(4):
        for second in range(4):
            value = f"{first + 1}*{second + 1}"
            text = text.replace(f'question="{value}"', f'question=[{{"term": "{value}"}}]')
    path.write_text(text)
    [finding] = lint(path)
    assert finding.message.startswith(
        "none of the 16 values of math.question[].term is found in its utterances;"
    )


def test_examples_that_cannot_be_read_are_counted(path: Path) -> None:
    path.write_text(MATH + '\n### User: hello\n### Assistant: math(topic="9")\n')
    result = lint_skill_files(list_skill_files(path), Recognizers(), "")
    assert (result.examples, len(result.diagnostics)) == (17, 3)
