"""How `curate` grows beyond the copies that `growth.py` has time for: the exemplars of a project, several times over.

Run it: `python tests/benchmarks/curate_growth.py PROJECT 4`, with a folder in which `compile` has run. Each further
version has other ids, and other words of the same length and from the same texts, so that texts of different versions
are as different as those of one, and spans stay right.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from speed import measure_process

from exemplars.core import layout
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import open_table

_WORD = re.compile(r"(?<![<\w.\[])[a-z]{4,}(?![\w>.\]])")
"""Lower-case words that are not the name of a slot."""


def multiply_exemplars(rows: RowGroups, target: Path, versions: int) -> int:
    """Write `versions` versions of exemplars, the first of which has the same texts; return the number of rows."""
    words = _collect_words(rows)
    with open_table(target, EXEMPLAR_SCHEMA) as writer:
        for version in range(versions):
            others = {
                word: names[(place + version) % len(names)]
                for names in words
                for place, word in enumerate(names)
            }
            for table in rows.scan():
                writer.write(_vary_rows(table, version, others))
        return writer.num_rows


def _collect_words(rows: RowGroups) -> list[list[str]]:
    """Collect the words of all utterances, by length."""
    words: dict[int, set[str]] = defaultdict(set)
    for table in rows.scan(["utterance"]):
        for text in table.column("utterance").to_pylist():
            for word in _WORD.findall(text):
                words[len(word)].add(word)
    return [sorted(names) for names in words.values()]


def _vary_rows(table: pa.Table, version: int, others: Mapping[str, str]) -> pa.Table:
    columns = {name: table.column(name) for name in table.column_names}
    for name in ("id", "turn", "group"):
        columns[name] = pa.array(f"v{version:02}:{text}" for text in columns[name].to_pylist())
    for name in ("utterance", "exemplar") if version else ():
        columns[name] = pa.array(_replace_words(columns[name].to_pylist(), others))
    return pa.Table.from_arrays(list(columns.values()), schema=EXEMPLAR_SCHEMA)


def _replace_words(texts: list[str], others: Mapping[str, str]) -> Iterator[str]:
    return (_WORD.sub(lambda match: others.get(match[0], match[0]), text) for text in texts)


def main() -> None:
    """Measure as the arguments say."""
    project, versions = Path(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(dir=project.parent) as folder:
        copy = Path(folder)
        for name in ("exemplars", "stages", "schemas"):
            shutil.copytree(project / name, copy / name, symlinks=True)
        for name in ("dvc.yaml", "params.yaml"):
            shutil.copy(project / name, copy / name)
        shutil.copytree(project / layout.EXEMPLARS.parent, copy / layout.EXEMPLARS.parent)
        count = multiply_exemplars(
            RowGroups(project / layout.EXEMPLARS, EXEMPLAR_SCHEMA), copy / layout.EXEMPLARS, versions
        )
        cost = measure_process(["-m", "stages.curate"], copy)
        print(
            f"{count:,} exemplars: {cost.seconds:.1f} s; processor {cost.processor_seconds:.1f} s, "
            f"{cost.processor_seconds / count * 1e6:.0f} us an exemplar; {cost.memory:.0f} MB"
        )


if __name__ == "__main__":
    main()
