"""One bot: its templates, filled with instances of its recognizers, with spans by construction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, reject_row
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
from stages.ingest.combinations import sample_combinations
from stages.ingest.opencui.schemas import parse_schemas
from stages.ingest.reading import (
    STAGE,
    Reading,
    SourceInfo,
    collect_rows,
    decode_bytes,
    describe_json_error,
    find_oversize,
    lower_first,
    make_unread,
)

SCHEMAS: Final = "schemas.json"
EXEMPLARS: Final = "exemplars.json"
RECOGNIZERS: Final = "recognizers.json"
_SLOT: Final = re.compile(r"<\s*([^<>\s]+)\s*>")
_MODES: Final = {"normal": Mode.NORMAL, "extended": Mode.EXTENDED}
_FIX: Final = "correct the template, or the other files of the bot"

Expressions = Mapping[str, list[tuple[str, str]]]
"""The instances of each slot of a template: a value, and an expression that says it."""


class Template(msgspec.Struct, frozen=True):
    """One template of a skill. Other keys of OpenCUI are ignored."""

    template: str
    owner_mode: str = "normal"
    context_frame: str | None = None
    context_slot: str | None = None


class _Bot(NamedTuple):
    source: SourceInfo
    path: str
    """Of `exemplars.json`."""
    sha256: str
    skills: dict[str, Skill]
    recognizers: Recognizers
    max_instances: int

    def make_origin(self, pointer: str) -> Origin:
        return Origin(self.path, self.sha256, pointer)


def group_bot_files(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """Group the JSON files of bots by folder, sorted; a folder with none of a bot's files is not a bot."""
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folder, _, name = path.rpartition("/")
        if name.casefold() in (SCHEMAS, EXEMPLARS, RECOGNIZERS):
            folders.setdefault(folder, []).append(path)
    return [tuple(files) for _, files in sorted(folders.items())]


def parse_bot(source: SourceInfo, files: Mapping[str, bytes], max_instances: int) -> Reading:
    """Parse a bot, and fill its templates.

    files: its files by their paths. max_instances: the maximum number of records per template.
    Raises `UserError` if a file is missing or cannot be decoded.
    """
    by_name = {path.rpartition("/")[2].casefold(): path for path in files}
    folder = next(iter(files)).rpartition("/")[0]
    missing = [name for name in (SCHEMAS, EXEMPLARS) if name not in by_name]
    if missing:
        raise UserError([_missing_file(f"{folder}/{name}".lstrip("/")) for name in missing])
    skills = parse_schemas(by_name[SCHEMAS], files[by_name[SCHEMAS]])
    recognizers = Recognizers()
    if RECOGNIZERS in by_name:
        recognizers = _parse_recognizers(by_name[RECOGNIZERS], files[by_name[RECOGNIZERS]])
    skills = tuple(_add_recognizers(skill, recognizers) for skill in skills)
    path = by_name[EXEMPLARS]
    bot = _Bot(
        source,
        path,
        hash_content(files[path]),
        {skill.name: skill for skill in skills},
        recognizers,
        max_instances,
    )
    rows = _read_templates(bot, _parse_templates(path, files[path]))
    return collect_rows(rows)._replace(skills=skills, recognizers=recognizers)


def _read_templates(bot: _Bot, templates: Mapping[str, list[Any]]) -> Iterator[Record | Rejection]:
    for skill_name, entries in templates.items():
        escaped = skill_name.replace("~", "~0").replace("/", "~1")
        for index, entry in enumerate(entries):
            yield from _read_template(bot, f"/{escaped}/{index}", skill_name, entry)


def _read_template(bot: _Bot, pointer: str, skill_name: str, entry: Any) -> Iterator[Record | Rejection]:
    """Read the records of one template, or its rejection. pointer: the JSON Pointer of the template."""
    template = _convert_template(bot, skill_name, entry)
    if isinstance(template, Problem):
        unread = make_unread(bot.source, bot.make_origin(pointer), skill=skill_name)
        yield reject_row(unread, STAGE, [template])
        return
    oversize = find_oversize(template.template)
    if oversize is not None:
        yield reject_row(
            make_unread(bot.source, bot.make_origin(pointer), skill=skill_name), STAGE, [oversize]
        )
        return
    skill = bot.skills[skill_name]
    slots = _SLOT.findall(template.template)
    parameters = {parameter.name: parameter for parameter in skill.parameters}
    expressions = {slot: _list_expressions(bot, parameters[slot]) for slot in slots if slot in parameters}
    problem = _find_problem(template, slots, tuple(parameters), expressions)
    if problem is None:
        yield from _fill_template(bot, pointer, skill, template, expressions)
    else:
        unread = make_unread(
            bot.source, bot.make_origin(pointer), skill=skill_name, utterance=template.template
        )
        yield reject_row(unread, STAGE, [problem])


def _convert_template(bot: _Bot, skill_name: str, entry: Any) -> Template | Problem:
    if skill_name not in bot.skills:
        known = ", ".join(bot.skills) or "none"
        return Problem(Reason.UNKNOWN_SKILL, f"skill {quote_text(skill_name)}", f"one of {known}", _FIX)
    try:
        return msgspec.convert(entry, Template)
    except msgspec.ValidationError as error:
        summary = f"not a template: {lower_first(str(error))}"
        return Problem(Reason.MALFORMED_RECORD, found="", fix=_FIX, summary=summary)


