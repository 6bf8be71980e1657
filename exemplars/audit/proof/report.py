"""The report of a proof: in sum, and the rows that are not proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, Final

import msgspec

from exemplars.audit.proof.findings import MEANINGS, RowProof
from exemplars.core.terminal import escape_line

_WIDTH: Final = 79
"""The longest line for people, in columns."""


class ProofReport(msgspec.Struct, frozen=True):
    """What becomes of all rows of a file."""

    file: str
    base: str
    limit: int | None
    proofs: tuple[RowProof, ...]

    @property
    def is_proved(self) -> bool:
        """Whether nothing was found in any row."""
        return not any(proof.findings for proof in self.proofs)


def build_document(report: ProofReport) -> dict[str, Any]:
    """Build the report for programs."""
    return {
        "file": report.file,
        "base": report.base,
        "rows": len(report.proofs),
        "proved": sum(not proof.findings for proof in report.proofs),
        "dialects": _count_dialects(report.proofs),
        "calls": sum(proof.calls for proof in report.proofs),
        "tokens": {
            "all": sum(proof.tokens for proof in report.proofs),
            "supervised": sum(proof.supervised for proof in report.proofs),
            "longest": max(proof.tokens for proof in report.proofs),
            "limit": report.limit,
        },
        "findings": _count_findings(report.proofs),
        "not_proved": [
            {
                "place": proof.place,
                "findings": [msgspec.structs.asdict(finding) for finding in proof.findings],
            }
            for proof in report.proofs
            if proof.findings
        ],
    }


def format_report(report: ProofReport, max_rows: int) -> Iterator[str]:
    """Yield the lines of the report for people. max_rows: the number of rows that are listed."""
    document = build_document(report)
    rows, tokens = document["rows"], document["tokens"]
    dialects = ", ".join(document["dialects"]) or "no known dialect"
    yield f"{report.file}: {rows:,} rows ({dialects}), {document['calls']:,} calls"
    yield f"base: {report.base}"
    yield f"proved: {document['proved']:,} of {rows:,}"
    for code, count in document["findings"].items():
        yield f"  {count:>7,}  {code:<18}  {MEANINGS[code]}"
    share = tokens["supervised"] / tokens["all"] if tokens["all"] else 0.0
    yield f"tokens: {tokens['all']:,}, of which {tokens['supervised']:,} supervised ({share:.0%})"
    fits = "" if report.limit is None else f", of {report.limit:,} that fit"
    yield f"longest row: {tokens['longest']:,} tokens{fits}"
    unproved = document["not_proved"]
    for row in unproved[:max_rows]:
        yield f"{row['place']}:"
        for finding in row["findings"]:
            place = f"{finding['pointer']}: " if finding["pointer"] else ""
            text = f"{place}{finding['code']}: {finding['message']}"
            yield from wrap(escape_line(text), _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if len(unproved) > max_rows:
        yield f"… and {len(unproved) - max_rows:,} more rows; `--format json` lists all"


def _count_dialects(proofs: Sequence[RowProof]) -> dict[str, int]:
    return dict(sorted(Counter(proof.dialect for proof in proofs if proof.dialect).items()))


def _count_findings(proofs: Sequence[RowProof]) -> dict[str, int]:
    """Count the rows that have each finding, in the order of `MEANINGS`."""
    counts = Counter(code for proof in proofs for code in {finding.code for finding in proof.findings})
    return {code: counts[code] for code in MEANINGS if counts[code]}
