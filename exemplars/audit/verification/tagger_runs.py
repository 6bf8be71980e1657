"""Manifests of taggers and retrievers against the splits and the catalog, which they are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from exemplars.audit.verification.checks import build_diagnostic, shorten_hash
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import read_json
from exemplars.core.ids import SPLITS
from exemplars.core.records import Template
from exemplars.core.schemas import TEMPLATE_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import read_catalog
from exemplars.models.base_models import find_base
from exemplars.models.run_manifest import TAGGER, Manifest

if TYPE_CHECKING:
    from stages.train.params import RunParams

_FIX: Final = "run `dvc checkout -f` on the run, or `dvc repro train`"


class _Rows(msgspec.Struct, frozen=True):
    rejected: int


class _Report(msgspec.Struct, frozen=True):
    """What the report of a tagger says about its rows."""

    rows: _Rows


def check_tagger_tables(
    place: str, rows_place: str, manifest: Manifest, digests: bytes, tables: Tables
) -> Iterator[Diagnostic]:
    """Check that a tagger saw the train rows but those in its ledger, and that its name is that of its inputs.

    place, rows_place: of the manifest and of the file of row digests, for messages. digests: the bytes of that file.
    """
    splits = {
        name: set(listed)
        for name in SPLITS
        if (listed := tables.read_listed(layout.split(name), "digest")) is not None
    }
    seen = set(digests.decode("ascii", "replace").split())
    if leaked := seen & splits.get("test", set()):
        found = f"{len(leaked):,} row(s) of the test split: {_summarize(leaked)}"
        yield build_diagnostic(rows_place, "leaked", found, "none", "run `dvc repro`")
    if not splits.keys() >= {"train", "validation"}:
        return
    yield from _check_train_rows(rows_place, manifest.recipe, seen, splits["train"], tables)
    if (current := hash_split(splits["validation"])) != manifest.data_hashes.get("validation"):
        found = shorten_hash(manifest.data_hashes.get("validation", ""))
        expected = f"{shorten_hash(current)}, the hash of {layout.split('validation').as_posix()}"
        yield build_diagnostic(f"{place}: data_hashes.validation", "wrong_manifest", found, expected, _FIX)
    yield from _check_name(place, manifest, seen, splits["validation"], tables)


def _check_train_rows(
    place: str, recipe: str, seen: set[str], train: set[str], tables: Tables
) -> Iterator[Diagnostic]:
    """Check that a tagger saw rows of `train`, and all but as many as its ledger has. recipe: its name."""
    expected = f"those of {layout.split('train').as_posix()}"
    if foreign := seen - train:
        found = f"{len(foreign):,} row digest(s) not in the train split: {_summarize(foreign)}"
        yield build_diagnostic(place, "wrong_rows", found, expected, _FIX)
    try:
        report = read_json(
            tables.files / layout.details(f"train/{recipe}"),
            _Report,
            code="wrong_report",
            expected="a report",
            fix=_FIX,
        )
    except UserError as error:
        yield from error.diagnostics
        return
    missing = train - seen
    if len(missing) > report.rows.rejected:
        found = f"{len(missing):,} row digest(s) missing, {report.rows.rejected} of them in the ledger"
        yield build_diagnostic(place, "wrong_rows", f"{found}: {_summarize(missing)}", expected, _FIX)


def _check_name(
    place: str, manifest: Manifest, seen: set[str], validation: set[str], tables: Tables
) -> Iterator[Diagnostic]:
    """Check the last part of a tagger's name: the hash of recipe, encoder, rows and catalog."""
    from stages.train.params import RunParams

    recipe, shared = manifest.params.get("recipe", {}), manifest.params.get("shared", {})
    document = {"recipe": manifest.recipe, "chosen": recipe, "shared": shared}
    try:
        params = msgspec.convert(document, RunParams)
        current = _hash_inputs(params, manifest, seen, validation, tables.files)
    except (msgspec.ValidationError, UserError) as error:
        yield build_diagnostic(f"{place}: params", "wrong_manifest", str(error), "the params of a run", _FIX)
        return
    if not current.startswith(manifest.run.rpartition("-")[2]):
        expected = f"a name that ends in {current[:12]}, the hash of its params, rows and catalog"
        yield build_diagnostic(f"{place}: run", "wrong_manifest", manifest.run, expected, _FIX)


def _hash_inputs(
    params: RunParams, manifest: Manifest, seen: set[str], validation: set[str], files: Path
) -> str:
    """Hash what a run was made from. files: the root of the project. Raises `UserError` if a file is missing."""
    from stages.train.lsr.run import join_hashes
    from stages.train.recipe_params import Lsr
    from stages.train.retriever.run import hash_retriever_params
    from stages.train.tagger.run import hash_tagger_params

    skills = read_catalog(files / layout.CATALOG)
    if manifest.method == TAGGER:
        return hash_tagger_params(params, manifest.base_sha256, seen, validation, skills)
    templates = rows_from_table(read_table(files / layout.TEMPLATES, TEMPLATE_SCHEMA), Template)
    models = manifest.base_sha256
    if isinstance(params.chosen, Lsr):
        models = join_hashes(models, find_base(params.chosen.generator).sha256)
    return hash_retriever_params(params, models, seen, validation, templates, skills)


def _summarize(digests: set[str]) -> str:
    return summarize_names(sorted(map(shorten_hash, digests)))
