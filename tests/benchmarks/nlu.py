"""What becomes of the utterances of real NLU data, and how well their values are located without their spans.

Run it: `python tests/benchmarks/nlu.py`. The raw files are counted independently of the readers, by the plainest
reading of each format; then each utterance is looked up in the tables that `ingest` and `compile` make.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from hidden_spans import Score
from real_archive import MISSING, PROJECT, find_archive, unpack_archive

from exemplars.core.records import LabelledArgument
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from stages.compile.grounding import find_matches
from stages.compile.lexicon import Lexicon

Spans = tuple[tuple[str, int, int], ...]
SETS = ("snips", "rasa", "clinc")


class Utterance(NamedTuple):
    """An utterance of a raw file."""

    id: str
    text: str
    intent: str
    spans: Spans
    """Slot, start and end; without white space at the edges."""


class Outcome(NamedTuple):
    """Counts of the utterances of a dataset."""

    utterances: int
    distinct: int
    """Utterances of which none before has the same text and meaning."""
    exact: int
    """Distinct utterances that are exemplars with exactly the given spans."""
    rows: int
    """Utterances that are exactly one exemplar or rejection."""
    reasons: dict[str, int]
    """Why the others are rejected."""

    @property
    def exact_share(self) -> float:
        """The share of distinct utterances that are exemplars with exactly the given spans."""
        return self.exact / self.distinct


def compile_set(data: Path, folder: Path) -> Path:
    """Run `ingest` and `compile` on a dataset, as processes; return the folder of their tables."""
    shutil.copytree(PROJECT / "schemas", folder / "schemas")
    write_params(folder, str(data))
    run_stage(folder, "stages.ingest", "real")
    run_stage(folder, "stages.compile")
    return folder / "data/exemplars"


_RUN_AND_MEASURE = """\
import re, runpy, sys
peak, *sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    status = open("/proc/self/status").read()
    open(peak, "w").write(re.search(r"VmHWM:\\s*(\\d+)", status)[1])
"""
"""Not by `wait4`: its peak begins with the memory of the process that started the stage."""


def run_stage(folder: Path, *command: str) -> tuple[float, float]:
    """Run a stage in a folder; return its wall time in seconds, and its peak memory in MB."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    peak = folder / "peak_kb.txt"
    arguments = [sys.executable, "-c", _RUN_AND_MEASURE, str(peak.resolve()), *command]
    subprocess.run(arguments, cwd=folder, env=environment, check=True)
    return time.perf_counter() - start, int(peak.read_text()) / 1024


def write_params(folder: Path, path: str) -> None:
    """Write the parameters of a project with one source of NLU data."""
    none_intents = ["oos"] if path.endswith("clinc") else []
    source = {"format": "nlu", "path": path, "license": "CC0-1.0", "none_intents": none_intents}
    params = {
        "ingest": {"context_turns": 0, "sources": {"real": source}},
        "compile": {"sources": ["real"], "recognizers": "schemas/recognizers.json"},
    }
    (folder / "params.yaml").write_text(json.dumps(params), "utf-8")


def read_utterances(name: str, data: Path) -> list[Utterance]:
    """Read the raw files of a dataset, in the order of their ids."""
    read = {"snips": _read_snips, "rasa": _read_rasa, "clinc": _read_clinc}[name]
    return sorted(utterance for path in sorted(data.iterdir()) for utterance in read(path))


def _read_snips(path: Path) -> list[Utterance]:
    # One file has surrogates that Java wrote one by one.
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    document = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16"))
    return [
        _make_utterance(f"real:{path.name}#/{intent}/{index}", intent, example["data"])
        for intent, examples in document.items()
        for index, example in enumerate(examples)
    ]


def _make_utterance(row_id: str, intent: str, segments: list[dict[str, Any]]) -> Utterance:
    text, spans = "", []
    for segment in segments:
        part = segment["text"]
        if "entity" in segment:
            start = len(text) + len(part) - len(part.lstrip())
            spans.append((segment["entity"], start, start + len(part.strip())))
        text += part
    return Utterance(row_id, text, intent, tuple(spans))


def _read_rasa(path: Path) -> list[Utterance]:
    utterances, intent = [], ""
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if match := re.match(r"- intent: (\S+)$", line):
            intent = match[1]
        elif match := re.match(r" +- (.*)$", line):
            utterances.append(Utterance(f"real:{path.name}#{number}", match[1].strip(), intent, ()))
    return utterances


