"""The yield of generated examples: how many are grounded, duplicates, near test rows, doubtful, approved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from exemplars.core.records import Reason
from exemplars.generation.outcomes import ExampleOutcome, State

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


class Facts(NamedTuple):
    """What is known of examples besides their outcome."""

    grounded: Collection[str] = ()
    """The ids of those that were compiled."""
    near_test: Collection[str] = ()
    """The ids of those that say the same as a row of validation or test, or nearly so."""
    doubtful: Collection[str] | None = None
    """The ids of those that the tagger reads differently; `None`: no tagger was asked."""


def count_outcome(example: ExampleOutcome, facts: Facts) -> list[str]:
    """List the columns in which an example counts."""
    is_near_test = example.id in facts.near_test
    columns = {
        "examples": True,
        # `compile` drops the repeats within a source, which are grounded, too.
        "grounded": example.id in facts.grounded or example.outcome in _DUPLICATES,
        "duplicate": example.outcome in _DUPLICATES and not is_near_test,
        "near_test_row": is_near_test,
        "contradicts_tagger": example.id in (facts.doubtful or ()),
        "waiting": example.is_waiting,
        "rejected_by_reviewer": example.outcome == Reason.REJECTED_BY_REVIEWER,
        "approved": example.outcome == State.APPROVED,
    }
    return [name for name in COLUMNS if columns[name]]


def find_near_test(
    examples: Iterable[ExampleOutcome], held_out: Iterable[str], expected_leaks: Collection[str]
) -> set[str]:
    """Find the examples that are too near to a row of validation or test: the ids of those that leak or would leak.

    held_out: the ids of the rows of validation and test; an example counts if the ledger says that it repeats one of
    them. expected_leaks: the ids of examples that wait, and would leak if they were approved.
    """
    row_ids = list(held_out)
    return {
        example.id
        for example in examples
        if example.outcome == Reason.LEAKED
        or example.id in expected_leaks
        or (example.outcome in _DUPLICATES and any(_names(example.message, row_id) for row_id in row_ids))
    }


def _names(message: str, row_id: str) -> bool:
    """Return whether a message names a row as what is repeated: `... of skills:call.md#3, with ...`."""
    return f" of {row_id}," in message or f" of {row_id};" in message


def build_report(examples: Iterable[ExampleOutcome], facts: Facts) -> dict[str, Any]:
    """Build the report of all examples: in all, by outcome, by model and by cell."""
    total: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    models: dict[str, Counter[str]] = defaultdict(Counter)
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    answers: dict[str, str] = {}
    for example in examples:
        answer = example.stored.answer
        columns = count_outcome(example, facts)
        outcomes[example.outcome] += 1
        answers[answer.request_id] = "refused" if answer.refusal is not None else answer.finish_reason or ""
        for counter in (total, models[answer.answered_by or answer.model], cells[answer.cell.name]):
            counter.update(columns)
    return {
        "answers": len(answers),
        "refused": sum(reason == "refused" for reason in answers.values()),
        "truncated": sum(reason == "length" for reason in answers.values()),
        "tagger_asked": facts.doubtful is not None,
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
