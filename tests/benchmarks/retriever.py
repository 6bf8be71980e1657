"""The retriever of this workspace on the rows of a split: `python tests/benchmarks/retriever.py [--split validation]`.

Run it after `dvc repro train@retriever`. Only rows with a call are ranked, over the whole catalog. Besides the trained
retriever: BM25 over the same rows and descriptions, and the encoder before training. `--shares 0.25,0.5`: also what the
same training would have made with these values of `start_share`, if the run's is 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Template
from exemplars.core.schemas import EXEMPLAR_SCHEMA, TEMPLATE_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.base_models import BaseFiles, find_base
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.retriever.encoder import load_sentence_encoder
from exemplars.models.retriever.metrics import rank_rows, rate_rows
from exemplars.models.retriever.ranking import View
from exemplars.models.retriever.retriever import Retriever, build_retriever, load_retriever
from exemplars.models.retriever.words import rank_by_words
from exemplars.models.run_manifest import ROWS, WEIGHTS, read_manifest

METRICS = ("hit_at_1", "hit_at_3", "hit_at_5", "mrr", "ndcg_at_10")


def build_averaged(
    folder: Path, retriever: Retriever, train: list[Exemplar], skills: list[Skill], start_share: float
) -> Retriever:
    """The same retriever with an average of its weights and of those that the training started from; 1: the latter."""
    templates = rows_from_table(read_table(layout.TEMPLATES, TEMPLATE_SCHEMA), Template)
    manifest = read_manifest(folder)
    encoder: Any = load_sentence_encoder(
        BaseFiles(folder.name, str(folder / WEIGHTS), {}, "", manifest.base_license)
    )
    start: Any = load_sentence_encoder(find_base(manifest.base)).state_dict()
    for name, value in encoder.state_dict().items():
        if value.is_floating_point():
            value.lerp_(start[name], start_share)
    return build_retriever(encoder, retriever.settings, train, templates, skills)


def print_table(report: dict[str, Any]) -> None:
    """A line for each slice and system."""
    print(f"{'rows':10} {'n':>4}  {'system':13}" + "".join(f"{metric:>21}" for metric in METRICS))
    for name, rated in report.items():
        for system, figures in rated.items():
            if system == "rows":
                continue
            cells = [
                f"{figure['value']:.3f} ({figure['low']:.3f}-{figure['high']:.3f})"
                for figure in (figures[metric] for metric in METRICS)
            ]
            print(f"{name:10} {rated['rows']:4}  {system:13}" + "".join(f"{cell:>21}" for cell in cells))


def main() -> str | None:
    """Rank the skills for all rows, and print the figures."""
    suppress_library_messages()
    parser = argparse.ArgumentParser()
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--shares", default="", help="values of start_share, with commas")
    parser.add_argument("--run", type=Path, default=layout.model("retriever"))
    arguments = parser.parse_args()
    try:
        skills = list(read_catalog(layout.CATALOG))
        retriever = load_retriever(arguments.run, skills)
        tables = {
            name: read_table(layout.split(name), EXEMPLAR_SCHEMA) for name in ("train", arguments.split)
        }
    except UserError as error:
        return str(error)
    seen = set((arguments.run / ROWS).read_text("ascii").split())
    train = [row for row in exemplars_from_table(tables["train"]) if row.digest in seen]
    rows = [row for row in exemplars_from_table(tables[arguments.split]) if row.skill]
    if leaked := [row.id for row in rows if row.digest in seen]:
        return f"the run was trained on {len(leaked)} {arguments.split} row(s): {leaked[0]}"
    shares = {"untrained": 1.0} | {
        f"share {share}": float(share) for share in arguments.shares.split(",") if share
    }
    averaged = {
        name: rank_rows(build_averaged(arguments.run, retriever, train, skills, share), rows)[View.FUSED]
        for name, share in shares.items()
    }
    systems = {
        "bm25": rank_by_words(train, skills, rows),
        **averaged,
        **{view.value: names for view, names in rank_rows(retriever, rows).items()},
    }
    print_table(rate_rows(systems, rows, {row.skill for row in train}))
    print(f"tools: {retriever.tools}, chosen on validation")
    return None


if __name__ == "__main__":
    sys.exit(main())
