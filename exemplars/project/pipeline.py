"""The `dvc.yaml` of a user's project, made from the one of this repository, which comes with the package.

What differs: the code of a stage is a key of `code.yaml`; the recognizers, lexicons and expectations are whatever the
project has in `schemas/`; and parameters that have defaults need not be in `params.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from exemplars.core import layout
from exemplars.core.code_version import CODE, CODE_KEY

_HEAD: Final = """\
# The pipeline of the installed package `exemplars`. `exemplars upgrade` replaces this file after an upgrade of the
# package, unless it was edited.
"""
_STAGE: Final = re.compile(r"  (?P<name>\w+):")
_LIST: Final = re.compile(r"(?P<indent> +)(?P<key>\w+):")
_ENTRY: Final = re.compile(r" +- (?P<value>.+)")
_CODE: Final = ("exemplars/", "stages/")
_SCHEMAS: Final = ("${compile.recognizers}", "${curate.lexicons}")
_OPTIONAL: Final = ("${train.recipes.continued.text}",)
"""What a project need not have; a stage that reads it checks that `dvc.yaml` names it."""
_DEFAULTED: Final = {
    "compile.recognizers": None,
    "curate.lexicons": None,
    "train.recipes.${key}": "train.recipes",
}
"""Parameters that a project's `params.yaml` need not have, and the key that takes their place."""


def build_project_pipeline(text: str) -> str:
    """Build the `dvc.yaml` of a project. text: the `dvc.yaml` of this repository."""
    return _HEAD + "".join(f"{line}\n" for line in _convert_lines(text.splitlines()))


def _convert_lines(lines: Iterable[str]) -> Iterator[str]:
    """Convert the lists of dependencies and parameters of each stage; all other lines stay."""
    stage, key, indent = "", "", ""
    seen: set[str] = set()
    for line in lines:
        if (entry := _ENTRY.fullmatch(line)) and key in ("deps", "params"):
            value = _convert_entry(key, entry["value"])
            if value is not None and value not in seen:
                seen.add(value)
                yield f"{indent}  - {value}"
            continue
        if key == "params" and not line.lstrip().startswith("#"):
            yield f"{indent}  - {CODE}: [{CODE_KEY}.{stage}]"
            key = ""
        if match := _STAGE.fullmatch(line):
            stage = match["name"]
        elif match := _LIST.fullmatch(line):
            key, indent, seen = match["key"], match["indent"], set()
        yield line


def _convert_entry(key: str, value: str) -> str | None:
    """Convert a dependency or parameter; `None`: a project does not have it."""
    if key == "params":
        return _DEFAULTED.get(value, value)
    if value.startswith(_CODE) or value in _OPTIONAL:
        return None
    return layout.SCHEMAS if value in _SCHEMAS or value.startswith(layout.SCHEMAS) else value
