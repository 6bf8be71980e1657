"""Problems as other tools read them: GitHub's workflow commands, SARIF 2.1.0, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.errors import Diagnostic

FORMATS: Final = ("text", "json", "github", "sarif")
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DATA_ESCAPES: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY_ESCAPES: Final = {**_DATA_ESCAPES, ":": "%3A", ",": "%2C"}


class Annotation(NamedTuple):
    """A problem, and how bad it is: `error` or `warning`."""

    level: str
    diagnostic: Diagnostic


def format_annotation(annotation: Annotation) -> str:
    """Format a problem for people: `path:line:column: error: code: message`."""
    level, diagnostic = annotation
    return f"{diagnostic.place}: {level}: {diagnostic.code}: {diagnostic.message}"


def format_github(annotations: Iterable[Annotation]) -> list[str]:
    """Format problems as workflow commands, which GitHub shows next to the lines of a pull request.

    Syntax: docs.github.com, "Workflow commands for GitHub Actions".

    >>> problem = Diagnostic(path="a.md", line=3, code="bad", found="x", expected="y", fix="do")
    >>> format_github([Annotation("error", problem)])
    ['::error file=a.md,line=3,title=bad::found x, expected y; do']
    """
    lines = []
    for level, diagnostic in annotations:
        values = {
            "file": diagnostic.path,
            "line": diagnostic.line,
            "col": diagnostic.column,
            "title": diagnostic.code,
        }
        properties = ",".join(
            f"{name}={_escape(str(value), _PROPERTY_ESCAPES)}"
            for name, value in values.items()
            if value is not None
        )
        lines.append(f"::{level} {properties}::{_escape(diagnostic.message, _DATA_ESCAPES)}")
    return lines


def build_json(annotations: Iterable[Annotation]) -> list[dict[str, Any]]:
    """Build the list that `--format json` prints."""
    return [
        {
            "level": level,
            "path": diagnostic.path,
            "line": diagnostic.line,
            "column": diagnostic.column,
            "code": diagnostic.code,
            "message": diagnostic.message,
        }
        for level, diagnostic in annotations
    ]


def build_sarif(annotations: Sequence[Annotation], version: str) -> dict[str, Any]:
    """Build a SARIF 2.1.0 log, which code scanning and editors read."""
    codes = sorted({diagnostic.code for _, diagnostic in annotations})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "exemplars",
                        "version": version,
                        "rules": [{"id": code} for code in codes],
                    }
                },
                "results": [_build_result(annotation) for annotation in annotations],
            }
        ],
    }


def _build_result(annotation: Annotation) -> dict[str, Any]:
    level, diagnostic = annotation
    location: dict[str, Any] = {"artifactLocation": {"uri": diagnostic.path}}
    if diagnostic.line is not None:
        region = {"startLine": diagnostic.line, "startColumn": diagnostic.column}
        location["region"] = {name: value for name, value in region.items() if value is not None}
    return {
        "ruleId": diagnostic.code,
        "level": level,
        "message": {"text": diagnostic.message},
        "locations": [{"physicalLocation": location}],
    }


def _escape(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
