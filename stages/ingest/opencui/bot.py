"""One bot: its templates, filled with instances of its recognizers, with spans by construction."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.records import (
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
    Speaker,
    Turn,
)
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.dataset.recognizers import Recognizers, decode_recognizers
from stages.ingest.opencui.schemas import parse_schemas
from stages.ingest.reading import Reading, SourceFacts, decoded_bytes, rejected

SCHEMAS: Final = "schemas.json"
EXEMPLARS: Final = "exemplars.json"
RECOGNIZERS: Final = "recognizers.json"
_SLOT: Final = re.compile(r"<\s*([^<>\s]+)\s*>")
_MODES: Final = {"normal": Mode.NORMAL, "extended": Mode.EXTENDED}


class Template(msgspec.Struct, frozen=True):
    """One template of a skill. Keys that OpenCUI adds beside these are ignored."""

    template: str
    owner_mode: str = "normal"
    context_frame: str | None = None
    context_slot: str | None = None


class _Bot(NamedTuple):
    facts: SourceFacts
    path: str
    """Of `exemplars.json`."""
    sha256: str
    skills: dict[str, Skill]
    recognizers: Recognizers
    bound: int


def bots_of(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """The paths of each bot: the JSON files of one folder, sorted; folders without a schema are none."""
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folder, _, name = path.rpartition("/")
        if name in (SCHEMAS, EXEMPLARS, RECOGNIZERS):
            folders.setdefault(folder, []).append(path)
    return [tuple(several) for _, several in sorted(folders.items())]


def parse_bot(facts: SourceFacts, files: Mapping[str, bytes], instances_a_template: int) -> Reading:
    """What a bot holds.

    files: its files by their paths. instances_a_template: records that a template leads to, at most.
    Raises `UserError` where a file is missing or cannot be decoded.
    """
    by_name = {path.rpartition("/")[2]: path for path in files}
    folder = next(iter(files)).rpartition("/")[0]
    missing = [name for name in (SCHEMAS, EXEMPLARS) if name not in by_name]
    if missing:
        raise UserError([_missing(f"{folder}/{name}".lstrip("/")) for name in missing])
    skills = parse_schemas(by_name[SCHEMAS], files[by_name[SCHEMAS]])
    recognizers = Recognizers()
    if RECOGNIZERS in by_name:
        recognizers = _recognizers(by_name[RECOGNIZERS], files[by_name[RECOGNIZERS]])
    skills = tuple(_with_recognizers(skill, recognizers) for skill in skills)
    path = by_name[EXEMPLARS]
    bot = _Bot(
        facts,
        path,
        hash_content(files[path]),
        {one.name: one for one in skills},
        recognizers,
        instances_a_template,
    )
    rows = list(_rows(bot, _templates(path, files[path])))
    return Reading(
        tuple(row for row in rows if isinstance(row, Record)),
        tuple(row for row in rows if isinstance(row, Rejection)),
        skills,
        recognizers,
    )


def combinations(counts: list[int], bound: int, seed: str) -> list[tuple[int, ...]]:
    """At most `bound` of all ways to choose one of `counts[i]` for each i, spread over all of them.

    The first are chosen so that every choice comes in turn; which ones depends on `seed` alone. The
    product is never enumerated: steps of a size without a common factor visit each way once.
    """
    total = math.prod(counts)
    if total == 0:
        return []
    step = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % total or 1
    while math.gcd(step, total) > 1:
        step += 1
    chosen = []
    for number in range(min(bound, total)):
        code, choice = (number * step) % total, []
        for count in counts:
            code, one = divmod(code, count)
            choice.append(one)
        chosen.append(tuple(choice))
    return chosen


def _rows(bot: _Bot, templates: Mapping[str, list[Any]]) -> Iterator[Record | Rejection]:
    for skill_name, several in templates.items():
        for index, raw in enumerate(several):
            pointer = f"/{_escaped(skill_name)}/{index}"
            problem = _skill_problem(bot, pointer, skill_name)
            template = None
            if problem is None:
                try:
                    template = msgspec.convert(raw, Template)
                except msgspec.ValidationError as error:
                    problem = (Reason.MALFORMED_RECORD, _problem(bot, pointer, str(error), "a template"))
            if problem is not None or template is None:
                reason, diagnostic = problem or (Reason.MALFORMED_RECORD, _problem(bot, pointer, "", ""))
                yield rejected(bot.facts, _origin(bot, pointer), reason, [diagnostic], skill=skill_name)
            else:
                yield from _expanded(bot, pointer, bot.skills[skill_name], template)


def _expanded(bot: _Bot, pointer: str, skill: Skill, template: Template) -> Iterator[Record | Rejection]:
    """The records of one template, or its rejection."""
    names = _SLOT.findall(template.template)
    parameters = {one.name: one for one in skill.parameters}
    reason, found, expected = None, "", ""
    choices = {name: _expressions(bot, parameters[name]) for name in names if name in parameters}
    if template.owner_mode not in _MODES:
        reason, found, expected = Reason.MALFORMED_RECORD, template.owner_mode, " or ".join(_MODES)
    elif unknown := [name for name in names if name not in parameters]:
        reason, found, expected = Reason.UNKNOWN_SLOT, f"<{unknown[0]}>", ", ".join(parameters) or "no slot"
    elif empty := [name for name in names if not choices[name]]:
        reason, found, expected = (
            Reason.VALUE_NOT_FOUND,
            f"<{empty[0]}> without instances",
            f"a recognizer with instances for {empty[0]!r} in {RECOGNIZERS}",
        )
    elif len(set(names)) < len(names):
        reason, found, expected = Reason.DUPLICATE_SLOT, "a slot twice", "each slot once"
    if reason is not None:
        problem = _problem(bot, pointer, found, expected)
        yield rejected(
            bot.facts, _origin(bot, pointer), reason, [problem], skill=skill.name, utterance=template.template
        )
        return
    context, mode = _context(bot, template)
    key = hashlib.sha256(f"{skill.name}\n{template.template}".encode()).hexdigest()[:16]
    ways = combinations([len(choices[name]) for name in names], bot.bound, key)
    for number, way in enumerate(ways):
        said = [choices[name][index] for name, index in zip(names, way, strict=True)]
        utterance, labels = _filled(template.template, said)
        origin = _origin(bot, f"{pointer}/{number}")
        yield Record(
            id=make_row_id(bot.facts.name, origin),
            source=bot.facts.name,
            utterance=utterance,
            mode=mode,
            skill=skill.name,
            service=None,
            arguments=labels,
            context=context,
            group=f"{bot.facts.name}:{key}",
            license=bot.facts.license,
            origin=origin,
            today=bot.facts.today,
        )


def _filled(template: str, said: list[tuple[str, str]]) -> tuple[str, tuple[LabelledArgument, ...]]:
    """The utterance of a template, and its arguments with exact spans.

    said: for each slot of the template, in order, the value and the expression for it.
    """
    parts, labels, length, position = [], [], 0, 0
    for match, (value, expression) in zip(_SLOT.finditer(template), said, strict=True):
        text = template[position : match.start()]
        start = length + len(text)
        labels.append(LabelledArgument(match[1], value, (expression,), start, start + len(expression)))
        parts += [text, expression]
        length, position = start + len(expression), match.end()
    return "".join([*parts, template[position:]]), tuple(labels)


def _context(bot: _Bot, template: Template) -> tuple[tuple[Turn, ...], Mode]:
    """What goes before an utterance that answers a question for a slot of a frame.

    OpenCUI names the frame and the slot that are asked for, not the words; the turn says just that.
    """
    if template.context_frame is None:
        return (), _MODES[template.owner_mode]
    frame = bot.skills.get(template.context_frame)
    slot = None if frame is None or template.context_slot is None else frame.parameter(template.context_slot)
    asked = (slot.description or slot.name) if slot else template.context_slot
    subject = (frame.description or frame.name) if frame else template.context_frame
    return (Turn(Speaker.SYSTEM, f"{subject}: {asked}?" if asked else f"{subject}?"),), Mode.EXTENDED


def _expressions(bot: _Bot, parameter: Parameter) -> list[tuple[str, str]]:
    """Value and expression of all instances: the first expressions of all labels, then the second ones."""
    recognizer = bot.recognizers.recognizers.get(parameter.recognizer or "")
    if recognizer is None:
        return [(value, value) for value in parameter.enum]
    rounds = max((len(one.expressions) for one in recognizer.instances), default=0)
    return [
        (one.label, one.expressions[number])
        for number in range(rounds)
        for one in recognizer.instances
        if number < len(one.expressions)
    ]


def _with_recognizers(skill: Skill, recognizers: Recognizers) -> Skill:
    """The skill with the recognizers that the file gives its slots, by the slot's name or type."""
    parameters = tuple(
        msgspec.structs.replace(
            one, recognizer=one.recognizer or recognizers.slots.get(one.name) or _named(one.name, recognizers)
        )
        for one in skill.parameters
    )
    return msgspec.structs.replace(skill, parameters=parameters)


