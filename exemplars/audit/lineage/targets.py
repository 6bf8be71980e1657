"""What somebody asks about: an exemplar, a digest, a run, a dialogue, or a file with or without a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from exemplars.audit.lineage.row_outcomes import LEDGERS
from exemplars.audit.lineage.sources import Source, sources_of
from exemplars.audit.lineage.tables import available, read
from exemplars.audit.revisions import Revision
from exemplars.audit.run_history import RecordedRun, find_runs
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text

_DIGEST: Final = re.compile(r"[0-9a-f]{6,64}")
_RUN: Final = re.compile(r".+-[0-9a-f]{12}-[0-9a-f]{12}")
_DERIVED: Final = re.compile(r"(~speech)?(@(call|skill|slot)(:.*)?)?$")
"""What the id of a speech view or of a training row has behind its exemplar's."""
_LISTED: Final = 5


class Kind(StrEnum):
    """Which question is asked."""

    EXEMPLAR = "exemplar"
    DIGEST = "digest"
    RUN = "run"
    DIALOGUE = "dialogue"
    FILE = "file"


class Subject(NamedTuple):
    """What is asked about."""

    kind: Kind
    name: str
    """As it was found: a digest in full, a dialogue as the rows name it."""
    ids: tuple[str, ...] = ()
    """The rows, in the order of their files; none for a run."""
    run: RecordedRun | None = None


def find_subject(revision: Revision, what: str) -> Subject:
    """What `what` names at a revision, in the order of `Kind`.

    Raises `UserError` where it names nothing, or where the beginning of a digest or the bare id of a
    dialogue names several.
    """
    known = _known_rows(revision)
    for name in dict.fromkeys((what, _DERIVED.sub("", what))):
        if ids := _ids(known, pl.col("id") == name):
            return Subject(Kind.EXEMPLAR, name, ids)
    if _DIGEST.fullmatch(what) and (subject := _by_digest(revision, what)):
        return subject
    if _RUN.fullmatch(what) and ":" not in what:
        return _by_run(revision, what)
    return _by_dialogue(known, what) or _by_file(revision, known, what)


def _known_rows(revision: Revision) -> pl.DataFrame:
    """The id and the group of each record that came in."""
    return pl.concat([read(revision, path, ("id", "group")) for path in (layout.EXEMPLARS, LEDGERS[0])])


def _ids(known: pl.DataFrame, where: pl.Expr) -> tuple[str, ...]:
    return tuple(sorted(set(known.filter(where)["id"]), key=_in_reading_order))


