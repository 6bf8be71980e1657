"""How `curate` and `split` grow beyond the copies that `growth.py` has time for: the rows of a project, several times over.

Run it: `python tests/benchmarks/version_growth.py split PROJECT 1 4 16`, with a folder in which the stage before has run.
Each further version has other ids, and other words of the same length and from the same texts, so that texts of
different versions are as different as those of one, and spans stay right.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from multiprocessing import Process
from pathlib import Path

import pyarrow as pa
from speed import measure_process

from exemplars.core import layout
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA
from exemplars.core.tables import count_rows, open_table
from exemplars.dataset.texts import make_similarity_text

INPUTS = {"curate": (layout.EXEMPLARS,), "split": (layout.CURATED, layout.SPEECH)}
"""The tables of exemplars that each stage reads."""
_WORD = re.compile(r"(?<![<\w.\[])[a-z]{4,}(?![\w>.\]])")
"""Lower-case words that are not the name of a slot."""


def multiply_inputs(project: Path, target: Path, stage: str, versions: int) -> None:
    """Write `versions` versions of what a stage reads, the first of which has the same texts."""
    for name in ("exemplars", "stages", "schemas"):
        shutil.copytree(project / name, target / name, symlinks=True)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(project / name, target / name)
    folder = INPUTS[stage][0].parent
    shutil.copytree(project / folder, target / folder)
    rows = RowGroups(project / INPUTS[stage][0], EXEMPLAR_SCHEMA)
    replacements = list(_choose_words(rows, versions))
    for table in INPUTS[stage]:
        _multiply_exemplars(RowGroups(project / table, EXEMPLAR_SCHEMA), target / table, replacements)
    if stage == "split":
        _multiply_pairs(
            RowGroups(project / layout.PAIRS, PAIR_SCHEMA), target / layout.PAIRS, replacements, rows
        )


def _choose_words(rows: RowGroups, versions: int) -> Iterator[dict[str, str]]:
    """Choose for each version what it has in place of words: another of the same length."""
    words: dict[int, set[str]] = defaultdict(set)
    for table in rows.scan(["utterance"]):
        for text in table.column("utterance").to_pylist():
            for word in _WORD.findall(text):
                words[len(word)].add(word)
    for version in range(versions):
        yield {
            word: names[(place + version) % len(names)]
            for names in map(sorted, words.values())
            for place, word in enumerate(names)
        }


def _multiply_exemplars(rows: RowGroups, target: Path, replacements: list[dict[str, str]]) -> None:
    with open_table(target, EXEMPLAR_SCHEMA) as writer:
        for version, others in enumerate(replacements):
            for table in rows.scan():
                columns = {name: table.column(name) for name in table.column_names}
                for name in ("id", "turn", "group"):
                    columns[name] = pa.array(f"v{version:02}:{text}" for text in columns[name].to_pylist())
                for name in ("utterance", "exemplar") if version else ():
                    columns[name] = pa.array(
                        _replace_words(text, others) for text in columns[name].to_pylist()
                    )
                writer.write(pa.Table.from_arrays(list(columns.values()), schema=EXEMPLAR_SCHEMA))


def _multiply_pairs(
    pairs: RowGroups, target: Path, replacements: list[dict[str, str]], rows: RowGroups
) -> None:
    originals = {
        (name, make_similarity_text(text)): text
        for table in rows.scan(["utterance", "exemplar"])
        for name in table.column_names
        for text in table.column(name).to_pylist()
    }
    with open_table(target, PAIR_SCHEMA) as writer:
        for others in replacements:
            for table in pairs.scan():
                columns = {name: table.column(name) for name in table.column_names}
                names = columns["column"].to_pylist()
                for side in ("first", "second"):
                    texts = map(originals.get, zip(names, columns[side].to_pylist(), strict=True))
                    columns[side] = pa.array(
                        make_similarity_text(_replace_words(text or "", others)) for text in texts
                    )
                writer.write(pa.Table.from_arrays(list(columns.values()), schema=PAIR_SCHEMA))


def _replace_words(text: str, others: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: others.get(match[0], match[0]), text)


def main() -> None:
    """Measure as the arguments say; ratios are to the first number of versions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stage", choices=INPUTS)
    parser.add_argument("project", type=Path)
    parser.add_argument("versions", type=int, nargs="+")
    arguments = parser.parse_args()
    first: tuple[float, float] | None = None
    for versions in arguments.versions:
        with tempfile.TemporaryDirectory(dir=arguments.project.parent) as folder:
            copy = Path(folder)
            # In a process of its own: a child's peak memory counts what its parent had when it was started.
            writing = Process(
                target=multiply_inputs, args=(arguments.project, copy, arguments.stage, versions)
            )
            writing.start()
            writing.join()
            count = count_rows(copy / INPUTS[arguments.stage][0], EXEMPLAR_SCHEMA)
            cost = measure_process(["-m", f"stages.{arguments.stage}"], copy)
        a_row = cost.processor_seconds / count
        first = first or (a_row, cost.memory)
        print(
            f"{count:9,} exemplars: {cost.seconds:.1f} s; processor {cost.processor_seconds:.1f} s, "
            f"{a_row * 1e6:.0f} us an exemplar ({a_row / first[0]:.2f}); "
            f"{cost.memory:.0f} MB ({cost.memory / first[1]:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
