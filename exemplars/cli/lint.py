"""`exemplars lint`: checks skill files alone, fast, without running the pipeline."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exemplars.cli.parsers import Commands, add_format, command_parser
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.records import Record, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import BUILT_IN, Recognizers, decode_recognizers
from stages.compile.exemplars import compile_record
from stages.compile.grounding import Lexicon
from stages.ingest.reading import SourceFacts
from stages.ingest.skills import parse_skill_file

DEFAULT_PATH: Final = "data/raw/skills"
DEFAULT_RECOGNIZERS: Final = "schemas/recognizers.json"
_HELP: Final = """\
examples:
  exemplars lint                          every skill file of the project
  exemplars lint data/raw/skills/call.md  one file
  exemplars lint --format json | jq .     for machines

exit status: 0 nothing found, 1 something found, 2 wrong usage
"""


class _Checked(NamedTuple):
    """One skill file, as far as it can be read."""

    path: str
    records: tuple[Record, ...]
    skills: tuple[Skill, ...]
    diagnostics: tuple[Diagnostic, ...]


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "lint",
        short="check skill files: file:line:col: code: message",
        long="Check skill files: their form, their calls, and where each value stands.",
        examples=_HELP,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help=f"a skill file or a folder (default {DEFAULT_PATH})"
    )
    add_format(parser)
    parser.add_argument(
        "--recognizers",
        default=DEFAULT_RECOGNIZERS,
        metavar="FILE",
        help=f"what skills may name as recognizers (default {DEFAULT_RECOGNIZERS})",
    )
    parser.add_argument(
        "--none-skill", default="other", metavar="NAME", help="skill that asks for nothing (default other)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files and print what is wrong; answer the exit status."""
    paths = [Path(one) for one in arguments.paths or [DEFAULT_PATH]]
    missing = [path for path in paths if not path.exists()]
    if missing:
        print(f"exemplars lint: {missing[0]}: no such file or folder", file=sys.stderr)
        return 2
    files = sorted({file for path in paths for file in _files(path)})
    try:
        recognizers = _recognizers(Path(arguments.recognizers))
    except msgspec.DecodeError as error:
        print(f"exemplars lint: {arguments.recognizers}: {error}", file=sys.stderr)
        return 2
    checked = [check_file(str(file), file.read_bytes(), arguments.none_skill) for file in files]
    diagnostics = sorted(
        [one for file in checked for one in file.diagnostics] + check_together(checked, recognizers),
        key=lambda one: (one.path, one.line or 0, one.column or 0, one.code),
    )
    if arguments.format == "json":
        print(msgspec.json.format(msgspec.json.encode([_for_machines(one) for one in diagnostics])).decode())
    else:
        for one in diagnostics:
            print(f"{one.path}:{one.line or 1}:{one.column or 1}: {one.code}: {one.message}")
    examples = sum(len(file.records) for file in checked)
    print(f"{len(files)} file(s), {examples} example(s), {len(diagnostics)} problem(s)", file=sys.stderr)
    return 1 if diagnostics else 0


def check_file(path: str, data: bytes, none_skill: str) -> _Checked:
    """What is wrong with the form of one file, and what can be read of it."""
    try:
        reading, diagnostics = parse_skill_file(SourceFacts("lint", ""), path, data, none_skill)
    except UserError as error:
        return _Checked(path, (), (), error.diagnostics)
    return _Checked(path, reading.records, reading.skills, diagnostics)


def check_together(checked: Iterable[_Checked], recognizers: Recognizers) -> list[Diagnostic]:
    """What only all files together show: values that stand nowhere, doubles and contradictions."""
    files = list(checked)
    skills = {skill.name: skill for file in files for skill in file.skills}
    lexicon = Lexicon(recognizers)
    found = list(_unknown_recognizers(files, recognizers))
    by_text: dict[str, list[tuple[str, Record]]] = defaultdict(list)
    for file in files:
        for record in file.records:
            row = compile_record(record, skills, lexicon)
            if isinstance(row, Rejection):
                message = row.message.partition(": ")[2]
                found.append(_about(record, str(row.reason), message, "", ""))
            by_text[" ".join(record.utterance.casefold().split())].append((file.path, record))
    for same in by_text.values():
        found += _doubles(same)
    return found


def _doubles(same: list[tuple[str, Record]]) -> Iterator[Diagnostic]:
    first_path, first = same[0]
    for _, record in same[1:]:
        place = f"{first_path}:{first.origin.locator}"
        meaning = (record.skill, {(one.slot, one.value) for one in record.arguments})
        if meaning == (first.skill, {(one.slot, one.value) for one in first.arguments}):
            yield _about(
                record, "duplicate_example", f"the example of {place} again", "each once", "remove one"
            )
        else:
            found = f"{quote_text(record.utterance)}, which means something else at {place}"
            yield _about(record, "conflicting_label", found, "one meaning", "correct one of the two")


def _unknown_recognizers(files: list[_Checked], recognizers: Recognizers) -> Iterator[Diagnostic]:
    known = {*BUILT_IN, *recognizers.recognizers}
    for file in files:
        for skill in file.skills:
            for one in skill.parameters:
                if one.recognizer is not None and one.recognizer not in known:
                    yield Diagnostic(
                        path=file.path,
                        code="unknown_recognizer",
                        found=f"recognizer {one.recognizer!r} of parameter {one.name!r}",
                        expected=f"one of {', '.join(sorted(known))}",
                        fix="correct the name, or add the recognizer",
                    )


def _about(record: Record, code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=record.origin.path,
        line=int(record.origin.locator),
        column=len("### User: ") + 1,
        code=code,
        found=found.removeprefix("found "),
        expected=expected,
        fix=fix,
    )


def _for_machines(one: Diagnostic) -> dict[str, object]:
    return {
        "path": one.path,
        "line": one.line or 1,
        "column": one.column or 1,
        "code": one.code,
        "message": one.message,
    }


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.md")) if path.is_dir() else [path]


def _recognizers(path: Path) -> Recognizers:
    return decode_recognizers(path.read_bytes()) if path.exists() else Recognizers()
