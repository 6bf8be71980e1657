"""What `exemplars generate` prints of a plan and of a run."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from exemplars.generation.asking import Tally
    from exemplars.generation.planning import Plan

_SHOWN_PROMPTS: Final = 3


def build_plan_document(plan: Plan, prices: Sequence[float] | None) -> dict[str, Any]:
    """Build the document of a plan: tokens of prompts as estimated, and of answers and the cost at most.

    prices: of a million tokens of prompts and of answers; `None`: not known.
    """
    prompts = sum(request.prompt_tokens for request in plan.requests)
    answers = sum(request.max_output_tokens for request in plan.requests)
    cost = None if prices is None else round((prompts * prices[0] + answers * prices[1]) / 1e6, 4)
    return {
        "requests": len(plan.requests),
        "examples": plan.examples,
        "waiting": plan.waiting,
        "prompt_tokens": prompts,
        "answer_tokens": answers,
        "cost": cost,
        "planned": [
            {"id": request.id, "cell": request.cell, "body": request.body} for request in plan.requests
        ],
    }


def format_plan(plan: Plan, document: dict[str, Any]) -> str:
    """Format a plan for people: its first prompts, and what `document` says of all of them."""
    lines = []
    for request in plan.requests[:_SHOWN_PROMPTS]:
        lines.append(request.cell.name)
        for message in request.body["messages"]:
            lines.append(textwrap.indent(f"{message['role']}: {message['content']}", "  "))
    more, cost = len(plan.requests) - _SHOWN_PROMPTS, document["cost"]
    lines += [f"and {more:,} more prompts: --format json has all"] if more > 0 else []
    lines += [
        f"{len(plan.requests):,} requests for {plan.examples:,} examples; {plan.waiting:,} wait already",
        f"about {document['prompt_tokens']:,} tokens of prompts, at most {document['answer_tokens']:,} of answers",
        "cost: add --price IN OUT" if cost is None else f"cost: at most {cost:,.4f}",
    ]
    return "".join(f"{line}\n" for line in lines)


def format_tally(tally: Tally, folder: Path, planned: int) -> str:
    """Format what a run did. planned: its number of requests."""
    lines = [
        f"{tally.answered:,} of {planned:,} requests answered in {folder} ({tally.sent:,} sent, "
        f"{tally.refused:,} refused, {tally.truncated:,} cut off, {tally.failed:,} unanswered)",
        f"{tally.prompt_tokens:,} tokens of prompts, {tally.completion_tokens:,} of answers",
    ]
    if tally.stopped_by:
        lines.append(f"stopped by {tally.stopped_by}; the same command goes on")
    if tally.answered:
        lines.append("next: dvc repro, then exemplars review --queue generated")
    return "".join(f"{line}\n" for line in lines)
