"""Rasa's NLU data in YAML: intents, synonyms, lookups and regexes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise, takewhile
from typing import Final

from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.ledger import Problem
from exemplars.core.yaml_documents import YamlProblem
from stages.ingest.nlu.documents import Text
from stages.ingest.nlu.examples import Example, Flaw, NluFile, find_malformed_pattern, make_instances
from stages.ingest.nlu.rasa_lines import FORM, Line, RasaContent
from stages.ingest.nlu.rasa_markup import parse_markup
from stages.ingest.nlu.yaml_nodes import YamlNode, parse_documents

_KINDS: Final = ("intent", "synonym", "regex", "lookup")
_ITEM: Final = re.compile(rf"^(\s*)-\s+(?:{'|'.join(_KINDS)})\s*:")
_MAX_LEFT_OUT: Final = 100
"""The examples of an item that are left out, one by one, before all of it is given up."""
_EXAMPLE: Final = re.compile(r"^\s*-\s+\S")
_TOP_KEY: Final = re.compile(r"^(?:\{\s*)?[\"']?([A-Za-z_]\w*)[\"']?\s*:", re.MULTILINE)
_OTHER_KEYS: Final = frozenset(
    ("version", "stories", "rules", "responses", "intents", "entities", "slots", "actions", "forms", "language",
     "pipeline", "policies", "session_config", "e2e_actions", "recipe", "assistant_id")
)  # fmt: skip
"""The keys of a Rasa project's other files, which hold no NLU examples."""


def is_rasa_yaml(text: str) -> bool:
    """Return whether a YAML text is a file of a Rasa project: with NLU data, or another of its files."""
    keys = set(_TOP_KEY.findall(text))
    return "nlu" in keys or bool(keys and keys <= _OTHER_KEYS)


def parse_rasa_yaml(path: str, text: Text) -> NluFile:
    """Parse a YAML file. What is no YAML costs the lines or the intents that it is in; the others are read.

    Raises `UserError` if it has no intents that can be found.
    """
    content = RasaContent(path)
    try:
        documents = parse_documents(text.text)
    except YamlProblem as problem:
        _read_parts(content, text.text, problem)
    else:
        for document in documents:
            _read_document(content, document)
    return NluFile(
        path,
        tuple(content.items),
        lookups={
            name: make_instances((value, ()) for value in values) for name, values in content.lookups.items()
        },
        synonyms=content.synonyms,
        patterns={name: tuple(patterns) for name, patterns in content.patterns.items()},
        is_damaged=text.is_damaged,
    )


def _read_document(content: RasaContent, document: YamlNode) -> None:
    repeated = document.find_repeated_key()
    if repeated is not None:
        line = [name.line for name, _ in document.pairs or () if name.text == repeated][-1]
        content.reject(line, f"the key {quote_text(repeated)} twice", "each key once", "unite the two")
    for nlu in document.find_all("nlu"):
        if nlu.items is None and (nlu.text is None or nlu.text.strip(" ~")):
            content.reject(nlu.line, "no list under `nlu`", FORM, "write a list of intents")
        _read_items(content, nlu.items or ())


def _read_items(content: RasaContent, items: Iterable[YamlNode], first: int = 0) -> None:
    for index, item in enumerate(items, first):
        content.begin_item(index)
        _read_item(content, item)


def _read_parts(content: RasaContent, text: str, problem: YamlProblem) -> None:
    """Read each intent, synonym, regex and lookup by itself. Raises `UserError` if the text has none."""
    lines = text.split("\n")
    starts = [(index, match[1]) for index, line in enumerate(lines) if (match := _ITEM.match(line))]
    bounds = [index for index, indent in starts if indent == starts[0][1]]
    if not bounds:
        raise UserError(
            [
                Diagnostic(
                    path=content.path,
                    code="not_yaml",
                    line=problem.line,
                    found=problem.found,
                    expected=FORM,
                    fix="correct the line",
                )
            ]
        )
    before = len(content.items)
    for index, (start, end) in enumerate(pairwise([*bounds, len(lines)])):
        part = list(takewhile(lambda line: not _TOP_KEY.match(line), lines[start:end]))
        _read_part(content, index, part, start + 1)
    if not any(isinstance(item, Flaw) for item in content.items[before:]):
        content.reject(problem.line or 1, problem.found, "YAML", "correct the line")


