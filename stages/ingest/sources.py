"""From a source's parameters to its rows: the one module that knows all formats."""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Final

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file
from exemplars.core.licenses import check_expressions
from exemplars.core.tables import sort_by_id
from exemplars.dataset.catalog_merge import merge_catalogs, place_skills
from stages.ingest.chat.source import read_chat_source
from stages.ingest.erasure import erase_rows
from stages.ingest.file_listing import FileKind, list_files
from stages.ingest.generated import GENERATED_FILES, read_generated_file
from stages.ingest.instruct import INSTRUCT_FILES, parse_instruct_file
from stages.ingest.jsonl import fit_values, infer_skills, read_examples, reject_incomplete
from stages.ingest.nlu import read_nlu_source
from stages.ingest.opencui import group_bot_files, parse_bot
from stages.ingest.params import (
    AnySource,
    ChatSource,
    GeneratedSource,
    IngestParams,
    InstructSource,
    JsonlSource,
    NluSource,
    OpencuiSource,
    SgdSource,
    SkillsSource,
)
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.remote_folders import open_source_folder
from stages.ingest.sgd.source import stream_sgd_source
from stages.ingest.skills import SKILL_FILES, parse_skill_file
from stages.ingest.source_files import (
    Definitions,
    RowTables,
    SourceStream,
    SourceTables,
    build_tables,
    read_files,
    read_parts,
    stream_tables,
)
from stages.ingest.tombstones import Erasures
from stages.ingest.tools import TOOLS_FILE, parse_tools

EXAMPLE_FILES: Final = FileKind(
    ("*.jsonl",),
    "labeled examples (*.jsonl)",
    rb'(?s)\A(?:\xef\xbb\xbf)?\s*[\[{].*?"utterance"\s*:',
    (TOOLS_FILE,),
)
_BOT_FILES: Final = FileKind(
    ("schemas.json", "exemplars.json", "recognizers.json"),
    "OpenCUI bots (schemas.json, exemplars.json)",
    rb'(?s)\A(?:\xef\xbb\xbf)?\s*[\[{].*?"(?:template|expressions)"\s*:',
)
NOTHING_ERASED: Final = Erasures()
DIALOGUES: Final = (SgdSource, ChatSource)
"""The sources whose groups are dialogues, which are erased as a whole: later turns repeat what was said."""


def read_source(
    name: str, params: IngestParams, workers: int, erasures: Erasures = NOTHING_ERASED
) -> SourceTables:
    """Read all rows of a source, sorted by id; as `stream_source`."""
    tables = stream_source(name, params, workers, erasures).collect()
    return tables._replace(records=sort_by_id(tables.records), rejections=sort_by_id(tables.rejections))


def stream_source(
    name: str, params: IngestParams, workers: int, erasures: Erasures = NOTHING_ERASED
) -> SourceStream:
    """Read a source part by part, when the parts are taken; rows that tombstones match are in the ledger, without text.

    Only dialogues of the SGD format come in several parts, and only if nothing is erased: a tombstone may take rows of
    all parts with it.
    Raises `UserError` with everything that cannot be read, if `params` has no source of that name, and if a
    tombstone needs a key that is not set.
    """
    settings = params.sources.get(name)
    if settings is None:
        raise UserError([_unknown_source(name, params)])
    check_expressions({f"ingest.sources.{name}.license": settings.license})
    today = None if settings.today is None else settings.today.isoformat()
    source = SourceInfo(name, settings.license, today)
    return SourceStream(_stream_parts(settings, source, params, workers, erasures))


def _stream_parts(
    settings: AnySource, source: SourceInfo, params: IngestParams, workers: int, erasures: Erasures
) -> Generator[RowTables, None, Definitions]:
    with open_source_folder(settings.path) as root:
        if isinstance(settings, SgdSource) and not erasures.tombstones:
            definitions = yield from stream_sgd_source(root, settings, source, params.context_turns, workers)
        else:
            tables = _read_unerased(root, settings, source, params, workers, erasures)
            definitions = yield from stream_tables(tables)
    return definitions._replace(skills=merge_catalogs({source.name: definitions.skills}))


