"""A source of NLU data: its files, which of them belong together, and its rows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.files import read_file
from exemplars.dataset.catalog_merge import place_skills
from stages.ingest.file_listing import FileKind, SourceFile, list_files
from stages.ingest.jsonl import reject_incomplete
from stages.ingest.nlu.bio import PARALLEL_FILES
from stages.ingest.nlu.dialects import parse_files
from stages.ingest.nlu.examples import NluFile
from stages.ingest.nlu.records import NluOptions, build_reading
from stages.ingest.params import NluSource
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.source_files import read_parts
from stages.ingest.tools import TOOLS_FILE, parse_tools

NLU_FILES: Final = FileKind(
    (
        "*.yml", "*.yaml", "*.json", "*.jsonl", "*.conll", "*.bio", "*.iob", "*.iob2", "*.tsv",
        "train.txt", "dev.txt", "valid.txt", "test.txt", *PARALLEL_FILES,
    ),
    "NLU data (*.yml, *.json, *.jsonl, *.conll, *.tsv, seq.in)",
    rb'(?m)^nlu:|"(?:annot_utt|rasa_nlu_data|luis_schema_version|interactionModel)"\s*:',
)  # fmt: skip


def read_nlu_source(root: Path, settings: NluSource, source: SourceInfo) -> Reading:
    """Read all files below a folder. Its `tools.json` is the catalog; without it, the examples give it.

    Raises `UserError` with all files that cannot be read, unless they are to be rejected.
    """
    listed = list_files(root, "", NLU_FILES)
    files: list[tuple[NluFile, str]] = []

    def parse(data: dict[str, bytes]) -> Reading:
        file = parse_files(data, settings.dialect)
        files.append((file, hash_content(data[file.path])))
        return Reading()

    parts = group_files(file for file in listed if file.name != TOOLS_FILE)
    unreadable = read_parts(source, parts, settings.on_bad_file, parse)
    options = NluOptions(frozenset(settings.none_intents), settings.instances_a_template)
    reading = build_reading(source, files, options)
    _check_none_intents(settings.none_intents, [file for file, _ in files])
    reading = reading._replace(rejections=(*unreadable.rejections, *reading.rejections))
    tools = root / TOOLS_FILE
    if not os.path.lexists(tools):
        return reading
    data = read_file(tools, name=TOOLS_FILE, expected="tool definitions")
    skills = place_skills(parse_tools(TOOLS_FILE, data), {TOOLS_FILE: data})
    return reject_incomplete(reading, skills)._replace(skills=skills)


def _check_none_intents(names: Iterable[str], files: Iterable[NluFile]) -> None:
    """Raise `UserError` if an intent that asks for nothing is not one of the source: it is misspelled."""
    intents = dict.fromkeys(item.intent or "" for file in files for item in file.items)
    problems = [
        Diagnostic(
            path="params.yaml",
            code="unknown_intent",
            found=f"none_intents with {quote_text(name)}",
            expected="intents of the source",
            fix=suggest_name(name, intents) or "correct its name, or remove it",
            summary=f"none_intents names {quote_text(name)}, which no example has",
        )
        for name in names
        if name not in intents
    ]
    if problems:
        raise UserError(problems)


def group_files(files: Iterable[SourceFile]) -> list[tuple[SourceFile, ...]]:
    """Group the files: those of `PARALLEL_FILES` by folder, all others by themselves."""
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        folder, _, name = file.name.rpartition("/")
        is_parallel = name.casefold() in PARALLEL_FILES and file.problem is None
        groups.setdefault(f"{folder}/" if is_parallel else file.name, []).append(file)
    return [tuple(group) for group in groups.values()]
