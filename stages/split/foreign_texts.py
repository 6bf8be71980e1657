"""What users say in the rows of other people's datasets, whatever form the rows have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_SPEAKER_KEYS: Final = ("role", "from", "speaker")
_USERS: Final = frozenset({"user", "human", "customer"})
_TEXT_KEYS: Final = (
    "utterance", "text", "utt", "query", "question", "content", "value", "prompt", "instruction", "input", "inputs",
)  # fmt: skip
"""The keys under which rows have what is said; the first that a row has is read."""


class ForeignText(NamedTuple):
    """A text that another dataset tests with."""

    set_name: str
    place: str
    """The file, and the line or the JSON Pointer of the row in it."""
    text: str
    column: str = "utterance"
    """`utterance`, or `exemplar` for a template."""


class UserText(NamedTuple):
    """A text of a row."""

    pointer: str
    """Where it is in the row: a JSON Pointer."""
    column: str
    text: str


def list_user_texts(row: Any, pointer: str = "") -> Iterator[UserText]:
    """Yield what users say in a row, and its template if it has one.

    A row is a text; an object with one under a usual key; a list of messages, of which only the user's count; parts
    of a sentence under `data` (Snips); or a pair of a text and its label (CLINC150).

    pointer: of the row in its file.

    >>> list(list_user_texts({"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "content": "5"}]}))
    [UserText(pointer='/messages/0', column='utterance', text='hi')]
    >>> [text.text for text in list_user_texts({"data": [{"text": "play "}, {"text": "jazz", "entity": "genre"}]})]
    ['play jazz']
    """
    if isinstance(row, str):
        yield UserText(pointer, "utterance", row)
    elif isinstance(row, Mapping):
        yield from _list_in_object(row, pointer)
    elif isinstance(row, list | tuple):
        if len(row) == 2 and all(isinstance(part, str) for part in row):
            yield UserText(pointer, "utterance", row[0])
        else:
            for index, child in enumerate(row):
                yield from list_user_texts(child, f"{pointer}/{index}")


def _list_in_object(row: Mapping[str, Any], pointer: str) -> Iterator[UserText]:
    speaker = next((row[key] for key in _SPEAKER_KEYS if isinstance(row.get(key), str)), None)
    if speaker is not None and speaker.casefold() not in _USERS:
        return
    parts = row.get("data")
    if isinstance(parts, list) and all(isinstance(part, Mapping) and "text" in part for part in parts):
        yield UserText(pointer, "utterance", "".join(str(part["text"]) for part in parts))
        return
    key = next((key for key in _TEXT_KEYS if isinstance(row.get(key), str)), None)
    if key is None:
        for name, child in row.items():
            if isinstance(child, Mapping | list | tuple):
                yield from list_user_texts(child, f"{pointer}/{name}")
        return
    yield UserText(pointer, "utterance", row[key])
    if isinstance(row.get("exemplar"), str):
        yield UserText(pointer, "exemplar", row["exemplar"])
