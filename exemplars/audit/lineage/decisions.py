"""What each stage decided about a row, from its record to the answers of the systems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from exemplars.audit.lineage.row_outcomes import LEDGERS, RENDER_LEDGER, SPLITS
from exemplars.audit.lineage.tables import available, bring, rows
from exemplars.audit.revisions import Revision
from exemplars.audit.run_membership import RunRows, seen_by
from exemplars.core import layout
from exemplars.dataset.texts import normalize_text

Row = dict[str, Any]
Rows = dict[Path, dict[str, list[Row]]]
"""Of each table, the rows of each exemplar."""

_SPEECH: Final = "~speech"
_LEDGER: Final = ("id", "source", "stage", "reason", "message", "utterance", "skill", "group", "origin")
_EXEMPLAR: Final = (
    *("id", "digest", "source", "service", "skill", "mode", "utterance", "exemplar", "arguments"),
    *("context", "group", "license", "origin"),
)
_TRAINING: Final = ("id", "exemplar_id", "digest", "view", "slot", "speech", "prompt_tokens")
_TRAININGS: Final = tuple(map(layout.training, SPLITS))
_COLUMNS: Final[dict[Path, tuple[str, ...]]] = {
    layout.EXEMPLARS: _EXEMPLAR,
    layout.CURATED: ("id", "digest", "utterance", "group"),
    layout.SPEECH: ("id", "digest", "utterance"),
    layout.REVIEW: ("id", "why", "detail", "score", "suggested"),
    **{path: ("id", "digest") for path in SPLITS.values()},
    layout.split_speech(): ("id", "digest", "split"),
    **{path: _LEDGER for path in (*LEDGERS, RENDER_LEDGER)},
    **{path: _TRAINING for path in _TRAININGS},
    layout.PREDICTIONS: ("id", "system", "kind", "right", "predicted"),
}
"""What is read of each table; those of records and pairs are not found by an exemplar's id alone."""


def rows_about(revision: Revision, ids: Sequence[str]) -> Rows:
    """The rows of all tables that are about these exemplars. Raises `UserError`."""
    bring(revision, _COLUMNS)
    found: Rows = {}
    names = [*ids, *(f"{one}{_SPEECH}" for one in ids)]
    for path, columns in _COLUMNS.items():
        key = "exemplar_id" if path in _TRAININGS else "id"
        where = pl.col(key).is_in(names)
        if path == layout.PREDICTIONS:
            where = pl.col(key).str.replace("@.*$", "").is_in(names) | where
        by_id: dict[str, list[Row]] = defaultdict(list)
        for row in rows(revision, path, columns, where):
            by_id[_exemplar_of(row[key], ids)].append(row)
        found[path] = by_id
    return found


def pairs_about(revision: Revision, found: Rows) -> list[Row]:
    """The near duplicates of the curated rows among `found`."""
    texts = {normalize_text(row["utterance"]) for kept in found[layout.CURATED].values() for row in kept}
    texts |= {normalize_text(row["exemplar"]) for kept in found[layout.EXEMPLARS].values() for row in kept}
    either = pl.col("first").is_in(list(texts)) | pl.col("second").is_in(list(texts))
    return rows(revision, layout.PAIRS, ("column", "first", "second", "similarity"), either)


def decisions(
    row_id: str, found: Rows, pairs: Iterable[Row], runs: Iterable[RunRows], made: Mapping[Path, bool]
) -> list[Row]:
    """What each stage decided, in the order of the stages: a row of `stage`, `outcome` and particulars.

    made: whether each table is there; a stage without its table has the outcome `not run`.
    """
    rejected = _rejection(row_id, found)
    told = [] if rejected and rejected["stage"] == "ingest" else [_outcome("ingest", "record")]
    for stage, table, tell in _STEPS:
        if rejected and rejected["stage"] in ("ingest", stage):
            return [*told, rejected]
        told.append(tell(row_id, found, pairs) if made[table] else _outcome(stage, "not run"))
    return [*told, *_learned(row_id, found, runs, made)]


