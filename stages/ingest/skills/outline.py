"""The lines of a skill file, sorted into sections and pairs, before any of them is parsed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, quote_text
from stages.ingest.reading import find_oversize

SECTIONS: Final = ("Prompt", "Parameters", "Prompt Examples", "Examples")
_EXAMPLES: Final = frozenset({"Prompt Examples", "Examples"})
_SECTION: Final = re.compile(r"####(?!#)(?P<name>.*)")
_SHOWN: Final = 100
_PART: Final = re.compile(r"### (?P<part>User|Assistant|Exemplar):(?P<space>\s*)(?P<text>.*)$")
_BROKEN_PART: Final = re.compile(
    r"\s*(?:#{1,6}\s*)?(?P<part>User|Assistant|Exemplar)\s*:(?P<space>\s*)(?P<text>.*)$", re.IGNORECASE
)


class Line(NamedTuple):
    """A line, or the rest of one from some column on; both count from 1, columns in code points."""

    text: str
    number: int
    column: int


@dataclass
class ExamplePair:
    """What a user says, the call that it means, and optionally a template of it with the slots in place."""

    user: Line
    assistant: Line | None = None
    exemplar: Line | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass
class Outline:
    """A skill file, sorted into its parts."""

    path: str
    prompt: list[Line] = field(default_factory=list)
    parameters: list[Line] = field(default_factory=list)
    pairs: list[ExamplePair] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    """What is wrong with lines that belong to no pair."""
    too_long: dict[int, Diagnostic] = field(default_factory=dict)
    """What is wrong with lines that are too large to be parsed, by their numbers."""

    def make_diagnostic(
        self, line: Line, code: str, found: str, expected: str, fix: str, summary: str = ""
    ) -> Diagnostic:
        """Make a diagnostic about a line of this file."""
        return Diagnostic(
            path=self.path,
            line=line.number,
            column=line.column,
            code=code,
            found=found,
            expected=expected,
            fix=fix,
            summary=summary,
        )

    def report(self, line: Line, code: str, found: str, expected: str, fix: str) -> None:
        """Add a diagnostic about a line that belongs to no pair."""
        self.diagnostics.append(self.make_diagnostic(line, code, found, expected, fix))


def parse_outline(path: str, text: str) -> Outline:
    """Sort the lines of a skill file into its parts; lines that fit nowhere are diagnostics of the outline."""
    outline = Outline(path)
    section: str | None = None
    seen: dict[str, int] = {}
    for line in _split_lines(text):
        line = _shorten(outline, line)
        heading = _SECTION.match(line.text)
        if heading:
            _check_last_pair(outline)
            name = heading["name"].strip().removesuffix(":").rstrip()
            section = _open_section(outline, line, name, seen)
        elif section in _EXAMPLES:
            _add_example_line(outline, line)
        elif section == "Prompt":
            outline.prompt.append(line)
        elif section == "Parameters":
            outline.parameters.append(line)
        elif section is None:
            found, fix = quote_text(line.text), "put it under `#### Prompt:`"
            outline.report(line, "stray_text", found, "a section before any text", fix)
    _check_last_pair(outline)
    outline.diagnostics += outline.too_long.values()
    return outline


def _split_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip():
            yield Line(line, number, 1)


def _shorten(outline: Outline, line: Line) -> Line:
    """Return a line of which only the beginning is kept if it is too large to be parsed."""
    oversize = find_oversize(line.text)
    if oversize is None:
        return line
    outline.too_long[line.number] = outline.make_diagnostic(
        line, "too_long", oversize.found, oversize.expected, oversize.fix
    )
    return line._replace(text=line.text[:_SHOWN])


def _open_section(outline: Outline, line: Line, name: str, seen: dict[str, int]) -> str:
    """Return the section that a heading opens; an unknown one is read as examples, to lose no pair."""
    known = next((section for section in SECTIONS if section.casefold() == name.casefold()), None)
    if known is None:
        free = [section for section in SECTIONS if section not in seen or section in _EXAMPLES]
        close = difflib.get_close_matches(name[:_SHOWN], free, n=1)
        fix = f"did you mean `#### {close[0]}:`?" if close else "rename or remove the section"
        expected = f"one of {', '.join(f'`#### {section}:`' for section in SECTIONS)}"
        outline.report(line, "unknown_section", f"section {quote_text(name)}", expected, fix)
        return close[0] if close else "Examples"
    if known in seen and known not in _EXAMPLES:
        found = f"section {known!r} again, after line {seen[known]}"
        outline.report(line, "duplicate_section", found, "each section once", "merge the two sections")
    seen.setdefault(known, line.number)
    return known


def _add_example_line(outline: Outline, line: Line) -> None:
    match = _PART.match(line.text)
    diagnostic = None
    if match is None:
        match = _BROKEN_PART.match(line.text)
        if match is None:
            expected = "`### User: …`, `### Assistant: …` or `### Exemplar: …`"
            fix = "put an utterance on one line, or remove the text"
            outline.report(line, "stray_text", quote_text(line.text), expected, fix)
            return
        name = match["part"].capitalize()
        found = quote_text(line.text[: match.start("space")])
        diagnostic = outline.make_diagnostic(
            line, "malformed_marker", found, f"`### {name}:`", f"begin the line with `### {name}: `"
        )
    diagnostic = outline.too_long.pop(line.number, diagnostic)
    part = Line(match["text"].rstrip(), line.number, match.start("text") + 1)
    _add_part(outline, match["part"].capitalize(), part, diagnostic)


def _add_part(outline: Outline, name: str, part: Line, diagnostic: Diagnostic | None) -> None:
    """Add the text of a part to its pair. diagnostic: what is wrong with the marker before it."""
    pair = outline.pairs[-1] if outline.pairs else None
    if name == "User":
        _check_last_pair(outline)
        pair = ExamplePair(part)
        outline.pairs.append(pair)
        if not part.text:
            pair.diagnostics.append(
                outline.make_diagnostic(
                    part, "empty_utterance", "no text", "what the user says", "write the utterance"
                )
            )
    elif name == "Assistant" and pair is not None and pair.assistant is None:
        pair.assistant = part
    elif name == "Exemplar" and pair is not None and pair.exemplar is None:
        pair.exemplar = part
    else:
        code = "assistant_without_user" if name == "Assistant" else "exemplar_without_user"
        found = f"`### {name}:` without a `### User:` before it"
        fix = "add what the user says, or remove the line"
        outline.report(part, code, found, "`### User: …` first", fix)
        return
    if diagnostic is not None:
        pair.diagnostics.append(diagnostic)


def _check_last_pair(outline: Outline) -> None:
    """Report the last pair if it has no call; called wherever a pair must be complete."""
    if not outline.pairs or outline.pairs[-1].assistant is not None:
        return
    pair = outline.pairs[-1]
    if not any(diagnostic.code == "user_without_assistant" for diagnostic in pair.diagnostics):
        pair.diagnostics.append(
            outline.make_diagnostic(
                pair.user,
                "user_without_assistant",
                "`### User:` without a call",
                "`### Assistant: call(…)` after it",
                "add the call that the utterance means",
            )
        )
