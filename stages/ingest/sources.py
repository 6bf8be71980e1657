"""From a source's parameters to its rows: the one module that knows all formats."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.tables import sort_by_id
from exemplars.dataset.catalog import merge_catalogs
from stages.ingest.erasure import erase_rows
from stages.ingest.jsonl import infer_skills, parse_jsonl_file, parse_tools
from stages.ingest.opencui import group_bot_files, parse_bot
from stages.ingest.params import AnySource, IngestParams, JsonlSource, OpencuiSource, SgdSource, SkillsSource
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.sgd.source import read_sgd_source
from stages.ingest.skills import parse_skill_file
from stages.ingest.source_files import SourceTables, build_tables, list_files, merge_readings, read_files
from stages.ingest.tombstones import Erasures

TOOLS_FILE: Final = "tools.json"
"""The catalog next to labeled examples."""
NOTHING_ERASED: Final = Erasures()


def read_source(
    name: str, params: IngestParams, workers: int, erasures: Erasures = NOTHING_ERASED
) -> SourceTables:
    """Read all rows of a source, sorted by id; rows that tombstones match are in the ledger, without their text.

    Raises `UserError` with everything that cannot be read, if `params` has no source of that name, and if a
    tombstone needs a key that is not set.
    """
    settings = params.sources.get(name)
    if settings is None:
        raise UserError([_unknown_source(name, params)])
    source = SourceInfo(
        name, settings.license, None if settings.today is None else settings.today.isoformat()
    )
    is_dialogues = isinstance(settings, SgdSource)
    tables, erased_groups = erase_rows(_read(settings, source, params, workers), erasures, is_dialogues)
    if erased_groups and is_dialogues:
        # Read again: other names of a value must not be learned from erased dialogues.
        source = source._replace(erased_groups=erased_groups)
        tables, _ = erase_rows(_read(settings, source, params, workers), erasures, True)
    return SourceTables(
        records=sort_by_id(tables.records),
        rejections=sort_by_id(tables.rejections),
        skills=merge_catalogs({name: tables.skills}),
        recognizers=tables.recognizers,
    )


def _read(settings: AnySource, source: SourceInfo, params: IngestParams, workers: int) -> SourceTables:
    root = Path(settings.path)
    match settings:
        case SgdSource():
            return read_sgd_source(root, settings, source, params.context_turns, workers)
        case SkillsSource():
            return build_tables(_read_skills(root, settings, source))
        case JsonlSource():
            return build_tables(_read_jsonl(root, settings, source))
        case OpencuiSource():
            return build_tables(_read_bots(root, settings, source))


def _read_skills(root: Path, settings: SkillsSource, source: SourceInfo) -> Reading:
    def parse(path: str, data: bytes) -> Reading:
        return parse_skill_file(source, path, data, settings.none_skill)[0]

    files = list_files(root, "", "*.md", "skill example files (*.md)")
    return read_files(source, files, settings.on_bad_file, parse)


def _read_jsonl(root: Path, settings: JsonlSource, source: SourceInfo) -> Reading:
    files = list_files(root, "", "*.jsonl", "labeled examples (*.jsonl)")
    reading = read_files(source, files, settings.on_bad_file, partial(parse_jsonl_file, source))
    tools = root / TOOLS_FILE
    skills = parse_tools(TOOLS_FILE, tools.read_bytes()) if tools.exists() else infer_skills(reading.records)
    return reading._replace(skills=skills)


def _read_bots(root: Path, settings: OpencuiSource, source: SourceInfo) -> Reading:
    files = dict(list_files(root, "", "*.json", "OpenCUI bots (schemas.json, exemplars.json)"))
    return merge_readings(
        parse_bot(source, {path: files[path].read_bytes() for path in paths}, settings.instances_a_template)
        for paths in group_bot_files(files)
    )


def _unknown_source(name: str, params: IngestParams) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_source",
        found=f"no source {name!r}",
        expected=f"one of {', '.join(sorted(params.sources))}",
        fix="name it under ingest.sources",
    )