def digests_of(row_id: str, found: Rows) -> frozenset[str]:
    """Every digest that the exemplar has had on its way, of its speech view too."""
    tables = (layout.EXEMPLARS, layout.CURATED, layout.SPEECH, layout.split_speech(), *_TRAININGS)
    paths = (*tables, *SPLITS.values())
    return frozenset(row["digest"] for path in paths for row in found[path].get(row_id, ()))


def _exemplar_of(name: str, ids: Sequence[str]) -> str:
    bare = name.partition("@")[0] if name not in ids else name
    return bare if bare in ids else bare.removesuffix(_SPEECH)


def _one(row_id: str, found: Rows, path: Path) -> Row | None:
    return next(iter(found[path].get(row_id, ())), None)


def _outcome(stage: str, outcome: str, **particulars: Any) -> Row:
    return {"stage": stage, "outcome": outcome, **particulars}


def _rejection(row_id: str, found: Rows) -> Row | None:
    for path in LEDGERS:
        if row := _one(row_id, found, path):
            return _outcome(row["stage"], "rejected", reason=row["reason"], message=row["message"])
    return None


def _compiled(row_id: str, found: Rows, _: Iterable[Row]) -> Row:
    row = found[layout.EXEMPLARS][row_id][0]
    names = ("digest", "utterance", "exemplar", "service", "skill", "mode", "arguments", "context")
    return _outcome("compile", "exemplar", **{name: row[name] for name in names})


def _curated(row_id: str, found: Rows, pairs: Iterable[Row]) -> Row:
    row, before = _one(row_id, found, layout.CURATED), _one(row_id, found, layout.EXEMPLARS)
    if row is None or before is None:
        return _outcome("curate", "not found")
    texts = {normalize_text(row["utterance"]), normalize_text(before["exemplar"])}
    return _outcome(
        "curate",
        "kept",
        group=row["group"],
        joined_from=before["group"] if before["group"] != row["group"] else None,
        digest=row["digest"] if before["digest"] != row["digest"] else None,
        review=[
            {key: one[key] for key in ("why", "detail", "score", "suggested")}
            for one in found[layout.REVIEW].get(row_id, ())
        ],
        near=[one for one in pairs if one["first"] in texts or one["second"] in texts],
    )


def _placed(row_id: str, found: Rows, _: Iterable[Row]) -> Row:
    name = next((name for name, path in SPLITS.items() if _one(row_id, found, path)), "not found")
    return _outcome("split", name, speech_view=_one(row_id, found, layout.split_speech()) is not None)


_STEPS: Final = (
    ("compile", layout.EXEMPLARS, _compiled),
    ("curate", layout.CURATED, _curated),
    ("split", SPLITS["train"], _placed),
)


def _learned(row_id: str, found: Rows, runs: Iterable[RunRows], made: Mapping[Path, bool]) -> list[Row]:
    """What render, train and evaluate did with a row of a split."""
    ready = [
        {key: row[key] for key in _TRAINING if key != "exemplar_id"}
        for path in _TRAININGS
        for row in found[path].get(row_id, ())
    ]
    told = [
        _outcome("render", "rejected", reason=row["reason"], message=row["message"])
        for row in found[RENDER_LEDGER].get(row_id, ())
    ]
    if ready:
        told.insert(0, _outcome("render", "rendered", rows=ready))
    elif not told:
        told.append(_outcome("render", "no row" if made[_TRAININGS[0]] else "not run"))
    answers = found[layout.PREDICTIONS].get(row_id, [])
    seen = seen_by(runs, digests_of(row_id, found))
    told.append(_outcome("train", "seen" if any(one["digests"] for one in seen) else "not seen", runs=seen))
    done = made[layout.PREDICTIONS]
    outcome = "judged" if answers else "not a test row" if done else "not run"
    return [*told, _outcome("evaluate", outcome, predictions=answers)]


def tables_made(revision: Revision) -> dict[Path, bool]:
    """Of each table whether a stage has made it at the revision."""
    return {path: available(revision, path) for path in _COLUMNS}
