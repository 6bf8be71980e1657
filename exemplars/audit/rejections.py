"""The rejections of all stages, with the places that an editor opens, those first that an author can fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from exemplars.audit.json_places import JsonPlaces
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.ids import split_locator
from exemplars.core.params import PATH as PARAMS
from exemplars.core.params import read_source_paths
from exemplars.core.records import Reason, Rejection
from exemplars.core.remedies import REMEDIES, Where, rank_reason
from exemplars.core.schemas import REJECTION_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import rejections_from_table
from exemplars.models.preference_log import SOURCE

STAGES: Final = ("ingest", "compile", "curate", "split", "render")
"""The stages that reject rows, in their order."""
_LEDGERS: Final = (
    *map(
        layout.ledger_path,
        (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST, layout.TRAINING_BASE),
    ),
    layout.PREFERENCE_REJECTIONS,
)
_PREFERENCES: Final = {SOURCE: layout.RAW_PREFERENCES.parent.as_posix()}
"""The folder of what `render` calls the source of preferences."""
_PRECISE: Final = re.compile(r"(?::(?P<line>\d+)(?::(?P<column>\d+)|#\S*?)?|#\S*?|, byte \d+)?: ")
"""What follows the path at the beginning of a message."""


class Filter(msgspec.Struct, frozen=True):
    """Which rejections to list; `None`: all."""

    reason: str | None = None
    source: str | None = None
    stage: str | None = None

    def admits(self, rejection: Rejection) -> bool:
        """Return whether a rejection is to be listed."""
        return (
            self.reason in (None, rejection.reason)
            and self.source in (None, rejection.source)
            and self.stage in (None, rejection.stage)
        )


class RejectedRow(msgspec.Struct, frozen=True):
    """A rejection as people read it."""

    stage: str
    reason: str
    source: str
    path: str
    """Relative to the root of the project."""
    line: int | None
    """From 1; `None`: the whole file."""
    column: int | None
    message: str
    """What was found, what was expected, and how to fix it."""
    where: Where
    """Where it can be fixed."""
    action: str
    """What to do about all rows of this reason."""
    id: str
    locator: str
    skill: str | None
    slot: str | None
    utterance: str | None


def list_rejections(wanted: Filter) -> list[Rejection]:
    """List the rejections in the ledgers of the workspace, those first that an author can fix soonest.

    Raises `UserError` if no stage has written a ledger, and for a reason or source that does not exist.
    """
    sources = read_source_paths()
    _check_filter(wanted, {**_PREFERENCES, **sources})
    by_source = {name: layout.record_rejections(name) for name in sources}
    fresh = {name: path for name, path in by_source.items() if path.exists()}
    ledgers = [path for path in _LEDGERS if path.exists()]
    if not fresh and not ledgers:
        raise UserError([_no_ledger()])
    rejections = [row for path in fresh.values() for row in _read_ledger(path)]
    # The ledger of `compile` repeats those of `ingest`, and is older if `compile` has not run since.
    rejections += [
        row
        for path in ledgers
        for row in _read_ledger(path)
        if row.stage != "ingest" or row.source not in fresh
    ]
    return sorted(filter(wanted.admits, rejections), key=lambda row: (rank_reason(row.reason), row.id))


def describe_rejections(rejections: Iterable[Rejection]) -> list[RejectedRow]:
    """Describe rejections with their places; raw files are read to find the lines of JSON values."""
    sources = {**_PREFERENCES, **read_source_paths()}
    files: dict[str, JsonPlaces] = {}
    return [_describe(row, sources, files) for row in rejections]


def count_by_remedy(rejections: Iterable[Rejection]) -> dict[Where, int]:
    """Count rejections by where they can be fixed."""
    counts = dict.fromkeys(Where, 0)
    for row in rejections:
        counts[REMEDIES[row.reason].where] += 1
    return counts


def _read_ledger(path: Path) -> Sequence[Rejection]:
    return rejections_from_table(read_table(path, REJECTION_SCHEMA))


def _describe(row: Rejection, sources: Mapping[str, str], files: dict[str, JsonPlaces]) -> RejectedRow:
    folder = sources.get(row.source)
    path = row.origin.path if folder is None else (PurePosixPath(folder) / row.origin.path).as_posix()
    rest = row.message.removeprefix(row.origin.path)
    precise = _PRECISE.match(rest)
    line, column = find_place(path, row.origin.locator, files)
    if precise and precise["line"]:
        line, column = int(precise["line"]), int(precise["column"]) if precise["column"] else None
    remedy = REMEDIES[row.reason]
    return RejectedRow(
        stage=row.stage,
        reason=row.reason,
        source=row.source,
        path=path,
        line=line,
        column=column,
        message=rest[precise.end() :] if precise else row.message,
        where=remedy.where,
        action=remedy.action,
        id=row.id,
        locator=row.origin.locator,
        skill=row.skill,
        slot=row.slot,
        utterance=row.utterance,
    )


def find_place(path: str, locator: str, files: dict[str, JsonPlaces]) -> tuple[int | None, int | None]:
    """Find the line and the column of a record, as far as they are known.

    path: of its file. locator: as in an `Origin`. files: those that were read, which this adds to.
    """
    line, _ = split_locator(locator)
    if line is not None:
        return line, None
    if not locator.startswith("/"):
        return None, None
    if path not in files:
        file = Path(path)
        files[path] = JsonPlaces(file.read_text("utf-8-sig", "replace") if file.is_file() else "")
    return files[path].find_place(locator)


def _check_filter(wanted: Filter, sources: Mapping[str, str]) -> None:
    for name, value, known, expected in (
        ("reason", wanted.reason, list(map(str, Reason)), "a reason of docs/ledger.md"),
        ("source", wanted.source, list(sources), f"one of {', '.join(sorted(sources))}"),
    ):
        if value is not None and value not in known:
            fix = suggest_name(value, known) or "correct the name"
            problem = Diagnostic(
                path="exemplars rejections",
                code=f"unknown_{name}",
                found=f"--{name} {value}",
                expected=expected,
                fix=fix,
            )
            raise UserError([problem])


def _no_ledger() -> Diagnostic:
    return Diagnostic(
        path=str(PARAMS.parent.resolve().name),
        code="no_ledger",
        found="no ledger",
        expected="those that stages write",
        fix="run `dvc repro`",
        summary="no stage has run yet",
    )