def _find_problem(
    template: Template, slots: list[str], parameters: tuple[str, ...], expressions: Expressions
) -> Problem | None:
    """Find what keeps a template from being filled.

    slots: its slots. parameters: the names of its skill's parameters.
    """
    if template.owner_mode not in _MODES:
        found, expected = f"owner_mode {template.owner_mode!r}", " or ".join(_MODES)
        return Problem(Reason.MALFORMED_RECORD, found, expected, _FIX)
    unknown = [slot for slot in slots if slot not in parameters]
    if unknown:
        expected = f"one of {', '.join(parameters)}" if parameters else "no slot"
        return Problem(Reason.UNKNOWN_SLOT, f"<{unknown[0]}>", expected, _FIX)
    empty = [slot for slot in slots if not expressions[slot]]
    if empty:
        expected = f"a recognizer with instances for {empty[0]!r} in {RECOGNIZERS}"
        return Problem(Reason.VALUE_NOT_FOUND, f"<{empty[0]}> without instances", expected, _FIX)
    if len(set(slots)) < len(slots):
        return Problem(Reason.DUPLICATE_SLOT, "a slot twice", "each slot once", _FIX)
    return None


def _fill_template(
    bot: _Bot, pointer: str, skill: Skill, template: Template, expressions: Expressions
) -> Iterator[Record | Rejection]:
    context, mode = _make_context(bot, template)
    slots = _SLOT.findall(template.template)
    key = hashlib.sha256(f"{skill.name}\n{template.template}".encode()).hexdigest()[:16]
    combinations = sample_combinations([len(expressions[slot]) for slot in slots], bot.max_instances, key)
    for number, combination in enumerate(combinations):
        chosen = [expressions[slot][index] for slot, index in zip(slots, combination, strict=True)]
        utterance, arguments = _insert_expressions(template.template, chosen)
        origin = bot.make_origin(f"{pointer}/{number}")
        oversize = find_oversize(utterance)
        if oversize is not None:
            yield reject_row(make_unread(bot.source, origin, skill=skill.name), STAGE, [oversize])
            continue
        yield Record(
            id=make_row_id(bot.source.name, origin),
            turn=make_row_id(bot.source.name, origin),
            source=bot.source.name,
            utterance=utterance,
            mode=mode,
            skill=skill.name,
            service=None,
            arguments=arguments,
            context=context,
            group=bot.source.make_group(key),
            license=bot.source.license,
            origin=origin,
            today=bot.source.today,
        )


def _insert_expressions(
    template: str, chosen: list[tuple[str, str]]
) -> tuple[str, tuple[LabelledArgument, ...]]:
    """Build the utterance of a template, and its arguments with exact spans.

    chosen: for each slot of the template, in order, the value and the expression that says it.
    """
    parts, arguments, length, position = [], [], 0, 0
    for match, (value, expression) in zip(_SLOT.finditer(template), chosen, strict=True):
        text = template[position : match.start()]
        start = length + len(text)
        arguments.append(LabelledArgument(match[1], value, (expression,), start, start + len(expression)))
        parts += [text, expression]
        length, position = start + len(expression), match.end()
    return "".join([*parts, template[position:]]), tuple(arguments)


def _make_context(bot: _Bot, template: Template) -> tuple[tuple[Turn, ...], Mode]:
    """Make the turn before an utterance that answers a question for a slot of a frame, and the mode.

    OpenCUI names the frame and the slot that the question is about, but not its words.
    """
    if template.context_frame is None:
        return (), _MODES[template.owner_mode]
    frame = bot.skills.get(template.context_frame)
    slot = (
        None
        if frame is None or template.context_slot is None
        else frame.find_parameter(template.context_slot)
    )
    question = (slot.description or slot.name) if slot else template.context_slot
    subject = (frame.description or frame.name) if frame else template.context_frame
    text = f"{subject}: {question}?" if question else f"{subject}?"
    return (Turn(Speaker.ASSISTANT, text),), Mode.EXTENDED


def _list_expressions(bot: _Bot, parameter: Parameter) -> list[tuple[str, str]]:
    """List the value and expression of all instances: the first expressions of all labels, then the second ones."""
    recognizer = bot.recognizers.recognizers.get(parameter.recognizer or "")
    if recognizer is None:
        return [(value, value) for value in parameter.enum]
    numbered = [
        (number, instance.label, expression)
        for instance in recognizer.instances
        for number, expression in enumerate(instance.expressions)
    ]
    numbered.sort(key=itemgetter(0))  # Stable: within a round, instances stay in their order.
    return [(label, expression) for _, label, expression in numbered]


def _add_recognizers(skill: Skill, recognizers: Recognizers) -> Skill:
    """Give the parameters of a skill their recognizers, by the slot's declaration or its name."""
    parameters = tuple(
        msgspec.structs.replace(
            parameter,
            recognizer=parameter.recognizer
            or recognizers.slots.get(parameter.name)
            or _find_namesake(parameter.name, recognizers),
        )
        for parameter in skill.parameters
    )
    return msgspec.structs.replace(skill, parameters=parameters)


def _find_namesake(slot: str, recognizers: Recognizers) -> str | None:
    names = (name for name in sorted(recognizers.recognizers) if name.casefold() == slot.casefold())
    return next(names, None)


def _parse_templates(path: str, data: bytes) -> Mapping[str, list[Any]]:
    try:
        return decode_json(decode_bytes(path, data), dict[str, list[Any]])
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, '{skill: [{"template"}]}')]) from None


def _parse_recognizers(path: str, data: bytes) -> Recognizers:
    try:
        return decode_recognizers(decode_bytes(path, data))
    except msgspec.DecodeError as error:
        expected = '{"recognizers": {name: {"instances": [{"label", "expressions"}]}}}'
        raise UserError([describe_json_error(path, data, error, expected)]) from None


def _missing_file(path: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="missing_file",
        found="no such file",
        expected=f"{SCHEMAS} and {EXEMPLARS} in every bot's folder",
        fix="add the file",
    )