def _in_reading_order(row_id: str) -> list[tuple[int, str]]:
    """Line 9 before line 10, and so with the numbers of pointers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", row_id)]


def _by_digest(revision: Revision, what: str) -> Subject | None:
    tables = [path for path in (layout.EXEMPLARS, layout.CURATED, layout.SPEECH) if available(revision, path)]
    begins = pl.col("digest").str.starts_with(what)
    found = pl.concat([read(revision, path, ("id", "digest"), begins) for path in tables])
    digests = found["digest"].unique().sort().to_list()
    if len(digests) > 1:
        raise _several(what, "digests", digests, "name more digits")
    ids = dict.fromkeys(_DERIVED.sub("", one) for one in found["id"])
    return Subject(Kind.DIGEST, digests[0], tuple(ids)) if digests else None


def _by_run(revision: Revision, what: str) -> Subject:
    runs = find_runs(revision.root)
    for one in runs:
        if one.manifest.run == what:
            return Subject(Kind.RUN, what, run=one)
    names = [one.manifest.run for one in runs]
    raise _nothing(what, f"a run: {_some(names)}" if names else "a run", "`exemplars runs` lists them")


def _by_dialogue(known: pl.DataFrame, what: str) -> Subject | None:
    group = pl.col("group")
    bare = group.str.ends_with(f":{what}") | group.str.ends_with(f"/{what}")
    found = known.filter((group == what) | bare)
    groups = found["group"].unique().sort().to_list()
    if what in groups:
        groups = [what]
    if len(groups) > 1:
        raise _several(what, "dialogues", groups, "name one of them in full")
    return Subject(Kind.DIALOGUE, groups[0], _ids(found, group == groups[0])) if groups else None


def _by_file(revision: Revision, known: pl.DataFrame, what: str) -> Subject:
    path, sign, locator = _path_and_locator(revision.root, what)
    for source, relative in _candidates(sources_of(revision).values(), path):
        ids = known.filter(pl.col("id").str.starts_with(f"{source.name}:"))
        if below := _ids(ids, _below(source.name, relative)):
            return Subject(Kind.FILE, what, _at(below, sign, locator, source, what))
    inside = not Path(path).is_absolute() and ".." not in Path(path).parts
    if inside and not sign and (revision.root / path).is_file():
        return Subject(Kind.FILE, path)  # No rows; a run may have read it as a raw text.
    raise _nothing(
        what,
        "an exemplar's id, six or more digits of a digest, a run, a dialogue, or a source file",
        "`exemplars runs` lists runs; ids stand in data/exemplars/, files in data/raw/",
    )


def _path_and_locator(root: Path, what: str) -> tuple[str, str, str]:
    """A path relative to the root, and the `:LINE` or `#LOCATOR` behind it, in two parts."""
    path, found, locator = what.rpartition("#")
    if not found:
        path, found, locator = what.rpartition(":")
        if not locator.isdecimal():
            path, found, locator = what, "", ""
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(root.resolve()):
        place = place.relative_to(root.resolve())
    return place.as_posix(), found, locator


def _candidates(sources: Iterable[Source], path: str) -> list[tuple[Source, str]]:
    """Each source, and how the path is called in its folder: a path below the folder, or in any source.

    `skills:weather.md`, as ids begin, is a path of one source.
    """
    every = list(sources)
    name, _, rest = path.partition(":")
    if rest and (named := [one for one in every if one.name == name]):
        return [(named[0], rest)]
    inside = [
        (one, path.removeprefix(one.folder).lstrip("/"))
        for one in every
        if path == one.folder or path.startswith(f"{one.folder}/")
    ]
    return inside or [(one, path) for one in every]


def _below(source: str, relative: str) -> pl.Expr:
    """Rows of a file, or of all files of a folder."""
    if not relative:
        return pl.lit(True)
    begins = pl.col("id").str.starts_with
    return begins(f"{source}:{relative}#") | begins(f"{source}:{relative}/")


def _at(ids: tuple[str, ...], sign: str, locator: str, source: Source, what: str) -> tuple[str, ...]:
    """The rows at a line, or at or below a JSON Pointer."""
    places = {one: one.rpartition("#")[2] for one in ids}
    if not sign or (ids := tuple(one for one in ids if _at_or_below(places[one], locator))):
        return ids
    lines = {int(place): one for one, place in places.items() if place.isdecimal()}
    line = int(locator) if locator.isdecimal() else 0
    if sign == ":" and source.format == "skills" and (before := [one for one in lines if one < line]):
        return (lines[max(before)],)  # An example has several lines, and its row the first one's number.
    near = sorted(sorted(lines, key=lambda one: abs(one - line))[:_LISTED])
    if near:
        expected = f"one of its {len(places)} rows; near it they begin at {', '.join(map(str, near))}"
    else:
        expected = f"a JSON Pointer of one of its {len(places)} rows: {_some(list(places.values()), '#')}"
    raise _nothing(what, expected, "name another place, or the file alone")


def _at_or_below(place: str, locator: str) -> bool:
    return place == locator or (locator.startswith("/") and place.startswith(f"{locator.rstrip('/')}/"))


def _some(names: list[str], sign: str = "") -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(f"{sign}{name}" for name in names[:_LISTED]) + more


def _several(what: str, things: str, names: list[str], fix: str) -> UserError:
    found = f"{len(names)} {things} that {quote_text(what)} may mean: {_some(names)}"
    return UserError(
        [Diagnostic(path=_place(what), code="ambiguous", found=found, expected="exactly one", fix=fix)]
    )


def _nothing(what: str, expected: str, fix: str) -> UserError:
    found = f"nothing called {quote_text(what)}"
    return UserError([Diagnostic(path=_place(what), code="unknown", found=found, expected=expected, fix=fix)])


def _place(what: str) -> str:
    return " ".join(what.split()) or "WHAT"
