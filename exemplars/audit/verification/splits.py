"""The manifest of the splits against their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from exemplars.audit.verification.checks import Check, problem, short, some
from exemplars.audit.verification.tables import SPLITS, Tables
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic

_FIX: Final = "run `dvc repro split`"


def check_splits(tables: Tables) -> Check:
    """Recompute the data hash of each split; no group may stand in two of them."""
    problems: list[Diagnostic] = []
    groups: dict[str, set[str]] = {}
    told = _splits_of(tables.files / layout.MANIFEST)
    if isinstance(told, Diagnostic):
        problems.append(told)
        told = {}
    for name in SPLITS:
        if (table := tables.narrow(layout.split(name))) is None:
            continue
        groups[name] = set(table.column("group").to_pylist())
        now = {
            "rows": table.num_rows,
            "groups": len(groups[name]),
            "data_hash": hash_split(table.column("digest").to_pylist()),
        }
        if told:
            problems += _differences(name, told.get(name), now)
    problems += torn_groups(groups)
    counted = f"{len(groups)} data hashes recomputed, {sum(map(len, groups.values())):,} groups held apart"
    return Check("splits", counted, tuple(problems))


def torn_groups(groups: dict[str, set[str]]) -> Iterator[Diagnostic]:
    """Groups that stand in more than one split."""
    names = list(groups)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            if torn := groups[name] & groups[other]:
                path = layout.split(other).as_posix()
                found = f"{len(torn):,} groups that {name} has too: {some(torn)}"
                yield problem(path, "torn_group", found, "each group in one split", _FIX)


def _splits_of(path: Path) -> dict[str, Any] | Diagnostic:
    try:
        splits = json.loads(path.read_bytes())["splits"]
    except FileNotFoundError:
        return {}  # It is named by its hash.
    except (ValueError, KeyError, TypeError) as error:
        found = f"no manifest ({type(error).__name__}: {error})"
        return problem(layout.MANIFEST.as_posix(), "unreadable_manifest", found, "what split writes", _FIX)
    return splits if isinstance(splits, dict) else {}


def _differences(name: str, told: Any, now: dict[str, Any]) -> Iterator[Diagnostic]:
    path = f"{layout.MANIFEST.as_posix()}: splits.{name}"
    if not isinstance(told, dict):
        yield problem(path, "wrong_manifest", "no such split", f"what {layout.split(name)} is", _FIX)
        return
    for key, value in now.items():
        if told.get(key) != value:
            found = f"{key} {short(str(told.get(key)))}"
            expected = f"{short(str(value))} by the rows of {layout.split(name)}"
            yield problem(path, "wrong_manifest", found, expected, _FIX)
