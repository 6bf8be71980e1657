"""What the stage reads: the records, catalogs and recognizers of its sources."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.schemas import RECORD_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, decode_catalog, merge_catalogs
from exemplars.dataset.recognizers import BUILT_IN, Recognizers, decode_recognizers, merge_recognizers
from stages.compile.params import CompileParams


class Inputs(NamedTuple):
    """All that is compiled together."""

    paths: tuple[Path, ...]
    """The records of each source, in the order of the sources' ids."""
    rejected: pa.Table
    """What the readers of the sources could not take; it stays in the ledger."""
    records: dict[str, int]
    """How many records each source has, those that were rejected included."""
    skills: tuple[Skill, ...]
    recognizers: Recognizers


def read_inputs(params: CompileParams) -> Inputs:
    """The inputs of the sources that `params` names.

    Raises `UserError` with every source that was not ingested, and with catalogs that clash.
    """
    # In the order of the ids that begin with the names, so that the merged rows are in order.
    sources = sorted(set(params.sources), key=lambda name: f"{name}:")
    missing = [name for name in sources if not layout.records(name).exists()]
    if missing or not sources:
        raise UserError([_not_ingested(name) for name in missing] or [_no_source()])
    paths = tuple(layout.records(name) for name in sources)
    catalogs = {name: decode_catalog(layout.source_catalog(name).read_bytes()) for name in sources}
    recognizers = merge_recognizers(
        [
            read_recognizers(Path(params.recognizers)),
            *(read_recognizers(layout.source_recognizers(name)) for name in sources),
        ]
    )
    skills = merge_catalogs(catalogs)
    _check_recognizers(skills, recognizers)
    ledgers = {name: read_table(layout.record_rejections(name), REJECTION_SCHEMA) for name in sources}
    records = {name: _rows(layout.records(name)) + ledgers[name].num_rows for name in sources}
    return Inputs(paths, pa.concat_tables(ledgers.values()), records, skills, recognizers)


def read_recognizers(path: Path) -> Recognizers:
    """A file of recognizers. Raises `UserError` where it is none."""
    try:
        return decode_recognizers(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise UserError(
            [
                Diagnostic(
                    path=str(path),
                    code="bad_recognizers",
                    found=found,
                    expected='{"recognizers": {name: {"instances": [{"label", "expressions"}]}}}',
                    fix="correct the file, or its path in params.yaml (compile.recognizers)",
                )
            ]
        ) from None


def _rows(path: Path) -> int:
    metadata = pq.ParquetFile(path)
    if not metadata.schema_arrow.equals(RECORD_SCHEMA):
        raise UserError(
            [
                Diagnostic(
                    path=str(path),
                    code="unreadable_table",
                    found="other columns",
                    expected="records of this version",
                    fix="run `dvc repro` to make it anew",
                )
            ]
        )
    return int(metadata.metadata.num_rows)


def _check_recognizers(skills: tuple[Skill, ...], recognizers: Recognizers) -> None:
    known = {*BUILT_IN, *recognizers.recognizers}
    unknown = [
        Diagnostic(
            path="catalog",
            code="unknown_recognizer",
            found=f"recognizer {one.recognizer!r} of parameter {skill.name}.{one.name}",
            expected=f"one of {', '.join(sorted(known))}",
            fix="correct the name, or add the recognizer to the file that compile.recognizers names",
        )
        for skill in skills
        for one in skill.parameters
        if one.recognizer is not None and one.recognizer not in known
    ]
    if unknown:
        raise UserError(unknown)


def _not_ingested(name: str) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_source",
        found=f"source {name!r} in compile.sources, without records",
        expected="sources that stand under ingest.sources too",
        fix=f"add ingest.sources.{name}, or remove it from compile.sources, then run `dvc repro`",
    )


def _no_source() -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="no_source",
        found="no source in compile.sources",
        expected="at least one",
        fix="name the sources to compile",
    )
