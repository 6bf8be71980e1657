"""The proof of a file: the rows, the tokenizer, and what becomes of each row."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

from exemplars.audit.proof.report import ProofReport
from exemplars.audit.proof.row_checks import prove_row
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file
from exemplars.core.ledger import format_place
from exemplars.core.records import Origin
from exemplars.core.workers import show_progress
from exemplars.models.base_models import BaseFiles, load_config, load_tokenizer
from stages.ingest.row_files import read_rows

_UNBOUNDED: Final = 10**9
"""A larger `model_max_length` means that the tokenizer does not know it."""


def prove_file(path: Path, base: str, template: Path | None) -> ProofReport:
    """Prove the rows of a file with the tokenizer of a base model.

    base: a folder, or `package:file`. template: a chat template to use instead of the tokenizer's.
    Raises `UserError` if the file, the model or the template cannot be read.
    """
    rows = list(read_rows(str(path), read_file(path, expected="a file of conversations")))
    files = _find_files(base)
    tokenizer = load_tokenizer(files)
    if template is not None:
        tokenizer.chat_template = read_file(template, expected="a chat template").decode("utf-8", "replace")
    limit = _find_limit(files, tokenizer)
    places = (format_place(Origin(str(path), "", row.locator)) for row in rows)
    proofs = (
        prove_row(place, row.content, tokenizer, limit) for place, row in zip(places, rows, strict=True)
    )
    return ProofReport(str(path), files.name, limit, tuple(show_progress(proofs, len(rows), "rows")))


def _find_files(base: str) -> BaseFiles:
    package, separator, file = base.partition(":")
    folder = Path(base)
    if folder.is_dir():
        return BaseFiles(folder.resolve().name, str(folder), {}, "", "")
    spec = importlib.util.find_spec(package) if separator and package.isidentifier() else None
    if spec is not None and spec.origin is not None and (Path(spec.origin).parent / file).is_file():
        return BaseFiles(Path(file).stem, str(Path(spec.origin).parent), {"gguf_file": file}, "", "")
    problem = Diagnostic(
        path=base,
        code="base_model",
        found="no such folder, and no file in an installed package",
        expected="a folder with a tokenizer, or PACKAGE:FILE",
        fix="correct --base",
    )
    raise UserError([problem])


def _find_limit(files: BaseFiles, tokenizer: Any) -> int | None:
    """Find the number of tokens of the model's context, in its configuration or its tokenizer."""
    try:
        positions = getattr(load_config(files), "max_position_embeddings", None)
    except UserError:  # A folder may hold the tokenizer alone.
        positions = None
    known = [length for length in (positions, tokenizer.model_max_length) if length and length < _UNBOUNDED]
    return min(known) if known else None
