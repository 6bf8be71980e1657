"""`exemplars check`: parameters that nothing can be made of, before DVC fills them into its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.cli.main import main
from tests.conftest import PROJECT, SAMPLE

PARAMS = (SAMPLE / "params.yaml").read_text("utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    Path("params.yaml").write_text(text, "utf-8")
    status = main(["check", "--parameters"])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def test_the_parameters_of_this_project_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    text = (PROJECT / "params.yaml").read_text("utf-8")
    assert check(text, capsys) == (0, "params.yaml: no problems\n")


def test_a_name_that_a_shell_would_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, printed = check(
        PARAMS.replace("    bots:\n      format", '    "lab; touch x":\n      format'), capsys
    )
    line = 1 + PARAMS.split("    bots:\n")[0].count("\n")
    assert (status, printed) == (
        1,
        f"params.yaml:{line}: error: invalid_key: ingest.sources has the key 'lab; touch x': expected at most 100 of "
        "the characters a-z, 0-9, _ and -, with a letter or digit at the beginning; rename it\n"
        "params.yaml: 1 error\n",
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("folds: 5", "folds: 0", "curate.label_noise.folds is 0: expected int >= 2"),
        (
            "similarity: 0.8",
            "similarity: .nan",
            "curate.duplicates.similarity is nan: expected a finite number",
        ),
        ("epochs: 1.0", "epochs: .inf", "train.shared.epochs is inf: expected a finite number"),
        ("max_tokens: 60", "max_tokens: -1", "curate.quality.max_tokens is -1: expected int >= 1"),
        ("seed: 1", "seed: 4294967296", "is 4294967296: expected at most 4,294,967,295"),
        (
            "max_tokens: 60",
            f"max_tokens: 0x{'f' * 5000}",
            "curate.quality.max_tokens is an integer of more than 30 digits: expected at most 4,294,967,295",
        ),
        (
            "salt: prompts-1",
            r'salt: "\ud800"',
            "not_yaml: found invalid Unicode character escape code, expected YAML",
        ),
        (
            "  runs: {retriever",
            "  recipe: lora\n  runs: {retriever",
            "unknown key 'train.recipe', expected one of runs, shared, recipes; write `runs: {lora: training}` instead",
        ),
        (
            "splits, tagger: splits",
            "splits, ../tagger: splits",
            "train.runs has the key '../tagger': expected at most 100 of the characters",
        ),
    ],
)
def test_a_value_that_nothing_can_be_made_of_is_refused(
    capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    status, printed = check(PARAMS.replace(old, new), capsys)
    assert status == 1
    assert message in printed


def test_a_file_that_is_no_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/dev/zero"]) == 1
    assert capsys.readouterr().out == (
        "/dev/zero: error: not_a_file: found a device, expected the parameters; move it away, or put a file in its place\n"
    )