def _read_clinc(path: Path) -> list[Utterance]:
    return [
        Utterance(f"real:{path.name}#/{split}/{index}", text, intent, ())
        for split, pairs in json.loads(path.read_bytes()).items()
        for index, (text, intent) in enumerate(pairs)
    ]


def count_outcomes(utterances: list[Utterance], tables: Path) -> Outcome:
    """Look up every utterance in the tables."""
    exemplars = {
        row["id"]: row
        for row in pl.read_parquet(tables / "exemplars.parquet")
        .select("id", "utterance", "skill", "arguments")
        .to_dicts()
    }
    reasons = dict(pl.read_parquet(tables / "rejections.parquet", columns=["id", "reason"]).iter_rows())
    seen: set[tuple[str, str, Spans]] = set()
    exact = rows = 0
    for utterance in utterances:
        rows += (utterance.id in exemplars) + (utterance.id in reasons) == 1
        meaning = (utterance.text, utterance.intent, utterance.spans)
        if meaning not in seen:
            seen.add(meaning)
            exact += utterance.id in exemplars and _is_exact(utterance, exemplars[utterance.id])
    assert len(exemplars) + len(reasons) == len(utterances)
    return Outcome(len(utterances), len(seen), exact, rows, dict(sorted(Counter(reasons.values()).items())))


def _is_exact(utterance: Utterance, row: dict[str, Any]) -> bool:
    spans = [(item["slot"], item["start"], item["end"]) for item in row["arguments"]]
    skill = None if utterance.intent == "oos" else re.sub(r"[^\w.-]+", "_", utterance.intent)
    return (row["utterance"], row["skill"], spans) == (utterance.text, skill, list(utterance.spans))


def score_hidden_spans(utterances: list[Utterance]) -> Score:
    """Locate every value of the utterances from the value alone."""
    lexicon, parameter = Lexicon(Recognizers()), Parameter("value")
    values = located = right = 0
    for utterance in utterances:
        for slot, start, end in utterance.spans:
            label = LabelledArgument(slot, utterance.text[start:end])
            places = find_matches(label, utterance.text, parameter, lexicon, None)
            values += 1
            located += len(places) == 1
            right += len(places) == 1 and (places[0].start, places[0].end) == (start, end)
    return Score(values, located, right)


def measure_array(folder: Path, examples: int) -> tuple[float, float]:
    """Run `ingest` on one JSON array; return its wall time in seconds, and its peak memory in MB."""
    rows = [
        {
            "data": [
                {"text": f"please book number {number} at "},
                {"text": f"The Middle East {number}", "entity": "restaurant_name"},
                {"text": " in "},
                {"text": "Cambridge", "entity": "city"},
                {"text": f" for {number % 12 + 1} people tomorrow"},
            ]
        }
        for number in range(examples)
    ]
    (folder / "raw").mkdir(parents=True)
    (folder / "raw/train.json").write_text(json.dumps({"BookRestaurant": rows}), "utf-8")
    write_params(folder, "raw")
    return run_stage(folder, "stages.ingest", "real")


def print_outcome(name: str, outcome: Outcome) -> None:
    """Print what became of a dataset."""
    print(
        f"{name}: {outcome.utterances:,} utterances, {outcome.rows:,} of them exactly one row; {outcome.distinct:,} "
        f"distinct, {outcome.exact:,} ({outcome.exact_share:.2%}) exemplars with exactly the given spans"
    )
    for reason, count in outcome.reasons.items():
        print(f"  {reason} {count:,}")


def main() -> None:
    """Print the outcomes of all datasets, how well values are located, and what a large array takes."""
    with tempfile.TemporaryDirectory() as name:
        seconds, megabytes = measure_array(Path(name) / "array", 100_000)
        print(f"100,000 examples in one JSON array: {seconds:.1f} s, {megabytes:.0f} MB")
        if find_archive() is None:
            print(MISSING)
            return
        root = unpack_archive(Path(name))
        for dataset in SETS:
            utterances = read_utterances(dataset, root / dataset)
            folder = Path(name) / f"project-{dataset}"
            folder.mkdir()
            print_outcome(dataset, count_outcomes(utterances, compile_set(root / dataset, folder)))
        score = score_hidden_spans(read_utterances("snips", root / "snips"))
        print(
            f"snips, spans hidden: {score.values:,} values, {score.located_share:.3%} located, "
            f"{score.right_share:.3%} of them right"
        )


if __name__ == "__main__":
    main()
