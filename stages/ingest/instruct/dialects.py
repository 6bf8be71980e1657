"""The dialects of instruction data: which one a row is of, and the exchanges that it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

import msgspec

from exemplars.core.errors import quote_text, suggest_name, summarize_names
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.params import InstructDialect, SystemText

DIALECTS: Final[tuple[InstructDialect, ...]] = get_args(InstructDialect)
Row = Mapping[str, Any]
_FIX: Final = "correct the row, or remove it"


class Exchange(NamedTuple):
    """A text of the user and the reply of the assistant."""

    pointer: str
    """Of the reply within the row; empty: the row has no other."""
    text: str
    reply: str | None
    """`None`: the row ends without one."""


class RowError(Exception):
    """A row that does not have the form of its dialect."""

    def __init__(self, problem: Problem) -> None:
        """problem: what is wrong with it."""
        super().__init__(problem.sentence)
        self.problem = problem


def detect_dialect(row: Any) -> InstructDialect | None:
    """Detect the dialect that the keys of a row show; `None`: they show none.

    >>> detect_dialect({"instruction": "Name a color.", "input": "", "output": "Red"})
    'alpaca'
    """
    if not isinstance(row, Mapping):
        return None
    return next((dialect for dialect in DIALECTS if _READERS[dialect].keys <= row.keys()), None)


def read_exchanges(row: Any, dialect: InstructDialect, system: SystemText) -> list[Exchange]:
    """Read the exchanges of a row, oldest first. Raises `RowError` if the row is not of the dialect."""
    if not isinstance(row, Mapping):
        raise RowError(_report(_describe(row), "an object", _FIX))
    reader = _READERS[dialect]
    missing = sorted(reader.keys - row.keys())
    if missing:
        found = f"the keys {summarize_names(map(str, row), limit=6)}" if row else "no keys"
        expected = f"{' and '.join(sorted(reader.keys))}, as all rows of the dialect {dialect} have them"
        hints = (suggest_name(str(key), missing) for key in row)
        raise RowError(_report(found, expected, next(filter(None, hints), _FIX)))
    exchanges = list(reader.read(row))
    preface = _read_text(row, "system", optional=True) if dialect == "alpaca" else ""
    if preface.strip() and system is SystemText.PREPEND and exchanges:
        exchanges[0] = exchanges[0]._replace(text=_join(preface, exchanges[0].text))
    return exchanges


def _read_alpaca(row: Row) -> Iterator[Exchange]:
    for index, pair in enumerate(_read_list(row, "history")):
        pointer = f"/history/{index}"
        match pair:
            case [str(text), str(reply)]:
                yield Exchange(pointer, text, reply)
            case _:
                found = f"{_describe(pair)} at {pointer}"
                raise RowError(_report(found, "a pair of texts, what the user says and the reply", _FIX))
    text = _join(_read_text(row, "instruction"), _read_text(row, "input", optional=True))
    yield Exchange("", text, _read_text(row, "output"))


def _read_dolly(row: Row) -> Iterator[Exchange]:
    text = _join(_read_text(row, "instruction"), _read_text(row, "context", optional=True))
    yield Exchange("", text, _read_text(row, "response"))


def _read_flan(row: Row) -> Iterator[Exchange]:
    yield Exchange("", _read_text(row, "inputs"), _read_text(row, "targets"))


def _read_completion(row: Row) -> Iterator[Exchange]:
    yield Exchange("", _read_text(row, "prompt"), _read_text(row, "completion"))


def _read_lima(row: Row) -> Iterator[Exchange]:
    texts = _read_list(row, "conversations")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            found = f"{_describe(text)} at /conversations/{index}"
            fix = "read the file as `format: chat`" if isinstance(text, Mapping) else _FIX
            raise RowError(_report(found, "a text", fix))
    if not texts:
        raise RowError(_report("an empty list at /conversations", "at least one text", _FIX))
    for index in range(0, len(texts), 2):
        reply = texts[index + 1] if index + 1 < len(texts) else None
        yield Exchange(f"/conversations/{index if reply is None else index + 1}", texts[index], reply)


class _Reader(NamedTuple):
    keys: frozenset[str]
    """What every row has."""
    read: Callable[[Row], Iterator[Exchange]]


_READERS: Final[Mapping[InstructDialect, _Reader]] = {
    "alpaca": _Reader(frozenset({"instruction", "output"}), _read_alpaca),
    "dolly": _Reader(frozenset({"instruction", "response"}), _read_dolly),
    "flan": _Reader(frozenset({"inputs", "targets"}), _read_flan),
    "lima": _Reader(frozenset({"conversations"}), _read_lima),
    "completion": _Reader(frozenset({"prompt", "completion"}), _read_completion),
}


def _join(first: str, second: str) -> str:
    """Join two parts of what the user says by a line end, as LLaMA-Factory joins an instruction and its input."""
    return f"{first}\n{second}" if first and second else first or second


def _read_text(row: Row, key: str, *, optional: bool = False) -> str:
    """Read a text of a row. optional: whether it may be missing or `None`. Raises `RowError`."""
    value = row.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        fix = "read the file as `format: chat`" if key in ("prompt", "completion") and value else _FIX
        raise RowError(_report(f"{_describe(value)} at /{key}", "a text", fix))
    return value


def _read_list(row: Row, key: str) -> Sequence[Any]:
    """Read a list of a row; a missing one is empty. Raises `RowError` if it is something else."""
    value = row.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RowError(_report(f"{_describe(value)} at /{key}", "a list", _FIX))
    return value


def _describe(value: Any) -> str:
    try:
        return quote_text(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, RecursionError):  # A value of Parquet that JSON does not have.
        return quote_text(repr(value))


def _report(found: str, expected: str, fix: str) -> Problem:
    return Problem(Reason.MALFORMED_RECORD, found, expected, fix)
