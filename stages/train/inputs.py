"""What training reads beside the chat rows."""

from __future__ import annotations

from pathlib import Path

from exemplars.core.errors import Diagnostic, UserError


def texts_of(folder: str) -> dict[str, str]:
    """The texts of a folder by their path in it. Raises `UserError` where there is none, or no UTF-8."""
    root = Path(folder)
    paths = sorted(path for path in root.rglob("*") if path.suffix in (".txt", ".md"))
    if not paths:
        fix = "put *.txt or *.md files there, or correct train.recipes"
        raise UserError([_problem(folder, "no text", "at least one file", fix)])
    texts, problems = {}, []
    for path in paths:
        try:
            texts[path.relative_to(root).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            problems.append(
                _problem(str(path), f"byte {error.start} that is not UTF-8", "UTF-8", "convert it")
            )
    if problems:
        raise UserError(problems)
    return texts


def _problem(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="training_input", found=found, expected=expected, fix=fix)