def _named(slot: str, recognizers: Recognizers) -> str | None:
    return next(
        islice((name for name in sorted(recognizers.recognizers) if name.casefold() == slot.casefold()), 1),
        None,
    )


def _templates(path: str, data: bytes) -> Mapping[str, list[Any]]:
    try:
        return msgspec.json.decode(decoded_bytes(path, data), type=dict[str, list[Any]])
    except msgspec.DecodeError as error:
        byte = 0 if isinstance(error, msgspec.ValidationError) else len(data)
        raise UserError([_undecodable(path, str(error), byte, '{skill: [{"template"}]}')]) from None


def _recognizers(path: str, data: bytes) -> Recognizers:
    try:
        return decode_recognizers(decoded_bytes(path, data))
    except msgspec.DecodeError as error:
        byte = 0 if isinstance(error, msgspec.ValidationError) else len(data)
        expected = '{"recognizers": {name: {"instances": [{"label", "expressions"}]}}}'
        raise UserError([_undecodable(path, str(error), byte, expected)]) from None


def _skill_problem(bot: _Bot, pointer: str, name: str) -> tuple[Reason, Diagnostic] | None:
    if name in bot.skills:
        return None
    known = ", ".join(bot.skills) or "none"
    return Reason.UNKNOWN_SKILL, _problem(bot, pointer, f"skill {quote_text(name)}", f"one of {known}")


def _origin(bot: _Bot, pointer: str) -> Origin:
    return Origin(bot.path, bot.sha256, pointer)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _problem(bot: _Bot, pointer: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic(
        path=f"{bot.path}#{pointer}",
        code="bad_template",
        found=found,
        expected=expected,
        fix="correct the template, or the files beside it",
    )


def _undecodable(path: str, found: str, byte: int, expected: str) -> Diagnostic:
    return Diagnostic(
        path=path, code="not_json", byte=byte, found=found, expected=expected, fix="correct the file"
    )


def _missing(path: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="missing_file",
        found="no such file",
        expected=f"{SCHEMAS} and {EXEMPLARS} in every bot's folder",
        fix="add the file",
    )
