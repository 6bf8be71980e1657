"""Time of everything that reads a text, on hostile texts of growing length: `python tests/benchmarks/scanners.py`.

Every scanner reads every kind of text at a fiftieth of the length, and the slowest kinds at the full length. Prints the
seconds of the slowest kind, and by how much the time grows when the text is 50 times as long: about 50 is linear, 2500
would be quadratic. Exits with 1 if a scanner takes more than `MAX_SECONDS`, or grows by more than `MAX_GROWTH`.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from exemplars.core.terminal import escape_line
from exemplars.dataset.expressions.amounts import find_durations, find_money
from exemplars.dataset.expressions.dates import find_dates
from exemplars.dataset.expressions.numbers import find_numbers, find_ordinals
from exemplars.dataset.expressions.times import find_times
from exemplars.dataset.expressions.verbatim import find_exact, find_ignoring_case
from exemplars.dataset.expressions.words import find_wordings, split_words
from exemplars.dataset.speech import write_as_spoken
from exemplars.dataset.templates import TemplateError, fill_spans, list_slots
from exemplars.dataset.texts import (
    is_mentioned,
    make_equality_key,
    make_erasure_key,
    make_shingles,
    make_similarity_text,
    make_spelling_key,
)
from stages.curate.lexicons import read_lexicons
from stages.curate.privacy.findings import build_finder
from stages.curate.quality_flags import has_markup
from stages.ingest.patterns import LimitedPattern
from stages.ingest.skills.outline import parse_outline

ROOT: Final = Path(__file__).resolve().parents[2]
MAX_SECONDS: Final = 60.0
"""For 1 MB, on one core."""
RATIO: Final = 50
"""How many times as long the long texts are as the short ones."""
MAX_GROWTH: Final = 3.0 * RATIO
"""Of the time; what takes less than `MIN_SECONDS` is not judged."""
MIN_SECONDS: Final = 0.5
SLOWEST: Final = 3
"""How many kinds of text are measured at the full length."""
TODAY: Final = datetime.date(2024, 2, 28)
UNITS: Final = (
    "twenty ", "twenty-", "twenty and ", "one hundred ", "five hundred thousand ", "a", "a ", " ", "\n", "-", " -",
    "1", "1,", "1,111", "1.", "1:", "1/", "$1", "1 day ", "an hour, ", "half an ", "five oh ", "half past ",
    "at 5 ", "5 in the ", "morning ", "march the ", "twenty first ", "next ", "in 3 days ", "'", "a'", "\u00e9",
    "e\u0301", "\u00df", "\u4f60", "\U0001f469\u200d", "< ", "<a>", "<a ", "[", "[a](", "{{", "<|", "# ", "#### a ",
    "### User: a\n", "a.", "a@", "a@b.c ", "1-", "555-123-4567 ", "1.1.1.1 ", "12 a st ", "Anna ", "Anna-", "de la ",
)  # fmt: skip
"""What the texts repeat. Each is also put between a beginning and an end that make patterns try everything."""
FRAMES: Final = (("", ""), ("#### a", "b"), ("5", "x"), ("@", "@ a@b.c 1.1.1.1 1234567"))

Scanner = Callable[..., object]


class Measurement(NamedTuple):
    """The time of a scanner for a kind of text."""

    scanner: str
    text: str
    seconds: float
    growth: float

    @property
    def is_linear(self) -> bool:
        """Whether the time is within the limits."""
        return self.seconds <= MAX_SECONDS and (self.growth <= MAX_GROWTH or self.seconds < MIN_SECONDS)


def build_scanners() -> dict[str, Scanner]:
    """Build the functions that read a text, by name."""
    find_personal_data = build_finder(read_lexicons(ROOT / "schemas/lexicons").names, 0.0)
    return {
        "numbers": _uncache(find_numbers),
        "ordinals": _uncache(find_ordinals),
        "times": _uncache(find_times),
        "dates": lambda text: _uncache(find_dates)(text, TODAY),
        "money": _uncache(find_money),
        "durations": _uncache(find_durations),
        "words": _uncache(split_words),
        "wordings": lambda text: find_wordings(text, text[: len(text) // 2]),
        "exact": lambda text: find_exact(text, text[1 : len(text) // 2]),
        "ignoring case": lambda text: find_ignoring_case(text, text[1 : len(text) // 2]),
        "skill outline": lambda text: parse_outline("a.md", f"#### Examples:\n{text}\n### User: {text}"),
        "slots": list_slots,
        "template": lambda text: _fill("<a> " + text[:1] + " <a>" + text, text),
        "template of itself": lambda text: _fill(text, text),
        "tombstone": LimitedPattern(r"(?i)\bAda Byron\b|\d{3}-\d{4}", "t1").is_in,
        "erasure key": _uncache(make_erasure_key),
        "equality key": _uncache(make_equality_key),
        "spelling key": _uncache(make_spelling_key),
        "similarity text": _uncache(make_similarity_text),
        "mention": lambda text: is_mentioned(text[1 : len(text) // 2], text),
        "shingles": _uncache(make_shingles),
        "markup": has_markup,
        "speech view": write_as_spoken,
        "personal data": find_personal_data,
    }


def measure(size: int, name: str) -> list[Measurement]:
    """Measure a scanner on the kinds of text on which it is slowest. size: in code points."""
    scan = build_scanners()[name]
    short = {
        (before, unit, after): _time(scan, before + unit * (size // RATIO // len(unit)) + after)
        for unit in UNITS
        for before, after in FRAMES
    }
    measurements = []
    for before, unit, after in sorted(short, key=lambda kind: -short[kind])[:SLOWEST]:
        seconds = _time(scan, before + unit * (size // len(unit)) + after)
        growth = seconds / max(short[before, unit, after], 1e-6)
        measurements.append(Measurement(name, f"{before}{unit * 3}…{after}", seconds, growth))
    return measurements


def _uncache(scan: Scanner) -> Scanner:
    """Return what `functools.lru_cache` wraps; a function without a cache as it is."""
    return scan.__wrapped__ if hasattr(scan, "cache_info") else scan


def _fill(template: str, utterance: str) -> None:
    try:
        fill_spans(template, utterance, {"a"})
    except TemplateError:
        return


def _time(scan: Scanner, text: str) -> float:
    start = time.process_time()
    scan(text)
    return time.process_time() - start


def main() -> int:
    """Measure, print the slowest kind of text of each scanner, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scanners", nargs="*", help="the names of scanners (default: all)")
    parser.add_argument("--size", type=int, default=1_000_000, help="of the longest texts, in code points")
    arguments = parser.parse_args()
    gc.disable()
    status = 0
    for name in arguments.scanners or build_scanners():
        measurements = measure(arguments.size, name)
        print(_format(max(measurements, key=lambda measurement: measurement.seconds)), flush=True)
        for measurement in measurements:
            if not measurement.is_linear:
                status = 1
                print("NOT LINEAR", _format(measurement), flush=True)
    return status


def _format(measurement: Measurement) -> str:
    return (
        f"{measurement.scanner:<20} {measurement.seconds:>7.2f} s  x{measurement.growth:>6.1f}  "
        f"{escape_line(measurement.text)}"
    )


if __name__ == "__main__":
    sys.exit(main())
