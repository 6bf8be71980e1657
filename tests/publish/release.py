"""A release in memory, with every kind of thing that the page shows."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from exemplars.core.records import Exemplar, Origin, Reason, Rejection, ReviewItem
from exemplars.core.representativeness import Association, Balance, Coverage, Representativeness, Slice
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import Prediction
from stages.publish.facts import ReleaseFacts, gather_facts
from stages.publish.inputs import Artifacts, ModelRun, PublishInputs
from stages.publish.model_tables import PAGE_METRICS
from stages.publish.params import CoverageGoals, Publisher, PublishParams
from stages.publish.pipeline import HashedFile
from tests.curate.rows import make_argument, make_row

EVIL = (
    f"play <script>window.hacked = 1</script> </script><img src=x onerror=window.hacked=1> now {'long' * 40}"
)
"""A text that would be a script if it were not escaped, and whose last word is wider than a phone."""
ROW_ID = "sgd:test/dialogues_001.json#/12/turns/4/frames/0"
FIGURE = {"value": 0.5, "low": 0.25, "high": 0.75}
ORIGIN = Origin("a.md", "0" * 64, "1")
PARAMS = PublishParams(
    name="small-set",
    title="A small <set>",
    version="1.2.3",
    released=datetime.date(2026, 10, 2),
    publisher=Publisher(name="Somebody"),
)


class Release(NamedTuple):
    """What the page is made from."""

    facts: ReleaseFacts
    inputs: PublishInputs


def make_result(expectation: str, found: float | None, **changes: Any) -> dict[str, Any]:
    """Make the result of an expectation that is met, as `validate` reports it, with some fields changed."""
    return {
        "suite": "data",
        "expectation": expectation,
        "severity": "warning",
        "found": found,
        "bound": 100,
        "margin": None if found is None else found - 100,
        "unit": "count",
        "key": None,
        "passed": True,
        "message": "",
        **changes,
    }


def make_evaluation(**changes: Any) -> dict[str, Any]:
    """Make the report of an evaluation of two systems, with some fields changed."""
    return {
        "run": "lora-1-2",
        "runs": {"lora": {"run": "lora-1-2", "role": "language_model"}},
        "rows": 4,
        "retrieval": {
            "by": "fused",
            "tools": 5,
            "figures": {
                "all": {
                    "rows": 3,
                    "fused": dict.fromkeys(("hit_at_1", "hit_at_3", "hit_at_5", "mrr", "ndcg_at_10"), FIGURE),
                }
            },
        },
        "reference": "lora",
        "systems": {
            "lora": dict.fromkeys(PAGE_METRICS, FIGURE),
            "base": dict.fromkeys(PAGE_METRICS, FIGURE),
        },
        "reference_against": {
            "base": {
                "differences": {"exact_match": FIGURE},
                "mcnemar_p": 0.5,
                "warning": "4 rows do not tell this difference from luck",
            }
        },
        "slices": {"mode": {"normal": {"rows": 4, **FIGURE}}},
        **changes,
    }


def make_prediction(kind: str, system: str = "lora") -> Prediction:
    """Make a prediction with text that would be a script if it were not escaped."""
    return Prediction(
        ROW_ID,
        (ROW_ID,),
        "end_to_end",
        system,
        kind,
        EVIL,
        "play(what='now')",
        "play(what='<b>')",
        True,
        "s",
        "play",
        (ROW_ID, ROW_ID, ROW_ID),
        ("play",),
        None,
        None,
        ORIGIN,
    )


def make_rejection(number: int, stage: str, reason: Reason) -> Rejection:
    """Make a rejection with a message of its own."""
    return Rejection(f"s:{number}", "s", stage, reason, f"message {number}", ORIGIN, "g")


def make_ledger() -> pa.Table:
    """Make the ledgers of all stages: two that a change to a source would avoid, and three others."""
    return rejections_to_table(
        [
            make_rejection(1, "compile", Reason.VALUE_NOT_FOUND),
            make_rejection(2, "ingest", Reason.NO_NEW_MEANING),
            make_rejection(3, "compile", Reason.VALUE_NOT_FOUND),
            make_rejection(4, "ingest", Reason.NO_NEW_MEANING),
            make_rejection(5, "split", Reason.LEAKED),
        ]
    )


def make_release(evaluation: dict[str, Any] | None = None, runs: tuple[ModelRun, ...] = ()) -> Release:
    """Make a release of three rows and five rejections; evaluation: of its model. runs: its models."""
    rows = [
        make_row("1", EVIL, "play", (make_argument("what", "now", EVIL),)),
        make_row("2", "call mum", "call"),
        make_row("3", "nothing", None),
    ]
    item = ReviewItem(
        ROW_ID, "conflict", "found <b>bold</b>", None, "play", None, "test/dialogues_001.json", "/12", EVIL
    )
    coverage = [
        Coverage("call", "who", "", 2, ("call mum",)),
        Coverage("call", "", "", 10, ("call mum",)),
        *(Coverage("play", "what", f"value {number}", 9, (EVIL,)) for number in range(20)),
    ]
    measured = Representativeness(
        slices=[Slice("gender", "female", 1, 0.5, 0.1, 0.9)],
        coverage=coverage,
        balance=[Balance("skills", 2, 0.9, 2.0)],
        associations=[Association("gender", 1, 0.1, 0.5)],
    )
    predictions = [
        make_prediction("wrong_value"),
        make_prediction("right"),
        make_prediction("malformed", "base"),
    ]
    inputs = make_inputs(rows, measured, make_ledger(), [item])
    inputs = inputs._replace(evaluation=evaluation)
    if evaluation is not None:
        inputs = inputs._replace(predictions=rows_to_table(predictions, Prediction))
    return Release(make_facts(rows, inputs, runs), inputs)


def make_empty_release() -> Release:
    """Make a release without a row."""
    inputs = make_inputs([], Representativeness([], [], [], []), rejections_to_table([]), [])
    return Release(make_facts([], inputs), inputs)


def make_inputs(
    rows: list[Exemplar], measured: Representativeness, ledger: pa.Table, review: list[ReviewItem]
) -> PublishInputs:
    """Make the inputs of a release without a model."""
    results = [make_result("enough <b>rows</b>", 200, key="validate.min_test_rows")]
    return PublishInputs(
        reports={
            "compile": {
                "records": len(rows) + ledger.num_rows,
                "records_by_source": {"s": len(rows) + ledger.num_rows},
                "grounding": {"verbatim": 1} if rows else {},
            },
            "curate": {
                "duplicates": {"pairs": {}, "clusters": 0, "clustered_rows": 0},
                "conflicts": 0,
                "label_noise": "off",
                "quality_flags": {},
                "review": {},
                "mentions": {},
                "personal_data": {"labelled": {}, "unlabelled": {"phone": 2} if rows else {}},
            },
            "split": {"leaked": 1},
            "validate": {"expectations": 1, "failed_critical": 0, "failed_warning": 0, "results": results},
        },
        manifest={
            "splits": {
                name: {"rows": len(part), "groups": len(part), "data_hash": "d" * 64}
                for name, part in divide_rows(rows).items()
            }
        },
        exemplars=exemplars_to_table(rows),
        rejections=ledger,
        review=rows_to_table(review, ReviewItem),
        representativeness=measured,
        evaluation=None,
        predictions=rows_to_table([], Prediction),
        goals=CoverageGoals(),
        rendering=None,
    )


def make_facts(rows: list[Exemplar], inputs: PublishInputs, runs: tuple[ModelRun, ...] = ()) -> ReleaseFacts:
    """Gather the facts of a release whose train split has all rows but the last, which is in the test split."""
    splits = {
        name: (HashedFile(f"data/splits/{name}.parquet", "0" * 64, 1, 1), exemplars_to_table(part))
        for name, part in divide_rows(rows).items()
    }
    artifacts = Artifacts(splits=splits, runs=runs, stages=(), source_paths={}, files={})
    return gather_facts(PARAMS, inputs, artifacts)


def divide_rows(rows: list[Exemplar]) -> Mapping[str, list[Exemplar]]:
    """Divide rows into splits: the last one is the test split."""
    return {"train": rows[:-1], "test": rows[-1:]}
