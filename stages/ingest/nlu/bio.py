"""BIO tags: columns of tokens and tags (CoNLL), or the parallel files `seq.in`, `seq.out` and `label`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.nlu.documents import Text
from stages.ingest.nlu.examples import SPLIT_NAMES, Entity, Example, Flaw, Item, NluFile, report_malformed
from stages.ingest.reading import find_oversize

PARALLEL_FILES: Final = ("seq.in", "seq.out", "label")
"""The names of the files of one folder that belong together: tokens, tags, intents."""
_TAG: Final = re.compile(r"O|[BIESLU]-\S+")
_HEADER: Final = re.compile(r"#\s*(\w+)\s*[:=]\s*(.*\S)")
_BEGINS: Final = frozenset("BSU")
_DOCUMENT: Final = "-DOCSTART-"


class _Token(NamedTuple):
    """A token with its tag; `line`: where its tag is, from 1."""

    text: str
    tag: str
    line: int


class _Sentence(NamedTuple):
    """The lines of a sentence, each divided into columns."""

    first_line: int
    rows: list[tuple[int, list[str]]]
    headers: dict[str, str]


def is_bio(text: str) -> bool:
    """Return whether a text has columns with tags."""
    lines = [line.split() for line in text.split("\n", 200)[:200]]
    return any(len(columns) > 1 and any(map(_TAG.fullmatch, columns[1:])) for columns in lines)


def parse_bio(path: str, text: Text) -> NluFile:
    """Parse the sentences of a file of columns; blank lines divide them."""
    items = [_read_sentence(path, sentence) for sentence in _list_sentences(text.text)]
    return NluFile(path, tuple(items), is_damaged=text.is_damaged)


def parse_parallel(paths: Sequence[str], texts: Sequence[Text]) -> NluFile:
    """Parse the tokens, tags and intents of three files, in the order of `PARALLEL_FILES`."""
    tokens, tags, intents = (text.text.rstrip("\n").split("\n") for text in texts)
    items: list[Item] = []
    for index, line in enumerate(tokens):
        words, intent = line.split(), _get_line(intents, index).strip()
        labels = _get_line(tags, index).split()
        if len(words) != len(labels):
            found = f"{len(words)} token(s) and, in {paths[1]}, {len(labels)} tag(s)"
            problem = report_malformed(found, "a tag for each token", "correct one of the two lines")
            items.append(Flaw(str(index + 1), problem, intent or None, line))
            continue
        pairs = zip(words, labels, strict=True)
        sentence = [_Token(word, label, index + 1) for word, label in pairs]
        items.append(_make_example(paths[1], str(index + 1), sentence, intent, _find_split(paths[0])))
    for index in range(len(tokens), max(len(tags), len(intents))):
        found = f"no line {index + 1}, which {paths[1] if index < len(tags) else paths[2]} has"
        problem = report_malformed(found, "equally many lines", "add the line, or remove the other")
        items.append(Flaw(str(index + 1), problem))
    return NluFile(paths[0], tuple(items), is_damaged=any(text.is_damaged for text in texts))


def _get_line(lines: Sequence[str], index: int) -> str:
    return lines[index] if index < len(lines) else ""


def _list_sentences(text: str) -> Iterator[_Sentence]:
    rows: list[tuple[int, list[str]]] = []
    headers: dict[str, str] = {}
    for number, line in enumerate([*text.split("\n"), ""], 1):
        columns = line.split("\t") if "\t" in line else line.split()
        columns = [column.strip() for column in columns]
        header = _HEADER.fullmatch(line.strip())
        if not any(columns):
            if rows:
                yield _Sentence(rows[0][0], rows, headers)
                headers = {}
            rows = []
        elif header is not None and not (len(columns) > 1 and _TAG.fullmatch(columns[-1])):
            headers[header[1].casefold()] = header[2]
        elif columns[0] != _DOCUMENT and not (columns[0].startswith("#") and not _has_tag(columns)):
            rows.append((number, columns))


def _has_tag(columns: Sequence[str]) -> bool:
    return any(map(_TAG.fullmatch, columns[1:]))


def _read_sentence(path: str, sentence: _Sentence) -> Item:
    locator = str(sentence.first_line)
    oversize = find_oversize("\n".join(" ".join(columns) for _, columns in sentence.rows))
    if oversize is not None:
        return Flaw(locator, oversize)
    rows, intent = _take_intent(sentence)
    width = _find_tag_column([columns for _, columns in rows])
    text = " ".join(columns[0] for _, columns in rows)
    for line, columns in rows:
        if len(columns) <= width:
            return Flaw(locator, _report_no_tag(path, line, "a token without a tag"), intent, text)
    tokens = [_Token(columns[0], columns[width], line) for line, columns in rows]
    first = rows[0][1] if rows else []
    column = first[width + 1] if len(first) > width + 1 else None
    intent = intent or sentence.headers.get("intent") or column or _find_folder(path)
    return _make_example(path, locator, tokens, intent, _find_split(path))


def _take_intent(sentence: _Sentence) -> tuple[list[tuple[int, list[str]]], str | None]:
    """Take the intent out of a last line that holds nothing else: `BookFlight`, or `EOS BookFlight`."""
    rows = sentence.rows
    if len(rows) > 1 and len(rows[-1][1]) == 1:
        return rows[:-1], rows[-1][1][0]
    if len(rows) > 2 and rows[0][1][0] == "BOS" and rows[-1][1][0] == "EOS":
        tag = rows[-1][1][-1]
        return rows[1:-1], None if _TAG.fullmatch(tag) else tag
    return rows, None


def _find_tag_column(rows: Sequence[Sequence[str]]) -> int:
    """Find the last column that has nothing but tags; otherwise the second one."""
    width = min(map(len, rows), default=0)
    columns = range(width - 1, 0, -1)
    return next((index for index in columns if all(_TAG.fullmatch(row[index]) for row in rows)), 1)


def _find_folder(path: str) -> str:
    """Find the intent in the path: its folder or file, unless that is named after a split."""
    *folders, name = path.split("/")
    names = [*folders[-1:], name.partition(".")[0]]
    return next((name for name in names if name.casefold() not in SPLIT_NAMES), "")


def _find_split(path: str) -> str | None:
    names = [name.partition(".")[0].casefold() for name in path.split("/")]
    return next((SPLIT_NAMES[name] for name in reversed(names) if name in SPLIT_NAMES), None)


def _make_example(path: str, locator: str, tokens: Sequence[_Token], intent: str, split: str | None) -> Item:
    text = " ".join(token.text for token in tokens)
    entities: list[Entity] = []
    position, open_slot = 0, ""
    for token in tokens:
        letter, _, slot = token.tag.partition("-")
        end = position + len(token.text)
        if not _TAG.fullmatch(token.tag):
            problem = _report_no_tag(path, token.line, f"the tag {quote_text(token.tag)}")
            return Flaw(locator, problem, intent, text)
        if letter in _BEGINS:
            entities.append(Entity(slot, position, end))
        elif letter != "O":
            if slot != open_slot:
                return Flaw(locator, _report_tag(path, token, open_slot), intent, text)
            entities[-1] = entities[-1]._replace(end=end)
        open_slot = slot if letter in ("B", "I") else ""
        position = end + 1
    return Example(locator, text, intent, tuple(entities), split)


def _report_no_tag(path: str, line: int, found: str) -> Problem:
    return report_malformed(found, "O, or B- or I- and a name", "correct the line", f"{path}:{line}")


def _report_tag(path: str, token: _Token, open_slot: str) -> Problem:
    slot = token.tag[2:]
    found = f"the tag {token.tag} of {quote_text(token.text)}"
    expected = f"B-{slot}, since {f'I-{open_slot}' if open_slot else 'no entity'} is before it"
    return Problem(
        Reason.MALFORMED_RECORD, found, expected, "correct the tag", slot, place=f"{path}:{token.line}"
    )
