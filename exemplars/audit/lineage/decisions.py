"""What each stage decided about a row, from its record to the predictions for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from exemplars.audit.lineage.row_outcomes import LEDGERS, RENDER_LEDGER, SPLIT_TABLES
from exemplars.audit.lineage.tables import fetch_tables, filter_rows, is_available
from exemplars.audit.revisions import Revision
from exemplars.audit.run_membership import RunRows, select_runs_trained_on
from exemplars.core import layout
from exemplars.core.ids import SPLITS, make_speech_id, strip_derived
from exemplars.dataset.texts import make_similarity_text

TableRow = dict[str, Any]
Decision = dict[str, Any]
"""`stage`, `outcome`, and what the stage says about it."""
RowsByTable = dict[Path, dict[str, list[TableRow]]]
"""Of each table, the rows about each exemplar, by its id."""

_LEDGER: Final = ("id", "source", "stage", "reason", "message", "utterance", "skill", "group", "origin")
_EXEMPLAR: Final = (
    *(
        "id",
        "digest",
        "source",
        "turn",
        "call",
        "service",
        "skill",
        "mode",
        "speaker",
        "utterance",
        "exemplar",
    ),
    *("arguments", "reply", "context", "group", "license", "origin"),
)
_CHAT_ROW: Final = ("id", "turn", "exemplar_ids", "digests", "view", "slot", "speech", "prompt_tokens")
_TRAINING: Final = tuple(map(layout.training, SPLITS))
_COLUMNS: Final[dict[Path, tuple[str, ...]]] = {
    layout.EXEMPLARS: _EXEMPLAR,
    layout.TEMPLATES: ("id", "source", "skill", "template", "mode", "context", "group", "license", "origin"),
    layout.EDITS: ("id", "decision_id", "before", "after", "problem"),
    layout.CURATED: ("id", "digest", "utterance", "group"),
    layout.SPEECH: ("id", "digest", "utterance"),
    layout.REVIEW: ("id", "why", "detail", "score", "suggested"),
    **{path: ("id", "digest") for path in SPLIT_TABLES.values()},
    layout.split_speech(): ("id", "digest", "split"),
    **{path: _LEDGER for path in (*LEDGERS, RENDER_LEDGER)},
    **{path: _CHAT_ROW for path in _TRAINING},
    layout.PREDICTIONS: ("id", "exemplar_ids", "condition", "system", "kind", "right", "predicted"),
}
"""The columns to read of each table. Near duplicates are read by text: see `find_near_duplicates`."""
_ADDED: Final = ("condition",)
"""The columns that a table of an earlier version may not have."""


def collect_table_rows(revision: Revision, ids: Sequence[str]) -> RowsByTable:
    """Collect the rows of all tables that are about some exemplars. Raises `UserError` if one cannot be read."""
    fetch_tables(revision, _COLUMNS)
    tables: RowsByTable = {}
    names = [*ids, *map(make_speech_id, ids)]
    for path, columns in _COLUMNS.items():
        is_listed = "exemplar_ids" in columns
        where = pl.col("id").is_in(names)
        if is_listed:
            where = pl.col("exemplar_ids").list.eval(pl.element().is_in(names)).list.any()
        rows: dict[str, list[TableRow]] = defaultdict(list)
        for row in filter_rows(revision, path, columns, where, _ADDED):
            for name in row["exemplar_ids"] if is_listed else [row["id"]]:
                rows[_find_exemplar(name, ids)].append(row)
        tables[path] = rows
    return tables


def find_near_duplicates(revision: Revision, tables: RowsByTable) -> list[TableRow]:
    """Find the pairs of near duplicates that the curated rows among `tables` are part of."""
    rows = [row for kept in tables[layout.CURATED].values() for row in kept]
    texts = {make_similarity_text(row["utterance"]) for row in rows}
    texts |= {
        make_similarity_text(row["exemplar"]) for kept in tables[layout.EXEMPLARS].values() for row in kept
    }
    either = pl.col("first").is_in(list(texts)) | pl.col("second").is_in(list(texts))
    return filter_rows(revision, layout.PAIRS, ("column", "first", "second", "similarity"), either)


def find_made_tables(revision: Revision) -> frozenset[Path]:
    """Find the tables that a stage has written at the revision."""
    return frozenset(path for path in _COLUMNS if is_available(revision, path))


def list_decisions(
    row_id: str,
    tables: RowsByTable,
    pairs: Iterable[TableRow],
    runs: Iterable[RunRows],
    made: Collection[Path],
    digests: Collection[str],
) -> list[Decision]:
    """List what each stage decided about a row, in the order of the stages.

    tables, pairs, runs: from `collect_table_rows`, `find_near_duplicates` and `load_run_rows`. made: the tables that
    exist; a stage without its table has the outcome `not run`.
    """
    rejection = _describe_rejection(row_id, tables)
    if rejection and rejection["stage"] == "ingest":
        return [rejection]
    decisions = [_decide("ingest", "record")]
    if template := _get_first(row_id, tables, layout.TEMPLATES):
        particulars = {name: template[name] for name in ("skill", "template", "mode", "context")}
        return [*decisions, _decide("compile", "template", **particulars)]
    for stage, table, describe in _STEPS:
        if rejection and rejection["stage"] == stage:
            return [*decisions, rejection]
        decisions.append(describe(row_id, tables, pairs) if table in made else _decide(stage, "not run"))
    return [
        *decisions,
        *_describe_render(row_id, tables, made),
        _describe_train(row_id, tables, runs, digests),
        _describe_evaluate(row_id, tables, made),
    ]


def _find_exemplar(name: str, ids: Sequence[str]) -> str:
    return name if name in ids else strip_derived(name)


def _get_first(row_id: str, tables: RowsByTable, path: Path) -> TableRow | None:
    return next(iter(tables[path].get(row_id, ())), None)


def _decide(stage: str, outcome: str, **particulars: Any) -> Decision:
    return {"stage": stage, "outcome": outcome, **particulars}


def _describe_rejection(row_id: str, tables: RowsByTable) -> Decision | None:
    for path in LEDGERS:
        if row := _get_first(row_id, tables, path):
            return _decide(row["stage"], "rejected", reason=row["reason"], message=row["message"])
    return None


def _describe_compile(row_id: str, tables: RowsByTable, _: Iterable[TableRow]) -> Decision:
    row = tables[layout.EXEMPLARS][row_id][0]
    names = (
        *(
            "digest",
            "turn",
            "call",
            "speaker",
            "utterance",
            "exemplar",
            "service",
            "skill",
            "mode",
            "arguments",
        ),
        *("reply", "context"),
    )
    edits = [
        {name: edit[name] for name in ("decision_id", "before", "after", "problem")}
        for edit in tables[layout.EDITS].get(row_id, ())
    ]
    return _decide("compile", "exemplar", **{name: row[name] for name in names}, edits=edits)


def _describe_curate(row_id: str, tables: RowsByTable, pairs: Iterable[TableRow]) -> Decision:
    row, before = (_get_first(row_id, tables, path) for path in (layout.CURATED, layout.EXEMPLARS))
    if row is None or before is None:
        return _decide("curate", "not found")
    texts = {make_similarity_text(row["utterance"]), make_similarity_text(before["exemplar"])}
    return _decide(
        "curate",
        "kept",
        group=row["group"],
        joined_from=before["group"] if before["group"] != row["group"] else None,
        digest=row["digest"] if before["digest"] != row["digest"] else None,
        review=[
            {key: item[key] for key in ("why", "detail", "score", "suggested")}
            for item in tables[layout.REVIEW].get(row_id, ())
        ],
        near=[pair for pair in pairs if pair["first"] in texts or pair["second"] in texts],
    )


def _describe_split(row_id: str, tables: RowsByTable, _: Iterable[TableRow]) -> Decision:
    splits = (name for name, path in SPLIT_TABLES.items() if _get_first(row_id, tables, path))
    has_speech_view = _get_first(row_id, tables, layout.split_speech()) is not None
    return _decide("split", next(splits, "not found"), speech_view=has_speech_view)


_Describe = Callable[[str, RowsByTable, Iterable[TableRow]], Decision]
_STEPS: Final[tuple[tuple[str, Path, _Describe], ...]] = (
    ("compile", layout.EXEMPLARS, _describe_compile),
    ("curate", layout.CURATED, _describe_curate),
    ("split", SPLIT_TABLES["train"], _describe_split),
)


def _describe_render(row_id: str, tables: RowsByTable, made: Collection[Path]) -> list[Decision]:
    chat_rows = [
        {key: row[key] for key in _CHAT_ROW} for path in _TRAINING for row in tables[path].get(row_id, ())
    ]
    rejections = [
        _decide("render", "rejected", reason=row["reason"], message=row["message"])
        for row in tables[RENDER_LEDGER].get(row_id, ())
    ]
    if chat_rows:
        return [_decide("render", "rendered", rows=chat_rows), *rejections]
    return rejections or [_decide("render", "no row" if _TRAINING[0] in made else "not run")]


def _describe_train(
    row_id: str, tables: RowsByTable, runs: Iterable[RunRows], known: Collection[str]
) -> Decision:
    digests = set(known)
    for row in (row for path in _TRAINING for row in tables[path].get(row_id, ())):
        of_rows = zip(row["exemplar_ids"], row["digests"], strict=True)
        digests |= {digest for name, digest in of_rows if strip_derived(name) == strip_derived(row_id)}
    trained = select_runs_trained_on(runs, digests)
    outcome = "seen" if any(run.digests for run in trained) else "not seen"
    return _decide("train", outcome, runs=[run._asdict() for run in trained])


def _describe_evaluate(row_id: str, tables: RowsByTable, made: Collection[Path]) -> Decision:
    predictions = tables[layout.PREDICTIONS].get(row_id, [])
    missing = "not a test row" if layout.PREDICTIONS in made else "not run"
    return _decide("evaluate", "judged" if predictions else missing, predictions=predictions)
