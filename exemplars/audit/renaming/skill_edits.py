"""The places of a name in a skill file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exemplars.audit.renaming.edits import Edit, Rename
from exemplars.core.call_syntax import parse_call_text
from exemplars.core.value_syntax import NotACall
from stages.ingest.skills.outline import Line, Outline, parse_outline
from stages.ingest.skills.signature import locate_declared_name, locate_signature_names, parse_signature


def find_skill_edits(path: str, text: str, rename: Rename) -> list[Edit]:
    """Find the edits of a skill file; none if it declares a different skill.

    path: for messages of the parser.
    """
    outline = parse_outline(path, text)
    skill = parse_signature(outline).skill
    if skill is None or skill.name != rename.skill:
        return []
    starts = _find_line_starts(text)
    return [
        Edit(start, start + len(rename.old), rename.new)
        for line, position in _find_names(outline, rename)
        for start in [starts[line.number - 1] + line.column - 1 + position]
    ]


def _find_names(outline: Outline, rename: Rename) -> Iterator[tuple[Line, int]]:
    """Yield the line and the position in it of each place of the name."""
    signature = outline.prompt[0]
    position = locate_signature_names(signature.text).get(rename.parameter)
    if position is not None:
        yield signature, position
    if rename.parameter is not None:
        for line in outline.parameters:
            if (declared := locate_declared_name(line.text)) and declared[0] == rename.parameter:
                yield line, declared[1]
    for pair in outline.pairs:
        if pair.assistant is not None:
            yield from ((pair.assistant, position) for position in _find_in_call(pair.assistant.text, rename))
        if pair.exemplar is not None and rename.parameter is not None:
            slot = re.compile(rf"<{re.escape(rename.parameter)}(?=[.\[>])")
            yield from ((pair.exemplar, match.start() + 1) for match in slot.finditer(pair.exemplar.text))


def _find_in_call(text: str, rename: Rename) -> Iterator[int]:
    call = parse_call_text(text)
    if isinstance(call, NotACall) or call.name != rename.skill:
        return
    if rename.parameter is None:
        yield text.index(call.name)
        return
    yield from (argument.start for argument in call.arguments if argument.name == rename.parameter)


def _find_line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]
