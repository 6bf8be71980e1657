"""`dataset.html`: one page about the data set, with everything inside, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from exemplars.core.reports import NO_SKILL
from stages.publish import paths
from stages.publish.charts import charts_of
from stages.publish.flow import losses_of, outcomes_of
from stages.publish.inputs import Inputs
from stages.publish.links import links_from

TEMPLATES: Final = Path(__file__).parent
FIGURES: Final = (
    "exact_match",
    "skill_accuracy",
    "argument_f1",
    "none_recall",
    "well_formed",
    "invented_skills",
)
"""The figures of models that the page shows."""
DEMOGRAPHIC: Final = ("gender", "place", "age")
_SHOWN: Final = 400
"""Rows of a table; more would make the page slow, and are in the Parquet file."""


def dataset_page(inputs: Inputs, bundle: str) -> str:
    """The page as HTML.

    bundle: JavaScript that defines `vegaEmbed`. Everything that comes from data is escaped: in HTML by
    the template, in scripts as JSON without `<`.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["rows_of"] = _rows_of
    return environment.get_template("page.html.jinja").render(
        **facts_of(inputs),
        links=links_from(paths.DATASET_PAGE),
        bundle=Markup(bundle.replace("</script", "<\\/script")),
        style=Markup((TEMPLATES / "page.css").read_text("utf-8")),
        script=Markup((TEMPLATES / "page.js").read_text("utf-8")),
        charts=Markup(_json(_charts(inputs))),
    )


def facts_of(inputs: Inputs) -> dict[str, Any]:
    """What the template shows, by the names that it uses."""
    curate = inputs.reports["curate"]
    review = inputs.review.slice(0, _SHOWN).to_pylist()
    coverage = inputs.about["coverage"]
    return {
        "records": inputs.reports["compile"]["records"],
        "kept": inputs.exemplars.num_rows,
        "skills": len({one["skill"] for one in coverage}),
        "splits": [
            (name, one["rows"], one["groups"], one["data_hash"])
            for name, one in inputs.manifest["splits"].items()
        ],
        "leaked": inputs.reports["split"]["leaked"],
        "validate": inputs.reports["validate"],
        "losses": losses_of(inputs.rejections),
        "duplicates": curate["duplicates"],
        "conflicts": curate["conflicts"],
        "noise": curate["label_noise"],
        "flags": curate["quality_flags"],
        "personal": _personal(curate["personal_data"]),
        "associations": inputs.about["associations"],
        "balance": inputs.about["balance"],
        "coverage": coverage[:_SHOWN],
        "coverage_total": len(coverage),
        "review": [
            (
                one["why"],
                one["utterance"],
                one["skill"],
                one["suggested"],
                one["score"],
                one["detail"],
                f"{one['path']}:{one['locator']}",
            )
            for one in review
        ],
        "review_total": inputs.review.num_rows,
        **model_facts(inputs.evaluation, inputs.predictions),
    }


def model_facts(evaluation: dict[str, Any] | None, predictions: pa.Table) -> dict[str, Any]:
    """What the section about models shows: figures with their intervals, comparisons, wrong predictions."""
    if evaluation is None:
        return {"run": None, "systems": [], "comparisons": [], "wrong": [], "wrong_total": 0, "reference": ""}
    wrong = [
        (one["kind"], one["utterance"], one["right"], one["predicted"], one["id"], " · ".join(one["nearest"]))
        for one in predictions.to_pylist()
        if one["system"] == evaluation["reference"] and one["kind"] != "right"
    ]
    return {
        "run": evaluation["run"],
        "reference": evaluation["reference"],
        "systems": [
            (name, *(_figure(one[figure]) for figure in FIGURES))
            for name, one in evaluation["systems"].items()
        ],
        "comparisons": [
            (name, _figure(one["differences"]["exact_match"]), one["mcnemar_p"], one["warning"] or "")
            for name, one in evaluation["reference_against"].items()
        ],
        "wrong": wrong[:_SHOWN],
        "wrong_total": len(wrong),
    }


def _figure(one: dict[str, Any]) -> str:
    """A figure with its interval: `0.81 (0.74 to 0.87)`."""
    if one["value"] is None:
        return ""
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _charts(inputs: Inputs) -> dict[str, Any]:
    skills: dict[str, int] = {}
    for name in inputs.exemplars.column("skill").to_pylist():
        skills[name or NO_SKILL] = skills.get(name or NO_SKILL, 0) + 1
    demographic = [
        one
        for one in inputs.about["slices"]
        if one["dimension"] in DEMOGRAPHIC and not one["slice"].startswith("(")
    ]
    return charts_of(
        outcomes_of(inputs.reports["compile"]["records"], inputs.rejections),
        inputs.reports["compile"]["grounding"],
        skills,
        [len(text.split()) for text in inputs.exemplars.column("utterance").to_pylist()],
        demographic,
        _slices_of_models(inputs.evaluation),
    )


def _slices_of_models(evaluation: dict[str, Any] | None) -> list[dict[str, Any]]:
    slices = evaluation["slices"] if evaluation else {}
    return [
        {"slice": f"{dimension}: {name}", **one}
        for dimension, values in slices.items()
        if dimension not in ("skill", "service")
        for name, one in values.items()
    ]


def _rows_of(documents: list[dict[str, Any]], *names: str) -> list[list[Any]]:
    """The fields of documents as the cells of a table; lists are joined."""
    return [
        [" · ".join(one[name]) if isinstance(one[name], list) else one[name] for name in names]
        for one in documents
    ]


def _personal(counts: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    kinds = sorted({*counts["labelled"], *counts["unlabelled"]})
    return [
        {"kind": kind, **{side: counts[side].get(kind, 0) for side in ("labelled", "unlabelled")}}
        for kind in kinds
    ]


def _json(document: Any) -> str:
    """JSON that may stand in a script element."""
    return msgspec.json.encode(document).decode().replace("<", "\\u003c")
