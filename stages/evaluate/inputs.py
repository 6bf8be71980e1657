"""What is asked, with what helps to answer, from the tables and the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from exemplars.core.digests import stable_fraction
from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.embeddings import embed_texts
from exemplars.models.base_models import Base, find_base, load_model, load_tokenizer
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.run_manifest import Manifest, load_run
from stages.evaluate.evaluation import asked_rows, shown_tools
from stages.evaluate.knn import nearest_rows
from stages.evaluate.params import EvaluateParams
from stages.evaluate.systems import Loader, Question


def question_of(
    tables: Mapping[str, pa.Table], skills: Sequence[Skill], rendered: RenderManifest, params: EvaluateParams
) -> Question:
    """The test rows that are asked, with their nearest train rows. Raises `UserError` where there is none."""
    train = [row for row in tables["train"].to_pylist() if row["view"] == "call"]
    test = tables["test"].to_pylist()
    order = {row["exemplar_id"].partition("~")[0]: 0.0 for row in test}
    order = {name: stable_fraction(name, "evaluate") for name in order}
    rows = asked_rows([row for row in test if params.speech or not row["speech"]], params.max_rows, order)
    problems = [
        _problem(f"data/training/{name}.parquet", "no row of the view call", "render.views with call")
        for name, found in (("train", train), ("test", rows))
        if not found
    ]
    if problems:
        raise UserError(problems)
    vectors = embed_texts([row["utterance"] for row in rows])
    places = nearest_rows(
        vectors, embed_texts([row["utterance"] for row in train]), max(1, params.retrieved_examples)
    )
    named = {one.name: one for one in skills}
    return Question(
        rows=rows,
        tools=[[named[name] for name in shown_tools(row)] for row in rows],
        skills=named,
        near=[[train[place] for place in found] for found in places.tolist()],
        form=rendered.call_format,
        template_tools=rendered.tools == "template",
    )


def base_loader(base: Base) -> Loader:
    """What loads the base model, ready to predict."""

    def load() -> tuple[Any, Any]:
        files = find_base(base)
        return _ready(load_model(files, dtype="float32")), load_tokenizer(files)

    return load


def tuned_loader(folder: Path, manifest: Manifest, base: Base, test_digests: Sequence[str]) -> Loader:
    """What loads a run, ready to predict.

    base: what the rows were rendered for. Raises `UserError` where the run is of another base, whose tokens
    are others, or where it has seen a test row.
    """
    rendered_for = find_base(base).sha256
    if manifest.base_sha256 != rendered_for:
        found = f"{manifest.run} on the base {manifest.base_sha256[:16]}…, rows for {rendered_for[:16]}…"
        raise UserError([_problem(str(folder), found, "a run on the base of the rows: `dvc repro train`")])
    seen = set((folder / "rows.txt").read_text("ascii").split())
    leaked = seen & set(test_digests)
    if leaked:
        found = f"{len(leaked)} test row(s) among the rows that {manifest.run} was trained on"
        raise UserError([_problem(str(folder), found, "a run of this split: `dvc repro train`")])

    def load() -> tuple[Any, Any]:
        model, tokenizer = load_run(folder, dtype="float32")
        return _ready(model.merge_and_unload() if hasattr(model, "merge_and_unload") else model), tokenizer

    return load


def _ready(model: Any) -> Any:
    import torch

    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _problem(path: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic(
        path=path, code="evaluation_input", found=found, expected=expected, fix="run `dvc repro evaluate`"
    )
