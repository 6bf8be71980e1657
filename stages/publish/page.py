"""`dataset.html`: a page about a release for people, in one file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from stages.publish import paths
from stages.publish.cells import Table
from stages.publish.content_tables import (
    build_association_table,
    build_balance_table,
    build_coverage_table,
    build_grounding_table,
    build_length_table,
    build_personal_data_table,
    build_skill_table,
    build_slice_table,
    build_split_table,
)
from stages.publish.facts import ReleaseFacts
from stages.publish.flow import follow_records
from stages.publish.inputs import PublishInputs
from stages.publish.links import list_links
from stages.publish.model_tables import (
    build_comparison_table,
    build_error_table,
    build_model_slice_table,
    build_oracle_table,
    build_retrieval_table,
    build_run_table,
    build_system_table,
)
from stages.publish.quality_tables import (
    build_expectation_table,
    build_figure_table,
    build_flow_table,
    build_loss_table,
    build_rendering_table,
    build_review_table,
    describe_bound,
)
from stages.publish.rating_tables import build_judge_rating_table, build_score_rating_table
from stages.publish.rendering import create_html_environment, read_asset
from stages.publish.shortfalls import find_shortfalls
from stages.publish.tasks import Task, list_tasks, rejection_anchor
from stages.publish.verdict import Answer, give_verdict, summarize_release

_DEMOGRAPHIC: Final = ("gender", "place", "age")
_BOUNDS: Final = {
    "loss-table": "validate.max_rejection_rate",
    "split-table": "validate.min_test_rows",
    "skills-table": "validate.max_skill_share",
    "balance-table": "validate.min_skill_entropy",
    "association-table": "validate.max_association",
    "privacy-table": "validate.max_unlabelled_personal_share",
}
"""The parameter that sets a bound of the figures of a table."""


class DatasetPage(NamedTuple):
    """The page, and what the terminal says of it."""

    html: str
    summary: list[str]
    """The verdict, what to do next, and which page to open, in lines."""


def build_dataset_page(facts: ReleaseFacts, inputs: PublishInputs) -> DatasetPage:
    """Build the page, and summarize it."""
    shortfalls = find_shortfalls(facts, inputs)
    answers = give_verdict(shortfalls, facts.exemplars, inputs.evaluation, facts.params.target_exact_match)
    tasks = list_tasks(shortfalls, inputs.evaluation, inputs.predictions)
    html = render_dataset_page(facts, inputs, answers, tasks)
    return DatasetPage(html, summarize_release(answers, tasks))


def render_dataset_page(
    facts: ReleaseFacts, inputs: PublishInputs, answers: Sequence[Answer], tasks: Sequence[Task]
) -> str:
    """Render the page as HTML; the template escapes all data.

    answers: the verdict. tasks: what to do next.
    """
    return (
        create_html_environment()
        .get_template("page.html.jinja")
        .render(
            facts=facts,
            answers=answers,
            tasks=tasks,
            rejections=[(rejection_anchor(rejection), rejection) for rejection in facts.rejections],
            evaluation=inputs.evaluation,
            tables=build_tables(facts, inputs),
            links=list_links(paths.DATASET_PAGE),
            style=read_asset("page.css"),
            script=read_asset("page.js"),
        )
    )


def build_tables(facts: ReleaseFacts, inputs: PublishInputs) -> dict[str, list[Table]]:
    """Build the tables by the section that shows them."""
    measured = inputs.representativeness
    mentions = [
        part for part in measured.slices if part.dimension in _DEMOGRAPHIC and not part.slice.startswith("(")
    ]
    results = inputs.reports["validate"]["results"]
    lengths = [len(text.split()) for text in inputs.exemplars.column("utterance").to_pylist()]
    tables = {
        "losses": [
            build_flow_table(follow_records(facts.records, facts.rejections)),
            build_loss_table(facts.rejections),
            *([build_rendering_table(inputs.rendering)] if inputs.rendering else []),
        ],
        "checks": [
            build_expectation_table(results),
            build_figure_table(facts.findings),
        ],
        "content": [
            build_split_table(facts.splits),
            build_skill_table(facts.skills, facts.splits),
            build_grounding_table(facts.grounding),
            build_length_table(lengths),
        ],
        "coverage": [
            build_coverage_table(measured.coverage, inputs.goals),
            build_balance_table(measured.balance),
        ],
        "review": [build_review_table(inputs.review)],
        "people": [
            build_personal_data_table(inputs.reports["curate"]["personal_data"]),
            build_slice_table(mentions),
            build_association_table(measured.associations),
        ],
        "models": _build_model_tables(facts, inputs),
    }
    return {section: [_note_bound(table, results) for table in listed] for section, listed in tables.items()}


def _note_bound(table: Table, results: Sequence[Mapping[str, Any]]) -> Table:
    """Add the bound of its figures to the note of a table, if a parameter sets it."""
    notes = [describe_bound(result) for result in results if result["key"] == _BOUNDS.get(table.id, "")]
    return table._replace(note=" ".join([table.note, *notes]).strip())


def _build_model_tables(facts: ReleaseFacts, inputs: PublishInputs) -> list[Table]:
    evaluation: dict[str, Any] | None = inputs.evaluation
    runs = build_run_table(facts.models)
    ids, digests = (inputs.exemplars.column(name).to_pylist() for name in ("id", "digest"))
    groups = inputs.exemplars.column("group").to_pylist()
    if evaluation is None:
        return [runs]
    reference = evaluation["reference"]
    return [
        runs,
        build_system_table(evaluation["systems"], facts.params.target_exact_match),
        build_oracle_table(inputs.oracle),
        build_retrieval_table(evaluation["retrieval"]),
        build_comparison_table(reference, evaluation["reference_against"]),
        build_model_slice_table(reference, evaluation["slices"]),
        build_error_table(reference, inputs.predictions),
        build_score_rating_table(inputs.predictions, dict(zip(ids, groups, strict=True))),
        build_judge_rating_table(inputs.preferences, dict(zip(digests, groups, strict=True))),
    ]
