"""One bot: its templates, filled with instances of its recognizers, with spans by construction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError, quote_text, suggest_name
from exemplars.core.ids import make_row_id
from exemplars.core.json_pointers import escape_key
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
from exemplars.core.slot_paths import assemble_arguments
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import Recognizers, decode_recognizers
from stages.ingest.combinations import sample_combinations
from stages.ingest.opencui.leaves import Leaf, add_recognizers, assign_paths, find_leaves, list_skill_leaves
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


class TemplateEntry(msgspec.Struct, frozen=True):
    """A template of a skill, as its file has it. Other keys of OpenCUI are ignored."""

    template: str
    owner_mode: str = "normal"
    context_frame: str | None = None
    context_slot: str | None = None


class _Filling(NamedTuple):
    """What the slots of a template are, in the order of mention."""

    paths: list[str]
    expressions: list[list[tuple[str, str]]]
    """The values that may fill each slot, each with the expression that says it."""


class _Bot(NamedTuple):
    source: SourceInfo
    path: str
    """Of `exemplars.json`."""
    sha256: str
    skills: dict[str, Skill]
    leaves: dict[str, list[Leaf]]
    """What the templates of each skill may name."""
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
    recognizers = Recognizers()
    if RECOGNIZERS in by_name:
        recognizers = _parse_recognizers(by_name[RECOGNIZERS], files[by_name[RECOGNIZERS]])
    path = by_name[EXEMPLARS]
    templates = _parse_templates(path, files[path])
    schemas = files[by_name[SCHEMAS]]
    parsed = parse_schemas(by_name[SCHEMAS], schemas, recognizers.recognizers, templates)
    skills = tuple(add_recognizers(skill, recognizers) for skill in parsed)
    bot = _Bot(
        source,
        path,
        hash_content(files[path]),
        {skill.name: skill for skill in skills},
        {skill.name: list_skill_leaves(skill) for skill in skills},
        recognizers,
        max_instances,
    )
    rows = _read_templates(bot, templates)
    return collect_rows(rows)._replace(skills=skills, recognizers=recognizers)


def _read_templates(bot: _Bot, templates: Mapping[str, list[Any]]) -> Iterator[Record | Rejection]:
    for skill_name, entries in templates.items():
        for index, entry in enumerate(entries):
            yield from _read_template(bot, f"/{escape_key(skill_name)}/{index}", skill_name, entry)


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
    filling = _resolve_slots(bot, skill_name, template)
    if isinstance(filling, Problem):
        unread = make_unread(
            bot.source, bot.make_origin(pointer), skill=skill_name, utterance=template.template
        )
        yield reject_row(unread, STAGE, [filling])
    elif all(filling.expressions):
        yield from _fill_template(bot, pointer, skill_name, template, filling)
    else:
        yield _keep_template(bot, pointer, skill_name, template, filling)


def _convert_template(bot: _Bot, skill_name: str, entry: Any) -> TemplateEntry | Problem:
    if skill_name not in bot.skills:
        known = ", ".join(bot.skills) or "none"
        return Problem(Reason.UNKNOWN_SKILL, f"skill {quote_text(skill_name)}", f"one of {known}", _FIX)
    try:
        return msgspec.convert(entry, TemplateEntry)
    except msgspec.ValidationError as error:
        summary = f"not a template: {lower_first(str(error))}"
        return Problem(Reason.MALFORMED_RECORD, found="", fix=_FIX, summary=summary)


def _resolve_slots(bot: _Bot, skill_name: str, template: TemplateEntry) -> _Filling | Problem:
    """Resolve the slots of a template to paths and the expressions that may fill them; or say what is wrong."""
    if template.owner_mode not in _MODES:
        found, expected = f"owner_mode {template.owner_mode!r}", " or ".join(_MODES)
        return Problem(Reason.MALFORMED_RECORD, found, expected, _FIX)
    leaves = bot.leaves[skill_name]
    mentions: list[tuple[str, Leaf]] = []
    for slot in _SLOT.findall(template.template):
        meant = find_leaves(slot, leaves)
        if len(meant) != 1:
            return _report_slot(slot, meant, leaves)
        mentions.append((slot, meant[0]))
    paths = assign_paths(mentions)
    if len(set(paths)) < len(paths):
        return Problem(Reason.DUPLICATE_SLOT, "a slot twice", "each slot once", _FIX)
    try:
        assemble_arguments((path, "") for path in paths)
    except ValueError as error:  # A path with indexes of its own.
        return Problem(Reason.UNKNOWN_SLOT, summary=str(error), fix=_FIX)
    return _Filling(paths, [_list_expressions(bot, leaf) for _, leaf in mentions])


def _report_slot(slot: str, meant: Sequence[Leaf], leaves: Sequence[Leaf]) -> Problem:
    """Report a slot that no leaf of a skill has, or several have."""
    if meant:
        names = ", ".join(leaf.parameter.name for leaf in meant)
        return Problem(Reason.UNKNOWN_SLOT, f"<{slot}>, which may be several", f"one of {names}", _FIX)
    names = ", ".join(leaf.parameter.name for leaf in leaves)
    known = [name for leaf in leaves for name in leaf.names]
    expected = f"one of {names}" if names else "no slot"
    return Problem(Reason.UNKNOWN_SLOT, f"<{slot}>", expected, suggest_name(slot, known) or _FIX)


def _keep_template(
    bot: _Bot, pointer: str, skill_name: str, template: TemplateEntry, filling: _Filling
) -> Record:
    """Keep a template with a slot that nothing fills: it can be retrieved."""
    paths = iter(filling.paths)
    text = _SLOT.sub(lambda _: f"<{next(paths)}>", template.template)
    return _make_record(bot, pointer, skill_name, template, text, (), is_template=True)


def _fill_template(
    bot: _Bot, pointer: str, skill_name: str, template: TemplateEntry, filling: _Filling
) -> Iterator[Record | Rejection]:
    key = _make_key(skill_name, template)
    counts = [len(expressions) for expressions in filling.expressions]
    for number, combination in enumerate(sample_combinations(counts, bot.max_instances, key)):
        chosen = [
            expressions[index] for expressions, index in zip(filling.expressions, combination, strict=True)
        ]
        utterance, arguments = _insert_expressions(template.template, filling.paths, chosen)
        place = f"{pointer}/{number}"
        oversize = find_oversize(utterance)
        if oversize is not None:
            unread = make_unread(bot.source, bot.make_origin(place), skill=skill_name)
            yield reject_row(unread, STAGE, [oversize])
            continue
        yield _make_record(bot, place, skill_name, template, utterance, arguments)


def _make_record(
    bot: _Bot,
    pointer: str,
    skill_name: str,
    template: TemplateEntry,
    utterance: str,
    arguments: tuple[LabelledArgument, ...],
    *,
    is_template: bool = False,
) -> Record:
    context, mode = _make_context(bot, template)
    origin = bot.make_origin(pointer)
    row_id = make_row_id(bot.source.name, origin)
    return Record(
        id=row_id,
        turn=row_id,
        source=bot.source.name,
        utterance=utterance,
        mode=mode,
        skill=skill_name,
        service=None,
        arguments=arguments,
        context=context,
        group=bot.source.make_group(_make_key(skill_name, template)),
        license=bot.source.license,
        origin=origin,
        today=bot.source.today,
        is_template=is_template,
    )


def _make_key(skill_name: str, template: TemplateEntry) -> str:
    return hashlib.sha256(f"{skill_name}\n{template.template}".encode()).hexdigest()[:16]


def _insert_expressions(
    template: str, paths: Sequence[str], chosen: Sequence[tuple[str, str]]
) -> tuple[str, tuple[LabelledArgument, ...]]:
    """Build the utterance of a template, and its arguments with exact spans.

    paths, chosen: for each slot of the template, in order, its path, and the value and the expression that says it.
    """
    parts, arguments, length, position = [], [], 0, 0
    for match, path, (value, expression) in zip(_SLOT.finditer(template), paths, chosen, strict=True):
        text = template[position : match.start()]
        start = length + len(text)
        arguments.append(LabelledArgument(path, value, (expression,), start, start + len(expression)))
        parts += [text, expression]
        length, position = start + len(expression), match.end()
    return "".join([*parts, template[position:]]), tuple(arguments)


def _make_context(bot: _Bot, template: TemplateEntry) -> tuple[tuple[Turn, ...], Mode]:
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


def _list_expressions(bot: _Bot, leaf: Leaf) -> list[tuple[str, str]]:
    """List the values of a leaf with their expressions: those of its recognizer, its enumeration, or its examples.

    Of a recognizer, the first expressions of all labels come first, then the second ones.
    """
    recognizer = bot.recognizers.recognizers.get(leaf.parameter.recognizer or "")
    numbered = [
        (number, instance.label, expression)
        for instance in (() if recognizer is None else recognizer.instances)
        for number, expression in enumerate(instance.expressions)
    ]
    numbered.sort(key=itemgetter(0))  # Stable: within a round, instances stay in their order.
    known = [(label, expression) for _, label, expression in numbered]
    return known or [(value, value) for value in leaf.parameter.enum or leaf.examples]


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
