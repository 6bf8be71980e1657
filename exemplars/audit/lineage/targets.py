"""Targets of `exemplars trace`: an exemplar, a digest, a run, a dialogue, or a file with or without a place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from exemplars.audit.lineage.row_outcomes import LEDGERS
from exemplars.audit.lineage.row_reviews import read_edits
from exemplars.audit.lineage.sources import Source, read_sources
from exemplars.audit.lineage.tables import is_available, read_columns
from exemplars.audit.revisions import Revision
from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text, summarize_names
from exemplars.core.ids import parse_row_id, split_locator, strip_derived

_DIGEST: Final = re.compile(r"[0-9a-f]{6,64}")
_RUN: Final = re.compile(r".+-[0-9a-f]{12}-[0-9a-f]{12}")
_MAX_NAMES: Final = 5


class TargetKind(StrEnum):
    """The kinds of target, in the order in which a text is tried."""

    EXEMPLAR = "exemplar"
    DIGEST = "digest"
    RUN = "run"
    DIALOGUE = "dialogue"
    FILE = "file"


class Target(NamedTuple):
    """What a text refers to at a revision."""

    kind: TargetKind
    name: str
    """In full: a digest with all digits, a dialogue as the rows name it."""
    ids: tuple[str, ...] = ()
    """The rows, in the order of their files; empty for a run."""
    run: RecordedRun | None = None


def resolve_target(revision: Revision, text: str) -> Target:
    """Resolve a text to what it refers to at a revision, tried in the order of `TargetKind`.

    Raises `UserError` if it refers to nothing, or if the beginning of a digest or the short id of a dialogue
    refers to several.
    """
    records = _read_records(revision)
    for name in dict.fromkeys((text, strip_derived(text))):
        if ids := _select_ids(records, pl.col("id") == name):
            return Target(TargetKind.EXEMPLAR, name, ids)
    if _DIGEST.fullmatch(text) and (target := _resolve_digest(revision, text)):
        return target
    if _RUN.fullmatch(text) and ":" not in text:
        return _resolve_run(revision, text)
    # The chat rows of a turn with several rows have its id, which is the place of these rows.
    place = strip_derived(text) if "#" in text else text
    return _resolve_dialogue(records, text) or _resolve_file(revision, records, place)


def _read_records(revision: Revision) -> pl.DataFrame:
    """Read the id and the group of each record of the sources."""
    tables = [layout.EXEMPLARS, LEDGERS[0]]
    if is_available(revision, layout.TEMPLATES):  # An earlier version of `compile` wrote none.
        tables.append(layout.TEMPLATES)
    return pl.concat([read_columns(revision, path, ("id", "group")) for path in tables])


def _select_ids(records: pl.DataFrame, where: pl.Expr) -> tuple[str, ...]:
    return tuple(sorted(set(records.filter(where)["id"]), key=_split_numbers))


def _split_numbers(row_id: str) -> list[tuple[int, str]]:
    """Split an id into a sort key that puts line 9 before line 10, and orders JSON Pointers alike."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", row_id)]


def _resolve_digest(revision: Revision, text: str) -> Target | None:
    tables = (layout.EXEMPLARS, layout.CURATED, layout.SPEECH)
    where = pl.col("digest").str.starts_with(text)
    rows = pl.concat(
        [
            read_columns(revision, path, ("id", "digest"), where)
            for path in tables
            if is_available(revision, path)
        ]
    )
    before = [
        {"id": edit["id"], "digest": edit["before"]}
        for edit in read_edits(revision, pl.col("before").str.starts_with(text))
    ]
    rows = pl.concat([rows, pl.DataFrame(before, rows.schema)])
    digests = rows["digest"].unique().sort().to_list()
    if len(digests) > 1:
        raise _ambiguous(text, "digests", digests, "name more digits")
    ids = dict.fromkeys(map(strip_derived, rows["id"]))
    return Target(TargetKind.DIGEST, digests[0], tuple(ids)) if digests else None


def _resolve_run(revision: Revision, text: str) -> Target:
    runs = {run.name: run for run in find_runs(revision.root)}
    if run := runs.get(text):
        return Target(TargetKind.RUN, text, run=run)
    expected = f"a run: {summarize_names(runs, _MAX_NAMES)}" if runs else "a run"
    raise _unknown(text, expected, "`exemplars runs` lists them")


def _resolve_dialogue(records: pl.DataFrame, text: str) -> Target | None:
    group = pl.col("group")
    short = group.str.ends_with(f":{text}") | group.str.ends_with(f"/{text}")
    rows = records.filter((group == text) | short)
    groups = rows["group"].unique().sort().to_list()
    if text in groups:
        groups = [text]
    if len(groups) > 1:
        raise _ambiguous(text, "dialogues", groups, "name one of them in full")
    return Target(TargetKind.DIALOGUE, groups[0], _select_ids(rows, group == groups[0])) if groups else None


