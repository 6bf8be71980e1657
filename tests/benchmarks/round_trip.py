"""Do exported rows come back? Exports of a project's splits, read in a project of their own, and compared by digest.

    python -m tests.benchmarks.round_trip [--no-labels] [PROJECT]

PROJECT has rendered splits (`dvc repro render`); default: this one. Each export is the only source of its project:
`chat` reads openai, sharegpt, xlam and bfcl, and `instruct` reads alpaca, with the day that this project's dialogues
are of.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.ids import SPLITS
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View

PROJECT = Path(__file__).parents[2]
SOURCES = {
    **dict.fromkeys(("openai", "sharegpt", "xlam", "bfcl"), "format: chat"),
    "alpaca": "format: instruct",
}
PARAMS = """\
ingest:
  sources:
    back: {{{source}, today: "2019-03-01", path: back, license: Apache-2.0}}
compile: {{sources: [back]}}
validate: {{max_rejection_rate: 1.0}}
"""


class RoundTrip(NamedTuple):
    """What became of the exported exemplars of a project in one format. Each digest counts once."""

    exported: int
    same: int
    """Those that came back."""
    others: int
    """Those of exemplars that were not exported."""
    reasons: dict[str, int]
    """The rows that were rejected, by reason."""


def measure_round_trip(
    project: Path, form: str, python: str = sys.executable, options: Sequence[str] = ()
) -> RoundTrip:
    """Export all splits of a project, and ingest and compile them again.

    python: what runs `-m MODULE`. options: more of `exemplars export`.
    """
    with tempfile.TemporaryDirectory() as folder:
        back = Path(folder)
        shutil.copytree(PROJECT / "schemas", back / "schemas")
        (back / "params.yaml").write_text(PARAMS.format(source=SOURCES[form]), "utf-8")
        (back / "data/raw").mkdir(parents=True)
        (back / "data/raw/erasures.jsonl").touch()
        for split in SPLITS:
            output = ("--split", split, "--output", str(back / f"back/{split}.jsonl"))
            _run(python, project, "exemplars.cli.main", "export", "--format", form, *output, *options)
        for command in (("stages.ingest", "back"), ("stages.compile",)):
            _run(python, back, *command)
        exemplars = _read(back / layout.EXEMPLARS)
        rejections: list[Rejection] = []
        for path in (
            back / layout.RECORDS / "back.rejections.parquet",
            back / layout.ledger_path(layout.EXEMPLARS),
        ):
            rejections += rows_from_table(read_table(path, REJECTION_SCHEMA), Rejection)
    sent = {digest for split in SPLITS for digest in _list_exported(project, split)}
    found = {exemplar.digest for exemplar in exemplars}
    return RoundTrip(
        exported=len(sent),
        same=len(sent & found),
        others=len(found - sent),
        reasons=dict(sorted(Counter(rejection.reason.value for rejection in rejections).items())),
    )


def _list_exported(project: Path, split: str) -> list[str]:
    table = read_table(project / layout.training(split), TRAINING_SCHEMA)
    rows = rows_from_table(table, TrainingRow)
    return [digest for row in rows if row.view == View.CALL for digest in row.digests]


def _read(path: Path) -> list[Exemplar]:
    return exemplars_from_table(read_table(path, EXEMPLAR_SCHEMA))


def _run(python: str, folder: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [python, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr or done.stdout}")


def main() -> None:
    """Print a line for each format."""
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    project = Path(next((word for word in sys.argv[1:] if word not in options), PROJECT))
    for form in SOURCES:
        trip = measure_round_trip(project, form, options=options)
        reasons = ", ".join(f"{reason} {count}" for reason, count in trip.reasons.items()) or "none"
        print(
            f"{form}: {trip.same:,} of {trip.exported:,} digests come back ({trip.same / trip.exported:.2%}); "
            f"{trip.others:,} others; rejected: {reasons}"
        )


if __name__ == "__main__":
    main()
