"""How many records go into each stage, come out, and are lost, and why."""

from __future__ import annotations

import ast
import inspect
from typing import Any, NamedTuple

import pyarrow as pa

from exemplars.core.records import OUT_OF_SCOPE, Reason

EXAMPLES = 3


class Outcome(NamedTuple):
    """Records with one outcome of one stage."""

    stage: str
    outcome: str
    """`kept`, or a reason."""
    records: int


class Loss(NamedTuple):
    """One reason of one stage."""

    stage: str
    reason: str
    records: int
    meaning: str
    fault: bool
    """Something can be done about it."""
    examples: tuple[str, ...]
    """What the ledger says of the first ones."""


def outcomes_of(records: int, rejections: pa.Table) -> list[Outcome]:
    """The outcomes of all stages, in the order of the pipeline.

    records: how many came in. rejections: the ledgers of all stages.
    """
    found = []
    left = records
    for stage in ("ingest", "compile", "curate", "split"):
        reasons = _counts(rejections, stage)
        left -= sum(reasons.values())
        found.append(Outcome(stage, "kept", left))
        found += [Outcome(stage, reason, count) for reason, count in reasons.items()]
    return found


def losses_of(rejections: pa.Table) -> list[Loss]:
    """All reasons, the most frequent first."""
    meanings = explanations()
    examples: dict[tuple[str, str], list[str]] = {}
    columns = (rejections.column(name).to_pylist() for name in ("stage", "reason", "message"))
    counts: dict[tuple[str, str], int] = {}
    for stage, reason, message in zip(*columns, strict=True):
        counts[stage, reason] = counts.get((stage, reason), 0) + 1
        shown = examples.setdefault((stage, reason), [])
        if len(shown) < EXAMPLES:
            shown.append(message)
    scope = {str(reason) for reason in (*OUT_OF_SCOPE, Reason.ERASED)}
    return [
        Loss(stage, reason, count, meanings[reason], reason not in scope, tuple(examples[stage, reason]))
        for (stage, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def explanations() -> dict[str, str]:
    """What each reason means: the line of documentation below it in `Reason`."""
    [definition] = ast.parse(inspect.getsource(Reason)).body
    if not isinstance(definition, ast.ClassDef):
        return {}
    found = {}
    for member, line in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(line, ast.Expr):
            value: Any = member.value
            text: Any = line.value
            found[str(value.value)] = str(text.value)
    return found


def _counts(rejections: pa.Table, stage: str) -> dict[str, int]:
    stages, reasons = rejections.column("stage").to_pylist(), rejections.column("reason").to_pylist()
    counts: dict[str, int] = {}
    for one, reason in zip(stages, reasons, strict=True):
        if one == stage:
            counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
