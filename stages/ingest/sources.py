"""From a source's parameters to its rows: the one place that knows all formats."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.tables import sort_by_id
from exemplars.dataset.catalog import merge_catalogs
from stages.ingest.erasure import without_erased
from stages.ingest.files import SourceTables, as_tables, files_in, joined, read_each
from stages.ingest.jsonl import infer_skills, parse_jsonl_file, parse_tools
from stages.ingest.opencui import bots_of, parse_bot
from stages.ingest.params import AnySource, IngestParams, JsonlSource, OpencuiSource, SgdSource, SkillsSource
from stages.ingest.reading import Reading, SourceFacts
from stages.ingest.sgd.source import read_sgd_source
from stages.ingest.skills import parse_skill_file
from stages.ingest.tombstones import Erasures

TOOLS_FILE = "tools.json"
"""The catalog beside labelled examples."""
NOTHING_ERASED = Erasures()


def read_source(
    name: str, params: IngestParams, workers: int, erasures: Erasures = NOTHING_ERASED
) -> SourceTables:
    """All rows of a source, sorted by id; what tombstones mean is in the ledger, without its text.

    Raises `UserError` with all that cannot be read, for a name that `params` does not have, and where a
    tombstone needs a key that is not set.
    """
    source = params.sources.get(name)
    if source is None:
        raise UserError([_unknown_source(name, params)])
    today = None if source.today is None else source.today.isoformat()
    facts = SourceFacts(name, source.license, today)
    left = without_erased(_read(source, facts, params, workers), erasures, isinstance(source, SgdSource))
    if left.groups and isinstance(source, SgdSource):
        # Once more: other names of a value must not be learned from what is erased.
        facts = facts._replace(erased_groups=left.groups)
        left = without_erased(_read(source, facts, params, workers), erasures, True)
    tables = left.tables
    return SourceTables(
        records=sort_by_id(tables.records),
        rejections=sort_by_id(tables.rejections),
        skills=merge_catalogs({name: tables.skills}),
        recognizers=tables.recognizers,
    )


def _read(source: AnySource, facts: SourceFacts, params: IngestParams, workers: int) -> SourceTables:
    root = Path(source.path)
    match source:
        case SgdSource():
            return read_sgd_source(root, source, facts, params.context_turns, workers)
        case SkillsSource():
            return as_tables(_read_skills(root, source, facts))
        case JsonlSource():
            return as_tables(_read_jsonl(root, source, facts))
        case OpencuiSource():
            return as_tables(_read_bots(root, source, facts))


def _read_skills(root: Path, source: SkillsSource, facts: SourceFacts) -> Reading:
    def parse(path: str, data: bytes) -> Reading:
        return parse_skill_file(facts, path, data, source.none_skill)[0]

    files = files_in(root, "", "*.md", "skill example files (*.md)")
    return read_each(facts, files, source.on_bad_file, parse)


def _read_jsonl(root: Path, source: JsonlSource, facts: SourceFacts) -> Reading:
    files = files_in(root, "", "*.jsonl", "labelled examples (*.jsonl)")
    reading = read_each(facts, files, source.on_bad_file, partial(parse_jsonl_file, facts))
    tools = root / TOOLS_FILE
    skills = parse_tools(TOOLS_FILE, tools.read_bytes()) if tools.exists() else infer_skills(reading.records)
    return reading._replace(skills=skills)


def _read_bots(root: Path, source: OpencuiSource, facts: SourceFacts) -> Reading:
    files = dict(files_in(root, "", "*.json", "OpenCUI bots (schemas.json, exemplars.json)"))
    return joined(
        [
            parse_bot(facts, {name: files[name].read_bytes() for name in bot}, source.instances_a_template)
            for bot in bots_of(files)
        ]
    )


def _unknown_source(name: str, params: IngestParams) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_source",
        found=f"no source {name!r}",
        expected=f"one of {', '.join(sorted(params.sources))}",
        fix="name it under ingest.sources",
    )
