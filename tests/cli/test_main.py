from __future__ import annotations

import argparse

import pytest

from exemplars.cli.main import build_parser, main

COMMANDS = next(
    action.choices for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_has_examples_and_fits_80_columns(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = COMMANDS[name].format_help()
    assert "example" in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("name", "advice"), [("chek", "did you mean 'check'?"), ("frobnicate", "`exemplars --help` lists them")]
)
def test_a_misspelled_command_is_answered_with_the_one_that_is_meant(
    name: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([name])
    assert capsys.readouterr().err.endswith(f"error: found no command {name!r}; {advice}\n")
