"""The yield of generated examples: how many are grounded, duplicates, near test rows, doubtful, approved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from exemplars.core.records import Reason
from exemplars.generation.outcomes import PENDING, ExampleOutcome, State

_DUPLICATES: Final = (Reason.DUPLICATE_EXEMPLAR, Reason.NEAR_DUPLICATE)
COLUMNS: Final = (
    "examples",
    "grounded",
    "duplicate",
    "near_test_row",
    "contradicts_tagger",
    "waiting",
    "rejected_by_reviewer",
    "approved",
)
"""What is counted, in the order of the table."""


def count_outcome(example: ExampleOutcome, grounded: Collection[str], doubtful: Collection[str]) -> list[str]:
    """List the columns in which an example counts.

    grounded: the ids of the examples that were compiled. doubtful: of those that the tagger reads differently.
    """
    columns = {
        "examples": True,
        "grounded": example.id in grounded,
        "duplicate": example.outcome in _DUPLICATES,
        "near_test_row": example.outcome == Reason.LEAKED,
        "contradicts_tagger": example.id in doubtful,
        "waiting": example.outcome in (PENDING, State.NOT_COMPILED),
        "rejected_by_reviewer": example.outcome == "rejected_by_reviewer",
        "approved": example.outcome == State.APPROVED,
    }
    return [name for name in COLUMNS if columns[name]]


def build_report(
    examples: Iterable[ExampleOutcome], grounded: Collection[str], doubtful: Collection[str] | None
) -> dict[str, Any]:
    """Build the report of all examples: in all, by outcome, by model and by cell.

    doubtful: see `count_outcome`; `None`: no tagger was asked.
    """
    total: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    models: dict[str, Counter[str]] = defaultdict(Counter)
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    answers: dict[str, str] = {}
    for example in examples:
        answer = example.stored.answer
        columns = count_outcome(example, grounded, doubtful or ())
        outcomes[example.outcome] += 1
        answers[answer.request_id] = "refused" if answer.refusal is not None else answer.finish_reason or ""
        for counter in (total, models[answer.answered_by or answer.model], cells[answer.cell.name]):
            counter.update(columns)
    return {
        "answers": len(answers),
        "refused": sum(reason == "refused" for reason in answers.values()),
        "truncated": sum(reason == "length" for reason in answers.values()),
        "tagger_asked": doubtful is not None,
        "total": _list_counts(total),
        "by_outcome": dict(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
        "by_model": {name: _list_counts(counts) for name, counts in sorted(models.items())},
        "by_cell": {name: _list_counts(counts) for name, counts in sorted(cells.items())},
    }


def _list_counts(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in COLUMNS}


def format_report(report: dict[str, Any]) -> str:
    """Format a report for people, within 80 columns; of the cells, those that yield least come first."""
    total = report["total"]
    lines = [
        f"{report['answers']:,} answers ({report['refused']:,} refused, {report['truncated']:,} cut off), "
        f"{total['examples']:,} examples",
        "",
    ]
    for name in COLUMNS[1:]:
        asked = name != "contradicts_tagger" or report["tagger_asked"]
        share = total[name] / total["examples"] if total["examples"] else 0
        count = f"{total[name]:>7,}  {share:>6.1%}" if asked else "   no tagger in models/tagger"
        lines.append(f"  {name.replace('_', ' '):<22}{count}")
    lines += ["", "by outcome"]
    lines += [f"  {name:<22}{count:>7,}" for name, count in report["by_outcome"].items()]
    lines += _format_groups("by model", report["by_model"])
    lines += _format_groups("by cell", report["by_cell"])
    return "".join(f"{line}\n" for line in lines)


def _format_groups(title: str, groups: dict[str, dict[str, int]]) -> list[str]:
    shown = sorted(groups.items(), key=lambda item: (_rate(item[1]), -item[1]["examples"], item[0]))[:20]
    lines = ["", f"{title:<48}{'examples':>9}{'grounded':>9}{'approved':>9}"]
    for name, counts in shown:
        short = name if len(name) <= 44 else f"{name[:43]}…"
        lines.append(f"  {short:<46}{counts['examples']:>9,}{counts['grounded']:>9,}{counts['approved']:>9,}")
    if len(groups) > len(shown):
        lines.append(f"  and {len(groups) - len(shown):,} more; --format json has all")
    return lines


def _rate(counts: dict[str, int]) -> float:
    return counts["grounded"] / counts["examples"]
