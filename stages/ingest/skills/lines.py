"""The lines of a skill file: sections, and the parts of pairs, before anything in them is understood."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, quote_text

SECTIONS: Final = ("Prompt", "Parameters", "Prompt Examples", "Examples")
_EXAMPLES: Final = frozenset({"Prompt Examples", "Examples"})
_SECTION: Final = re.compile(r"####(?!#)\s*(?P<name>.*?)\s*:?\s*$")
_PART: Final = re.compile(r"### (?P<part>User|Assistant|Exemplar):(?P<space>\s*)(?P<text>.*)$")
_BROKEN_PART: Final = re.compile(
    r"\s*#{0,6}\s*(?P<part>User|Assistant|Exemplar)\s*:(?P<space>\s*)(?P<text>.*)$", re.IGNORECASE
)


class Line(NamedTuple):
    """A piece of text and where it begins; lines and columns count from 1, columns in code points."""

    text: str
    line: int
    column: int


@dataclass
class Pair:
    """What a user says, the call it means, and where a template says that the values stand."""

    user: Line
    assistant: Line | None = None
    exemplar: Line | None = None
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass
class Outline:
    """A skill file, taken apart."""

    path: str
    prompt: list[Line] = field(default_factory=list)
    parameters: list[Line] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    """What is wrong with lines that belong to no pair."""

    def problem(self, line: Line, code: str, found: str, expected: str, fix: str) -> Diagnostic:
        """A diagnostic of this file."""
        return Diagnostic(
            path=self.path,
            line=line.line,
            column=line.column,
            code=code,
            found=found,
            expected=expected,
            fix=fix,
        )


def outline_of(path: str, text: str) -> Outline:
    """Take the text of a skill file apart; what fits nowhere is a problem of the outline."""
    outline = Outline(path)
    section: str | None = None
    seen: dict[str, int] = {}
    for line in _lines(text):
        heading = _SECTION.match(line.text)
        if heading:
            _check_finished(outline)
            section = _section(outline, line, heading["name"], seen)
        elif section in _EXAMPLES:
            _example_line(outline, line)
        elif section == "Prompt":
            outline.prompt.append(line)
        elif section == "Parameters":
            outline.parameters.append(line)
        elif section is None:
            outline.problems.append(
                outline.problem(
                    line,
                    "stray_text",
                    quote_text(line.text),
                    "a section before any text",
                    "put it under `#### Prompt:`",
                )
            )
    _check_finished(outline)
    return outline


def _lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip():
            yield Line(line, number, 1)


def _section(outline: Outline, line: Line, name: str, seen: dict[str, int]) -> str:
    """The section that a heading opens; an unknown one is read as examples, to lose no pair."""
    known = next((one for one in SECTIONS if one.casefold() == name.casefold()), None)
    if known is None:
        close = difflib.get_close_matches(name, SECTIONS, n=1)
        fix = f"did you mean `#### {close[0]}:`?" if close else "rename or remove the section"
        expected = ", ".join(f"`#### {one}:`" for one in SECTIONS)
        outline.problems.append(
            outline.problem(line, "unknown_section", f"section {quote_text(name)}", f"one of {expected}", fix)
        )
        return close[0] if close else "Examples"
    if known in seen and known not in _EXAMPLES:
        outline.problems.append(
            outline.problem(
                line,
                "duplicate_section",
                f"section {known!r} again, after line {seen[known]}",
                "each section once",
                "merge the two sections",
            )
        )
    seen.setdefault(known, line.line)
    return known


def _example_line(outline: Outline, line: Line) -> None:
    match = _PART.match(line.text)
    problem = None
    if match is None:
        match = _BROKEN_PART.match(line.text)
        if match is None:
            outline.problems.append(
                outline.problem(
                    line,
                    "stray_text",
                    quote_text(line.text),
                    "`### User: …`, `### Assistant: …` or `### Exemplar: …`",
                    "put an utterance on one line, or remove the text",
                )
            )
            return
        part = match["part"].capitalize()
        problem = outline.problem(
            line,
            "malformed_marker",
            quote_text(line.text[: match.start("space")]),
            f"`### {part}:`",
            f"begin the line with `### {part}: `",
        )
    part = Line(match["text"].rstrip(), line.line, match.start("text") + 1)
    _add_part(outline, match["part"].capitalize(), part, problem)


def _add_part(outline: Outline, name: str, part: Line, problem: Diagnostic | None) -> None:
    pair = outline.pairs[-1] if outline.pairs else None
    if name == "User":
        _check_finished(outline)
        pair = Pair(part)
        outline.pairs.append(pair)
        if not part.text:
            pair.problems.append(
                outline.problem(
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
        outline.problems.append(
            outline.problem(
                part, code, found, "`### User: …` first", "add what the user says, or remove the line"
            )
        )
        return
    if problem is not None:
        pair.problems.append(problem)


def _check_finished(outline: Outline) -> None:
    """Report a last pair that has no assistant; called wherever a pair must be complete."""
    if not outline.pairs or outline.pairs[-1].assistant is not None:
        return
    pair = outline.pairs[-1]
    if not any(one.code == "user_without_assistant" for one in pair.problems):
        pair.problems.append(
            outline.problem(
                pair.user,
                "user_without_assistant",
                "a user whose next line is another user, a section, or the end",
                "`### Assistant: call(…)` after it",
                "add the call that the utterance means",
            )
        )
