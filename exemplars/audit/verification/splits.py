"""The manifest of the splits against their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, summarize_names
from exemplars.core.ids import SPLITS

_FIX: Final = "run `dvc repro split`"


def check_splits(tables: Tables) -> Check:
    """Recompute the data hash of each split, and check that no group is in two splits."""
    problems: list[Diagnostic] = []
    groups: dict[str, set[str]] = {}
    manifest = _read_manifest(tables.files / layout.MANIFEST)
    if isinstance(manifest, Diagnostic):
        problems.append(manifest)
        manifest = {}
    for name in SPLITS:
        if (table := tables.read_keys(layout.split(name))) is None:
            continue
        groups[name] = set(table.column("group").to_pylist())
        recomputed = {
            "rows": table.num_rows,
            "groups": len(groups[name]),
            "data_hash": hash_split(table.column("digest").to_pylist()),
        }
        if manifest:
            problems += _compare(name, manifest.get(name), recomputed)
    problems += find_divided_groups(groups)
    counted = f"{len(groups)} data hashes recomputed, {sum(map(len, groups.values())):,} groups checked"
    return Check("splits", counted, tuple(problems))


def find_divided_groups(groups: Mapping[str, set[str]]) -> Iterator[Diagnostic]:
    """Find the groups that are in more than one split. groups: those of each split, by its name."""
    for first, second in combinations(groups, 2):
        if divided := groups[first] & groups[second]:
            path = layout.split(second).as_posix()
            found = f"{len(divided):,} group(s) that are in {first} too: {summarize_names(sorted(divided))}"
            yield build_diagnostic(path, "torn_group", found, "each group in one split", _FIX)


def _read_manifest(path: Path) -> dict[str, Any] | Diagnostic:
    try:
        splits = json.loads(path.read_bytes())["splits"]
    except FileNotFoundError:
        return {}  # `check_files` reports it.
    except (ValueError, KeyError, TypeError) as error:
        found = f"no manifest ({type(error).__name__}: {error})"
        expected = "the manifest that split wrote"
        return build_diagnostic(layout.MANIFEST.as_posix(), "unreadable_manifest", found, expected, _FIX)
    return splits if isinstance(splits, dict) else {}


def _compare(name: str, recorded: Any, recomputed: dict[str, Any]) -> Iterator[Diagnostic]:
    """Compare what the manifest says about a split with what its rows say."""
    path = f"{layout.MANIFEST.as_posix()}: splits.{name}"
    if not isinstance(recorded, dict):
        yield build_diagnostic(path, "wrong_manifest", "no such split", f"that of {layout.split(name)}", _FIX)
        return
    for key, value in recomputed.items():
        if recorded.get(key) != value:
            found = f"{key} {shorten_hash(str(recorded.get(key)))}"
            expected = f"{shorten_hash(str(value))}, recomputed from {layout.split(name)}"
            yield build_diagnostic(path, "wrong_manifest", found, expected, _FIX)