def _read_part(content: RasaContent, index: int, lines: list[str], first_line: int) -> None:
    """Read the item on some lines; an example that is no YAML is left out, and the others are read."""
    left_out: set[int] = set()
    while True:
        content.begin_item(index)
        try:
            documents = parse_documents("\n".join([*lines, ""]), first_line)
        except YamlProblem as problem:
            broken = problem.line or first_line
            content.reject(broken, problem.found, "YAML", "correct the line")
            offset = broken - first_line
            is_example = 0 < offset < len(lines) and _is_example(lines[offset])
            if not is_example or len(left_out) >= _MAX_LEFT_OUT:
                _reject_examples(content, lines, first_line, broken)
                return
            left_out.add(broken)
            lines[offset] = ""
        else:
            for document in documents:
                _read_items(content, document.items or (), index)
            return


def _is_example(line: str) -> bool:
    return _EXAMPLE.match(line) is not None and _ITEM.match(line) is None


def _reject_examples(content: RasaContent, lines: list[str], first_line: int, broken: int) -> None:
    """Reject the examples of an item, one by one. broken: the line that makes it unreadable."""
    for number, line in enumerate(lines, first_line):
        if _is_example(line) and number != broken:
            content.reject_line(Line(number, content.locate(number), line.strip()[1:].strip()), broken)


def _read_item(content: RasaContent, item: YamlNode) -> None:
    """Read an intent, synonym, regex or lookup; of one that cannot be read, each example is rejected."""
    if not _check_item(content, item):
        for examples in item.find_all("examples"):
            for line in content.list_lines(examples):
                content.reject_line(line, item.line)
        return
    kind = next(name for name in _KINDS if item.get(name) is not None)
    name = item.get(kind)
    label = ((name.text if name else None) or "").strip()
    for examples in item.find_all("examples"):
        if kind == "intent":
            _read_intent(content, label, examples)
        else:
            _read_values(content, kind, label, examples)


def _check_item(content: RasaContent, item: YamlNode) -> bool:
    """Check an item's keys; return whether its examples can be read."""
    keys = [name.text or "" for name, _ in item.pairs or ()]
    kind = next((name for name in _KINDS if name in keys), None)
    repeated = item.find_repeated_key()
    if item.alias is not None:
        content.reject(item.line, f"the alias *{item.alias}", "an item that is written out", "write it out")
        return False
    if repeated is not None:
        found = f"the key {quote_text(repeated)} twice in one item"
        content.reject(item.line, found, "each key once", "unite the two")
        return repeated == "examples" and kind is not None
    if kind is None:
        guess = next((guess for key in keys if (guess := suggest_name(key, _KINDS))), "correct the item")
        found = f"an item with {', '.join(keys)}" if keys else "an item without a key"
        content.reject(item.line, found, f"one of {', '.join(_KINDS)}", guess)
        return False
    name = item.get(kind)
    label = (name.text if name else None) or ""
    if "examples" not in keys:
        others = [key for key in keys if key not in _KINDS]
        guess = next((guess for key in others if (guess := suggest_name(key, ("examples",)))), "add examples")
        content.reject(item.line, f"no examples of {kind} {quote_text(label)}", FORM, guess)
    elif kind != "intent" and not label.strip():
        content.reject(item.line, f"a {kind} without a name", "its name", f"name the {kind}")
        return False
    return True


def _read_intent(content: RasaContent, intent: str, examples: YamlNode) -> None:
    for line in content.list_lines(examples, intent):
        marked = parse_markup(line.text)
        if isinstance(marked, Problem):
            place = f"{content.path}:{line.number}"
            content.items.append(Flaw(line.locator, marked._replace(place=place), intent, line.text))
        else:
            content.items.append(Example(line.locator, marked.text, intent, marked.entities))


def _read_values(content: RasaContent, kind: str, name: str, examples: YamlNode) -> None:
    for line in content.list_lines(examples):
        if kind == "synonym":
            content.synonyms[line.text] = name
        elif kind == "lookup":
            content.lookups.setdefault(name, []).append(line.text)
        elif problem := find_malformed_pattern(line.text):
            content.items.append(Flaw(line.locator, problem))
        else:
            content.patterns.setdefault(name, []).append(line.text)