def _resolve_file(revision: Revision, records: pl.DataFrame, text: str) -> Target:
    sources = read_sources(revision).values()
    without_row: UserError | None = None
    for path, sign, locator in _list_splits(revision.root, text):
        for source, relative in _list_candidates(sources, path):
            rows = records.filter(pl.col("id").str.starts_with(f"{source.name}:"))
            ids = _select_ids(rows, _is_below(source.name, relative))
            if not ids:
                continue
            if selected := _select_at(ids, sign, locator, source) if sign else ids:
                return Target(TargetKind.FILE, text, selected)
            without_row = without_row or _no_row(text, ids, locator)
    if without_row:
        raise without_row
    path = _relate(revision.root, text)
    is_inside = not Path(path).is_absolute() and ".." not in Path(path).parts
    if is_inside and (revision.root / path).is_file():
        return Target(TargetKind.FILE, path)  # No rows; a run may have been trained on it as a raw text.
    raise _unknown(
        text,
        "an exemplar's id, six or more digits of a digest, a run, a dialogue, or a source file",
        "`exemplars runs` lists runs; ids are in data/exemplars/, files in data/raw/",
    )


def _list_splits(root: Path, text: str) -> Iterator[tuple[str, str, str]]:
    """List the ways to read `PATH`, `PATH:LINE` or `PATH#LOCATOR`: path, sign and locator, the longest path first.

    The name of a file may have a `#` or a `:`, too. Paths are relative to the root.
    """
    yield _relate(root, text), "", ""
    path, sign, locator = text.rpartition(":")
    if sign and locator.isdecimal():
        yield _relate(root, path), sign, locator
    for match in reversed(list(re.finditer("#", text))):
        yield _relate(root, text[: match.start()]), "#", text[match.end() :]


def _relate(root: Path, path: str) -> str:
    """Make a path relative to the root, if it is an absolute one of a file below it."""
    file = Path(path)
    if file.is_absolute() and file.is_relative_to(root.resolve()):
        file = file.relative_to(root.resolve())
    return file.as_posix()


def _list_candidates(sources: Iterable[Source], path: str) -> list[tuple[Source, str]]:
    """List the sources that may have a path, with the path relative to their folders.

    The path may begin with a source's folder, or with its name, as ids do (`skills:weather.md`). Any other path may
    be relative to the folder of any source.
    """
    sources = list(sources)
    name, _, rest = path.partition(":")
    if rest and (named := [source for source in sources if source.name == name]):
        return [(named[0], rest)]
    inside = [
        (source, path.removeprefix(source.folder).lstrip("/"))
        for source in sources
        if path == source.folder or path.startswith(f"{source.folder}/")
    ]
    return inside or [(source, path) for source in sources]


def _is_below(source: str, relative: str) -> pl.Expr:
    """Whether a row is in a file, or in any file of a folder. The name of a file may have a `#`."""
    if not relative or relative == ".":
        return pl.lit(True)
    path = pl.col("id").str.strip_prefix(f"{source}:").str.replace(r"#[^#]*$", "")
    return (path == relative) | path.str.starts_with(f"{relative}/")


def _select_at(ids: Iterable[str], sign: str, locator: str, source: Source) -> tuple[str, ...]:
    """Select the rows at or below a line or a JSON Pointer."""
    locators = {row_id: parse_row_id(row_id).locator for row_id in ids}
    below = f"{locator.rstrip('/')}/"
    selected = tuple(
        row_id for row_id, place in locators.items() if place == locator or place.startswith(below)
    )
    if selected or sign != ":" or source.format != "skills":
        return selected
    # A skill example has several lines; its row has the number of the first.
    lines = {int(place): row_id for row_id, place in locators.items() if place.isdecimal()}
    before = [line for line in lines if line < int(locator)]
    return (lines[max(before)],) if before else ()


def _no_row(text: str, ids: Collection[str], locator: str) -> UserError:
    """Return an error that names the rows nearest to a place that has none."""
    locators = [parse_row_id(row_id).locator for row_id in ids]
    line = split_locator(locator)[0] or 0
    numbers = {number for number, _ in map(split_locator, locators) if number is not None}
    lines = sorted(numbers, key=lambda other: abs(other - line))
    if lines:
        nearest = ", ".join(map(str, sorted(lines[:_MAX_NAMES])))
        expected = f"one of its {len(ids)} rows; near it they begin at {nearest}"
    else:
        pointers = summarize_names([f"#{place}" for place in locators], _MAX_NAMES)
        expected = f"a JSON Pointer of one of its {len(ids)} rows: {pointers}"
    return _unknown(text, expected, "name another place, or the file alone")


def _ambiguous(text: str, things: str, names: list[str], fix: str) -> UserError:
    found = f"{len(names)} {things} that {quote_text(text)} may mean: {summarize_names(names, _MAX_NAMES)}"
    return UserError(
        [Diagnostic(path=_format_text(text), code="ambiguous", found=found, expected="exactly one", fix=fix)]
    )


def _unknown(text: str, expected: str, fix: str) -> UserError:
    found = f"nothing called {quote_text(text)}"
    return UserError(
        [Diagnostic(path=_format_text(text), code="unknown", found=found, expected=expected, fix=fix)]
    )


def _format_text(text: str) -> str:
    return " ".join(text.split()) or "WHAT"