def _read_unerased(
    root: Path,
    settings: AnySource,
    source: SourceInfo,
    params: IngestParams,
    workers: int,
    erasures: Erasures,
) -> SourceTables:
    """Read a source as a whole, and erase what tombstones match."""
    is_dialogues = isinstance(settings, DIALOGUES)
    tables, erased_groups = erase_rows(_read(root, settings, source, params, workers), erasures, is_dialogues)
    if erased_groups and isinstance(settings, SgdSource | NluSource):
        # Read again: values and their names must not be learned from erased dialogues and examples.
        source = source._replace(erased_groups=erased_groups)
        tables, _ = erase_rows(_read(root, settings, source, params, workers), erasures, is_dialogues)
    return tables


def _read(
    root: Path, settings: AnySource, source: SourceInfo, params: IngestParams, workers: int
) -> SourceTables:
    match settings:
        case SgdSource():
            stream = stream_sgd_source(root, settings, source, params.context_turns, workers)
            return SourceStream(stream).collect()
        case SkillsSource():
            return build_tables(_read_skills(root, settings, source))
        case JsonlSource():
            return build_tables(_read_jsonl(root, settings, source))
        case ChatSource():
            return read_chat_source(root, settings, source, params.context_turns)
        case NluSource():
            return build_tables(read_nlu_source(root, settings, source))
        case OpencuiSource():
            return build_tables(_read_bots(root, settings, source))
        case InstructSource():
            return build_tables(_read_instructions(root, settings, source, params.context_turns))
        case GeneratedSource():
            files = list_files(root, "", GENERATED_FILES)
            parse = partial(read_generated_file, source)
            return build_tables(read_files(source, files, settings.on_bad_file, parse))


def _read_skills(root: Path, settings: SkillsSource, source: SourceInfo) -> Reading:
    def parse(path: str, data: bytes) -> Reading:
        return parse_skill_file(source, path, data, settings.none_skill)[0]

    files = list_files(root, "", SKILL_FILES)
    return read_files(source, files, settings.on_bad_file, parse)


def _read_jsonl(root: Path, settings: JsonlSource, source: SourceInfo) -> Reading:
    files = list_files(root, "", EXAMPLE_FILES)
    reading = read_files(source, files, settings.on_bad_file, partial(read_examples, source))
    inferred = infer_skills(reading.records)
    tools = root / TOOLS_FILE
    if not os.path.lexists(tools):
        return fit_values(reading, inferred)._replace(skills=inferred)
    data = read_file(tools, name=TOOLS_FILE, expected="tool definitions")
    skills = place_skills(parse_tools(TOOLS_FILE, data), {TOOLS_FILE: data})
    # What the file does not define, another source may.
    fitted = fit_values(reading, [*inferred, *skills])
    return reject_incomplete(fitted, skills)._replace(skills=skills)


def _read_bots(root: Path, settings: OpencuiSource, source: SourceInfo) -> Reading:
    files = list_files(root, "", _BOT_FILES)
    by_name = {file.name: file for file in files if file.problem is None}
    parts = [tuple(by_name[name] for name in names) for names in group_bot_files(by_name)]
    parts += [(file,) for file in files if file.problem is not None]

    def parse(data: dict[str, bytes]) -> Reading:
        return parse_bot(source, data, settings.instances_a_template)

    return read_parts(source, parts, settings.on_bad_file, parse)


def _read_instructions(
    root: Path, settings: InstructSource, source: SourceInfo, context_turns: int
) -> Reading:
    def parse(path: str, data: bytes) -> Reading:
        return parse_instruct_file(source, path, data, settings, context_turns)

    return read_files(source, list_files(root, "", INSTRUCT_FILES), settings.on_bad_file, parse)


def _unknown_source(name: str, params: IngestParams) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_source",
        found=f"no source {name!r}",
        expected=f"one of {', '.join(sorted(params.sources))}",
        fix="name it under ingest.sources",
    )
