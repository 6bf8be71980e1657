"""Conservation: at every stage, the rows that came in are those that it kept and those that it rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from exemplars.audit.verification.checks import Check, problem, short, some
from exemplars.audit.verification.tables import SPLITS, Tables
from exemplars.core import layout
from exemplars.core.errors import Diagnostic

_FIX: Final = "run `dvc repro`; if it stays so, report it as a defect"


def check_sums(tables: Tables, compiled: Sequence[str], params: Mapping[str, Any]) -> Check:
    """Hold the ids that came into each stage to those in its tables and ledgers.

    compiled: the sources that `compile` reads. params: those that the stages ran with, by dotted key.
    """
    records = [path for name in compiled for path in (layout.records(name), layout.record_rejections(name))]
    splits = list(map(layout.split, SPLITS))
    steps = {
        "compile": (records, [layout.EXEMPLARS, layout.ledger_path(layout.EXEMPLARS)]),
        "curate": ([layout.EXEMPLARS], [layout.CURATED, layout.ledger_path(layout.CURATED)]),
        "split": ([layout.CURATED], [*splits, layout.ledger_path(layout.MANIFEST)]),
    }
    problems: list[Diagnostic] = []
    looked: dict[str, int] = {}
    for stage, (before, after) in steps.items():
        ids = {path: tables.ids(path) for path in (*before, *after)}
        if any(one is None for one in ids.values()):
            continue
        came = [one for path in before for one in ids[path] or ()]
        problems += lost_rows(stage, came, {path.as_posix(): ids[path] or () for path in after})
        looked[stage] = len(came)
    if (rendered := _rendered(tables, params)) is not None:
        looked["render"] = rendered[0]
        problems += rendered[1]
    surrogate = params.get("curate", {}).get("privacy", {}).get("mode") == "surrogate"
    problems += _carried(tables, surrogate)
    counted = f"{sum(looked.values()):,} rows in = kept + rejected, at {len(looked)} stages"
    return Check("sums", counted, tuple(problems))


def lost_rows(stage: str, came: Sequence[str], went: Mapping[str, Sequence[str]]) -> Iterator[Diagnostic]:
    """What came into a stage and is nowhere, in several places, or came from nowhere.

    came: ids. went: the ids of each table that the stage wrote.
    """
    before = Counter(came)
    after = Counter(one for ids in went.values() for one in ids)
    places = " + ".join(went)
    if lost := [one for one in before if one not in after]:
        found = f"{len(lost):,} of {len(came):,} rows in neither: {some(lost)}"
        yield problem(f"stage {stage}", "lost_rows", found, f"all in {places}", _FIX)
    if strange := [one for one in after if one not in before]:
        where = next(path for path, ids in went.items() if strange[0] in ids)
        found = f"{len(strange):,} rows that did not come in: {some(strange)}"
        yield problem(where, "unknown_rows", found, f"rows of what {stage} read", _FIX)
    if twice := [one for one, count in after.items() if count > before.get(one, count)]:
        where = next(path for path, ids in went.items() if twice[0] in ids)
        found = f"{len(twice):,} rows kept or rejected more than once: {some(twice)}"
        yield problem(where, "doubled_rows", found, "each once", _FIX)


def _rendered(tables: Tables, params: Mapping[str, Any]) -> tuple[int, list[Diagnostic]] | None:
    """How many rows `render` was given, and what is wrong with what it made of them.

    A row has one prompt a view (of the view `slot`, one a parameter), so an id may stand in a table and in
    the ledger; with the view `call` alone it is in one of the two.
    """
    given = [*map(layout.split, SPLITS), layout.split_speech()]
    made = [*map(layout.training, SPLITS)]
    ledger = layout.ledger_path(layout.TRAINING_BASE)
    columns = {path: tables.ids(path) for path in (*given, ledger)}
    columns |= {path: tables.ids(path, "exemplar_id") for path in made}
    if any(one is None for one in columns.values()):
        return None
    came = [one for path in given for one in columns[path] or ()]
    went = {path.as_posix(): columns[path] or [] for path in (*made, ledger)}
    views = params.get("render", {}).get("views", ["call"])
    if views != ["call"]:
        went = {path: sorted(set(ids)) for path, ids in went.items()}
        came = came if {"call", "skill"} & set(views) else [one for ids in went.values() for one in ids]
    found = [
        one for one in lost_rows("render", came, went) if views == ["call"] or one.code != "doubled_rows"
    ]
    return len(came), found


def _carried(tables: Tables, surrogate: bool) -> Iterator[Diagnostic]:
    """Rows whose content is another one than in the stage before.

    surrogate: `curate` replaced personal data, which changes contents.
    """
    splits = list(map(layout.split, SPLITS))
    if not surrogate:
        yield from _changed(tables, [layout.EXEMPLARS], layout.CURATED)
    for path in splits:
        yield from _changed(tables, [layout.CURATED], path)
    yield from _changed(tables, [layout.SPEECH], layout.split_speech())
    for name in SPLITS:
        given: Collection[Path] = (layout.split(name), layout.split_speech())
        yield from _changed(tables, given, layout.training(name), "exemplar_id")


def _changed(
    tables: Tables, before: Collection[Path], after: Path, column: str = "id"
) -> Iterator[Diagnostic]:
    digests: dict[str, str] = {}
    for path in before:
        if (table := tables.narrow(path)) is None:
            return
        digests |= dict(zip(table.column("id").to_pylist(), table.column("digest").to_pylist(), strict=True))
    if (table := tables.narrow(after)) is None:
        return
    rows = zip(table.column(column).to_pylist(), table.column("digest").to_pylist(), strict=True)
    wrong = [one for one, digest in rows if digests.get(one, digest) != digest]
    if wrong:
        found = f"{len(wrong):,} rows of other content: {some(wrong)}"
        expected = f"that of {next(iter(before)).as_posix()}: {short(digests[min(wrong)])} of the first"
        yield problem(after.as_posix(), "other_content", found, expected, _FIX)
