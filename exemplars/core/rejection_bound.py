"""`validate.max_rejection_rate`, applied by each stage that rejects records: a broken bound stops there.

The rate of a source can only rise from stage to stage, so that a later stage would find the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.params import PATH, find_lines, load_value, read_source_settings, requires_review
from exemplars.core.records import Reason
from exemplars.core.remedies import REMEDIES, Where
from exemplars.core.reports import format_share
from exemplars.core.terminal import print_errors

DEFAULT: Final = 0.1
"""The bound if params.yaml does not name it."""
KEY: Final = "max_rejection_rate"


class RejectionBound(NamedTuple):
    """The bound, and where it is set."""

    value: float
    line: int | None
    """Of params.yaml; `None`: the default."""


def is_loss(reason: str) -> bool:
    """Return whether a rejection is a loss: not a duplicate, erased on request, or without a call of its own.

    >>> is_loss("value_not_found"), is_loss("duplicate_exemplar")
    (True, False)
    """
    return REMEDIES[Reason(reason)].where is not Where.NOWHERE


def read_rejection_bound(path: Path = PATH) -> RejectionBound:
    """Read the bound; a value that `validate` will refuse counts as the default."""
    value = load_value("validate", KEY, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        value = DEFAULT
    return RejectionBound(value, find_lines("validate", path).get(KEY))


def enforce_rejection_bound(kept: Mapping[str, int], rejected: Iterable[tuple[str, str]]) -> None:
    """Apply `check_rejection_rates` with the bound of params.yaml.

    A source with `review: required` may lose any number of records: what a model writes is checked here first.
    """
    free = {name for name, source in read_source_settings().items() if requires_review(source)}
    counted = ((source, reason) for source, reason in rejected if source not in free)
    check_rejection_rates(kept, counted, read_rejection_bound())


def check_rejection_rates(
    kept: Mapping[str, int], rejected: Iterable[tuple[str, str]], bound: RejectionBound
) -> None:
    """Raise `UserError` if more records of a source are rejected than the bound admits; warn of one without any row.

    kept: the number of rows of each source. rejected: the source and the reason of each rejection.
    """
    reasons: dict[str, Counter[str]] = {}
    for source, reason in rejected:
        reasons.setdefault(source, Counter())[reason] += 1
    problems = []
    for source, counts in sorted(reasons.items()):
        lost = sum(count for reason, count in counts.items() if is_loss(reason))
        total = kept.get(source, 0) + lost
        if lost > bound.value * total:
            problems.append(_describe_excess(source, lost, total, counts, bound))
        elif not kept.get(source, 0):
            found = f"source {source}: none of {counts.total():,} records is kept: {_list_reasons(counts)}"
            print_errors([f"warning: {found}; see `exemplars rejections --source {source}`"])
    if problems:
        raise UserError(problems)


def _describe_excess(
    source: str, lost: int, total: int, counts: Counter[str], bound: RejectionBound
) -> Diagnostic:
    losses = Counter({reason: count for reason, count in counts.items() if is_loss(reason)})
    return Diagnostic(
        path=str(PATH),
        line=bound.line,
        code=KEY,
        found=f"{lost:,} of {total:,} rejected",
        expected=f"at most {format_share(bound.value)}",
        summary=f"source {source}: {lost:,} of {total:,} ({format_share(lost / total)}) rejected: "
        f"{_list_reasons(losses)}; at most {format_share(bound.value)} (validate.{KEY})",
        fix=f"see `exemplars rejections --source {source}`, and correct the records, or raise the bound",
    )


def _list_reasons(counts: Counter[str]) -> str:
    return summarize_names([f"{reason} {count:,}" for reason, count in counts.most_common()])
