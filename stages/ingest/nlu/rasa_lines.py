"""The examples of a Rasa file, line by line, and what is collected of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from exemplars.core.errors import quote_text
from stages.ingest.nlu.examples import Flaw, Item, report_malformed
from stages.ingest.nlu.yaml_nodes import YamlNode

FORM: Final = "`- intent: NAME`, then `examples: |`, then lines that begin with '- '"
"""What is expected, for messages."""


class Line(NamedTuple):
    """An example as the file writes it, and its line, from 1."""

    number: int
    locator: str
    text: str


class RasaContent:
    """What a file holds, as far as it is read."""

    def __init__(self, path: str) -> None:
        """path: for messages."""
        self.path = path
        self.items: list[Item] = []
        self.synonyms: dict[str, str] = {}
        self.lookups: dict[str, list[str]] = {}
        self.patterns: dict[str, list[str]] = {}
        self._pointer = ""
        self._lines: set[int] = set()
        self._count = 0

    def begin_item(self, index: int) -> None:
        """Begin with an intent, synonym, regex or lookup. index: its position in the list."""
        self._pointer, self._count = f"/nlu/{index}", 0

    def locate(self, line: int) -> str:
        """Make the locator of what is on a line: its number, or a JSON Pointer if the line holds something else."""
        self._count += 1
        locator = str(line) if line not in self._lines else f"{self._pointer}/examples/{self._count - 1}"
        self._lines.add(line)
        return locator

    def reject(self, line: int, found: str, expected: str, fix: str, intent: str | None = None) -> None:
        """Add a flaw of a line."""
        problem = report_malformed(found, expected, fix, f"{self.path}:{line}")
        self.items.append(Flaw(self.locate(line), problem, intent))

    def reject_line(self, line: Line, broken: int) -> None:
        """Add the flaw of an example whose item cannot be read. broken: the line that must be corrected."""
        found = f"an example of an item that cannot be read, because of line {broken}"
        problem = report_malformed(found, "", f"correct line {broken}", f"{self.path}:{line.number}")
        self.items.append(Flaw(line.locator, problem, None, line.text))

    def list_lines(self, examples: YamlNode, intent: str | None = None) -> Iterator[Line]:
        """List the examples of a block of text, or of a list; what is not an example is added as a flaw."""
        if examples.alias is not None:
            found, expected = f"the alias *{examples.alias}", "examples that are written out"
            self.reject(examples.line, found, expected, "write them out", intent)
        elif examples.items is not None:
            for item in examples.items:
                yield from self._list_entry(item, intent)
        elif examples.text is not None and examples.style == "|":
            yield from self._list_block(examples, intent)
        elif examples.text is None or examples.text.strip():
            found = "examples that are neither a block of lines nor a list"
            self.reject(examples.line, found, FORM, "write `examples: |`", intent)

    def _list_block(self, examples: YamlNode, intent: str | None) -> Iterator[Line]:
        for number, line in enumerate((examples.text or "").split("\n"), examples.line + 1):
            text = line.strip()
            if text.startswith("- ") or text == "-":
                yield Line(number, self.locate(number), text[1:].strip())
            elif text:
                found = f"the line {quote_text(text)}"
                fix = "begin the line with '- ', or remove it"
                self.reject(number, found, "an example that begins with '- '", fix, intent)

    def _list_entry(self, item: YamlNode, intent: str | None) -> Iterator[Line]:
        """List the example of an entry: a text, or a mapping with `text` and `metadata`."""
        text = item.get("text") if item.pairs is not None else item
        repeated = item.find_repeated_key()
        if repeated is not None:
            found = f"the key {quote_text(repeated)} twice in one example"
        elif text is not None and text.text is not None:
            line = text.line + 1 if text.style in ("|", ">") else text.line
            yield Line(line, self.locate(line), text.text.strip())
            return
        elif text is not None and text.alias is not None:
            found = f"the alias *{text.alias}"
        else:
            found = "an example without a text"
        expected = "a text, or a mapping with `text` and `metadata`"
        self.reject(item.line, found, expected, "correct the example", intent)
