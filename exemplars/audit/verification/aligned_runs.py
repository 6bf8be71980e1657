"""Manifests of aligned models against the preferences or the chat rows that they are trained on, and their start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.audit.verification.checks import build_diagnostic, shorten_hash
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.tables import rows_from_table
from exemplars.models.rows import TrainingRow, View
from exemplars.models.run_manifest import ROWS, Manifest, read_manifest

if TYPE_CHECKING:
    from stages.train.alignment.inputs import PreferenceTokens
    from stages.train.params import RunParams

_FIX: Final = "run `dvc checkout -f` on the run, or `dvc repro train`"
_NAME_DIGITS: Final = 12


def check_aligned_tables(
    place: str, rows_place: str, manifest: Manifest, digests: bytes, tables: Tables
) -> Iterator[Diagnostic]:
    """Check that an aligned model saw the rows that it says, none of test, and that its name is that of its inputs.

    place, rows_place: of the manifest and of the file of row digests, for messages. digests: the bytes of that file.
    """
    seen = set(digests.decode("ascii", "replace").split())
    if leaked := seen & set(tables.read_listed(layout.training("test"), "digests") or ()):
        found = f"{len(leaked):,} row(s) of the test split: {_summarize(leaked)}"
        yield build_diagnostic(rows_place, "leaked", found, "none", "run `dvc repro`")
    try:
        params = _read_params(manifest)
        own, hashes, content = _read_inputs(params, tables)
    except (msgspec.ValidationError, UserError) as error:
        yield build_diagnostic(f"{place}: params", "wrong_manifest", str(error), "the params of a run", _FIX)
        return
    for name, current in hashes.items():
        if current != (recorded := manifest.data_hashes.get(name, "")):
            expected = f"{shorten_hash(current)}, the hash of what the run reads now"
            yield build_diagnostic(
                f"{place}: data_hashes.{name}", "wrong_manifest", shorten_hash(recorded), expected, _FIX
            )
    yield from _check_seen(rows_place, seen, own, _read_start(manifest, tables.files))
    yield from _check_name(place, manifest, params, content)


def _read_params(manifest: Manifest) -> RunParams:
    from stages.train.params import RunParams

    recipe, shared = manifest.params.get("recipe", {}), manifest.params.get("shared", {})
    return msgspec.convert({"recipe": manifest.recipe, "chosen": recipe, "shared": shared}, RunParams)


def _read_inputs(params: RunParams, tables: Tables) -> tuple[set[str], dict[str, str], tuple[Any, Any]]:
    """Read what a run is made from now: the digests of its own rows, their hashes, and what its name depends on."""
    from stages.train.alignment.run import (
        hash_reward_run,
        list_sampled_content,
        sample_prompts,
        select_validation,
    )
    from stages.train.recipe_params import Rloo

    recipe = params.chosen
    if isinstance(recipe, Rloo):
        rows = rows_from_table(tables.read_whole(layout.training("train")), TrainingRow)
        sampled = sample_prompts([row for row in rows if row.view == View.CALL], recipe.prompts)
        own = {digest for row in sampled for digest in row.digests}
        content = (list_sampled_content(sampled), hash_reward_run(recipe, tables.files))
        return own, {"sample": hash_split(own)}, content
    train, validation = (_read_preferences(name, tables) for name in ("train", "validation"))
    hashes = {
        "preferences": hash_split(row.digest for row in train),
        "preferences_validation": hash_split(row.digest for row in validation),
    }
    measured = select_validation(validation, params.shared.validation_rows)
    return {digest for row in train for digest in row.seen}, hashes, (train, measured)


def _read_preferences(name: str, tables: Tables) -> list[PreferenceTokens]:
    from stages.train.alignment.inputs import PreferenceTokens

    table = tables.read_whole(layout.preferences(name)).select(PreferenceTokens.__struct_fields__)
    return rows_from_table(table, PreferenceTokens)


def _read_start(manifest: Manifest, files: Path) -> set[str] | None:
    """Read the digests of the rows that the start of a run saw; `None` if the start is no longer there."""
    if manifest.start is None:
        return set()
    folder = files / layout.model(manifest.start.recipe)
    try:
        if read_manifest(folder).run != manifest.start.run:
            return None
        return set((folder / ROWS).read_text("ascii").split())
    except (UserError, OSError):
        return None


def _check_seen(place: str, seen: set[str], own: set[str], start: set[str] | None) -> Iterator[Diagnostic]:
    expected = "those of its preferences or prompts, and of its start"
    foreign = set() if start is None else seen - own - start
    missing = (own | (start or set())) - seen
    for digests, description in ((foreign, "that are neither"), (missing, "missing")):
        if digests:
            found = f"{len(digests):,} digest(s) {description}: {_summarize(digests)}"
            yield build_diagnostic(place, "wrong_rows", found, expected, _FIX)


def _check_name(
    place: str, manifest: Manifest, params: RunParams, content: tuple[Any, Any]
) -> Iterator[Diagnostic]:
    """Check the last part of a run's name: the hash of its recipe, base, start and rows."""
    from stages.train.alignment.plan import hash_aligned_params

    start = None if manifest.start is None else manifest.start.weights_sha256
    current = hash_aligned_params(params, manifest.base_sha256, start, content)[:_NAME_DIGITS]
    if manifest.run.rpartition("-")[2] != current:
        expected = f"a name that ends in {current}, the hash of its params, start and rows"
        yield build_diagnostic(f"{place}: run", "wrong_manifest", manifest.run, expected, _FIX)


def _summarize(digests: set[str]) -> str:
    return summarize_names(sorted(map(shorten_hash, digests)))
