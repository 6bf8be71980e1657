"""`dataset.html`: a page about the dataset for people, in one file that needs no network."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from markupsafe import Markup

from exemplars.core.reports import count_values
from stages.publish import paths
from stages.publish.charts import build_charts
from stages.publish.flow import count_outcomes, summarize_rejections
from stages.publish.inputs import PublishInputs
from stages.publish.links import list_links
from stages.publish.rendering import create_html_environment, read_asset
from stages.publish.tables import (
    build_association_table,
    build_balance_table,
    build_comparison_table,
    build_coverage_table,
    build_error_table,
    build_personal_data_table,
    build_review_table,
    build_split_table,
    build_system_table,
)

EMBED_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
"""What the JavaScript bundle that the page includes has to define."""
_DEMOGRAPHIC: Final = ("gender", "place", "age")


def render_dataset_page(inputs: PublishInputs, bundle: str) -> str:
    """Render the page as HTML.

    bundle: JavaScript that defines `vegaEmbed`. All data is escaped: in HTML by the template, in scripts as
    JSON without `<`.
    """
    return (
        create_html_environment()
        .get_template("page.html.jinja")
        .render(
            **build_page_fields(inputs),
            links=list_links(paths.DATASET_PAGE),
            bundle=Markup(bundle.replace("</script", "<\\/script")),
            style=read_asset("page.css"),
            script=read_asset("page.js"),
            charts=Markup(_encode_for_script(_build_page_charts(inputs))),
        )
    )


def build_page_fields(inputs: PublishInputs) -> dict[str, Any]:
    """Build the fields of the template, except charts and scripts."""
    curate, validate = inputs.reports["curate"], inputs.reports["validate"]
    representativeness = inputs.representativeness
    return {
        "records": inputs.reports["compile"]["records"],
        "kept": inputs.exemplars.num_rows,
        "skills": len({part.skill for part in representativeness.coverage}),
        "expectations": validate["expectations"],
        "failed_expectations": validate["failed_critical"] + validate["failed_warning"],
        "rejections": summarize_rejections(inputs.rejections),
        "splits": build_split_table(inputs.manifest["splits"]),
        "leaked": inputs.reports["split"]["leaked"],
        "facts": {
            "near-duplicate pairs": sum(curate["duplicates"]["pairs"].values()),
            "clusters": curate["duplicates"]["clusters"],
            "rows in clusters": curate["duplicates"]["clustered_rows"],
            "conflicts": curate["conflicts"],
            **curate["quality_flags"],
        },
        "coverage": build_coverage_table(representativeness.coverage),
        "balance": build_balance_table(representativeness.balance),
        "label_noise": curate["label_noise"],
        "review": build_review_table(inputs.review),
        "associations": build_association_table(representativeness.associations),
        "personal_data": build_personal_data_table(curate["personal_data"]),
        "evaluation": _build_evaluation_fields(inputs),
    }


def _build_evaluation_fields(inputs: PublishInputs) -> dict[str, Any] | None:
    evaluation = inputs.evaluation
    if evaluation is None:
        return None
    reference = evaluation["reference"]
    return {
        "run": evaluation["run"],
        "reference": reference,
        "systems": build_system_table(evaluation["systems"]),
        "comparisons": build_comparison_table(reference, evaluation["reference_against"]),
        "errors": build_error_table(reference, inputs.predictions),
    }


def _build_page_charts(inputs: PublishInputs) -> dict[str, Any]:
    demographic = [
        {**msgspec.structs.asdict(part), "slice": f"{part.dimension}: {part.slice}"}
        for part in inputs.representativeness.slices
        if part.dimension in _DEMOGRAPHIC and not part.slice.startswith("(")
    ]
    return build_charts(
        count_outcomes(inputs.reports["compile"]["records"], inputs.rejections),
        inputs.reports["compile"]["grounding"],
        count_values(inputs.exemplars.column("skill")),
        [len(text.split()) for text in inputs.exemplars.column("utterance").to_pylist()],
        demographic,
        _list_model_slices(inputs.evaluation),
    )


def _list_model_slices(evaluation: dict[str, Any] | None) -> list[dict[str, Any]]:
    slices = evaluation["slices"] if evaluation else {}
    return [
        {"slice": f"{dimension}: {name}", **figures}
        for dimension, values in slices.items()
        if dimension not in ("skill", "service")
        for name, figures in values.items()
    ]


def _encode_for_script(document: Any) -> str:
    """Encode a document as JSON that cannot end the script element that it is in."""
    return msgspec.json.encode(document).decode().replace("<", "\\u003c")
