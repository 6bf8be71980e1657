"""CLINC150's JSON: `{split: [[text, intent]]}`, without slots; `oos_train` and the like are out of scope."""

from __future__ import annotations

import msgspec

from exemplars.core.json_pointers import escape_key
from exemplars.core.ledger import Problem
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import SPLIT_NAMES, Example, Flaw, Item, NluFile


def parse_clinc(path: str, text: Text) -> NluFile:
    """Parse a file. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    lists = document.decode(dict[str, list[msgspec.Raw]], "{split: [[text, intent]]}")
    items: list[Item] = list(document.list_flaws())
    for name, pairs in lists.items():
        split = SPLIT_NAMES.get(name.removeprefix("oos_"))
        for index, raw in enumerate(pairs):
            pointer = f"/{escape_key(name)}/{index}"
            pair = document.decode_record(raw, tuple[str, str])
            if isinstance(pair, Problem):
                items.append(Flaw(pointer, pair))
            else:
                items.append(Example(pointer, pair[0], pair[1], (), split))
    return NluFile(path, tuple(items), is_damaged=text.is_damaged)
