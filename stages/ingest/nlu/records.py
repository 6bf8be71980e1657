"""From the examples of all files of a source to its records, its catalog and its recognizers."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from exemplars.core.errors import quote_text
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
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from stages.ingest.combinations import sample_combinations
from stages.ingest.nlu.documents import REPLACEMENT
from stages.ingest.nlu.examples import Example, Flaw, Item, NluFile, Part, Template, report_malformed
from stages.ingest.nlu.values import (
    Values,
    collect_values,
    list_expressions,
    list_malformed_patterns,
    name_recognizer,
)
from stages.ingest.reading import STAGE, Reading, SourceInfo, collect_rows, find_oversize, make_unread

_NOT_IN_NAMES: Final = re.compile(r"[^\w.-]+")


class NluOptions(NamedTuple):
    """What the parameters of a source say."""

    none_intents: frozenset[str]
    """The intents that ask for nothing."""
    max_instances: int
    """The maximum number of records per template."""


class _Builder:
    """Builds the rows of a source, file by file."""

    def __init__(self, source: SourceInfo, options: NluOptions, values: Values) -> None:
        self.source = source
        self.options = options
        self.values = values
        self.names: dict[str, str] = {}
        """The intent that each skill is named after."""
        self.slots: dict[str, dict[str, set[str]]] = {}
        """The lists of each slot, by the skill and the slot."""

    def build_rows(self, file: NluFile, sha256: str) -> Iterator[Record | Rejection]:
        for item in file.items:
            origin = Origin(file.path, sha256, item.locator)
            problem = self._find_problem(item, file.is_damaged)
            if problem is not None:
                yield self._reject(origin, item, problem)
            elif isinstance(item, Template):
                yield from self._fill(origin, item)
            elif isinstance(item, Example):
                yield self._make_record(origin, item)

    def _reject(self, origin: Origin, item: Item, problem: Problem) -> Rejection:
        intent = item.intent or None
        text = None if problem.reason is Reason.TOO_LONG else item.text
        return reject_row(make_unread(self.source, origin, skill=intent, utterance=text), STAGE, [problem])

    def _find_problem(self, item: Item, is_damaged: bool) -> Problem | None:
        if isinstance(item, Flaw):
            return item.problem
        oversize = find_oversize(item.text)
        if oversize is not None:
            return oversize
        if is_damaged and REPLACEMENT in item.text + item.intent:
            found = f"bytes that are not UTF-8 in {quote_text(item.text)}"
            fix = "save the file as UTF-8 (for example with iconv -f latin1 -t utf-8)"
            return report_malformed(found, "UTF-8", fix)
        if not item.intent.strip():
            return report_malformed("an empty intent", "the name of an intent", "name the intent")
        known = self.names.setdefault(make_name(item.intent), item.intent)
        if known != item.intent:
            found = f"the intent {quote_text(item.intent)}, which has the skill of {quote_text(known)}"
            return report_malformed(found, "one skill for each intent", "rename one of the two intents")
        if isinstance(item, Template):
            return self._find_unfilled(item)
        return None

    def _find_unfilled(self, template: Template) -> Problem | None:
        """Find what keeps a template from being filled."""
        slots = [part for part in template.parts if part.slot is not None]
        for part in slots:
            if part.type not in self.values.recognizers:
                fix = f"add values of {part.type} to the model, or a lookup of that name in a Rasa file"
                found = f"{part.text} without values"
                return Problem(
                    Reason.VALUE_NOT_FOUND, found, f"values of the type {part.type}", fix, part.slot
                )
        names = [part.slot for part in slots]
        repeated = next((name for index, name in enumerate(names) if name in names[:index]), None)
        if repeated is not None:
            summary = f"slot {repeated!r} is filled twice"
            return Problem(Reason.DUPLICATE_SLOT, summary=summary, fix="keep one of the two", slot=repeated)
        return None

    def _make_record(self, origin: Origin, example: Example) -> Record:
        is_none = example.intent in self.options.none_intents
        arguments = []
        for entity in () if is_none else example.entities:
            surface = example.text[entity.start : entity.end]
            value = entity.value or self.values.find_value(entity.list_name, surface)
            slot = make_name(entity.slot)
            spoken = (surface,) if value != surface else ()
            arguments.append(LabelledArgument(slot, value, spoken, entity.start, entity.end))
            self._note_slot(example.intent, slot, entity.list_name)
        return self._build(origin, example.text, example.intent, tuple(arguments), split=example.split)

    def _note_slot(self, intent: str, slot: str, list_name: str) -> None:
        self.slots.setdefault(make_name(intent), {}).setdefault(slot, set()).add(list_name)

    def _fill(self, origin: Origin, template: Template) -> Iterator[Record | Rejection]:
        """Fill a template with the values of its slots; which ones depends on the template alone."""
        slots = [part for part in template.parts if part.slot is not None]
        choices = [list_expressions(self.values.recognizers[part.type]) for part in slots]
        key = hashlib.sha256(f"{template.intent}\n{template.text}".encode()).hexdigest()[:16]
        for part in slots:
            self._note_slot(template.intent, make_name(part.slot or ""), part.type)
        combinations = sample_combinations(list(map(len, choices)), self.options.max_instances, key)
        for number, combination in enumerate(combinations):
            chosen = [choice[index] for choice, index in zip(choices, combination, strict=True)]
            text, arguments = _insert_values(template.parts, chosen)
            place = origin if not slots else Origin(origin.path, origin.sha256, f"{origin.locator}/{number}")
            oversize = find_oversize(text)
            if oversize is not None:
                yield self._reject(place, template, oversize)
            else:
                yield self._build(place, text, template.intent, arguments, template.question, key)

    def _build(
        self,
        origin: Origin,
        text: str,
        intent: str,
        arguments: tuple[LabelledArgument, ...],
        question: str | None = None,
        key: str | None = None,
        split: str | None = None,
    ) -> Record:
        is_none = intent in self.options.none_intents
        if not is_none:
            self.slots.setdefault(make_name(intent), {})
        answered = Mode.NORMAL if question is None else Mode.EXTENDED
        return Record(
            id=make_row_id(self.source.name, origin),
            turn=make_row_id(self.source.name, origin),
            source=self.source.name,
            utterance=text,
            mode=Mode.NONE if is_none else answered,
            skill=None if is_none else make_name(intent),
            service=None,
            arguments=() if is_none else arguments,
            context=(Turn(Speaker.ASSISTANT, question),) if question else (),
            group=self.source.make_group(key) if key else _group_text(self.source, text),
            license=self.source.license,
            origin=origin,
            split=split,
            today=self.source.today,
        )

    def build_skills(self) -> tuple[Skill, ...]:
        """Build the catalog: each intent with the slots of its examples, all of them optional strings."""
        return tuple(
            Skill(
                name,
                parameters=tuple(
                    Parameter(slot, recognizer=self._choose_recognizer(lists))
                    for slot, lists in sorted(slots.items())
                ),
                inferred=True,
            )
            for name, slots in sorted(self.slots.items())
        )

    def _choose_recognizer(self, lists: set[str]) -> str | None:
        known = lists & self.values.recognizers.keys()
        return name_recognizer(known.pop()) if len(known) == 1 else None


def build_reading(source: SourceInfo, files: Iterable[tuple[NluFile, str]], options: NluOptions) -> Reading:
    """Build the rows of all files of a source, its catalog and its recognizers. files: each with its SHA-256."""
    files = list(files)
    values = collect_values(
        [file for file, _ in files],
        lambda text: bool(source.erased_groups) and _group_text(source, text) in source.erased_groups,
    )
    builder = _Builder(source, options, values)
    hashes = {file.path: sha256 for file, sha256 in files}
    flaws = (NluFile(path, (flaw,)) for path, flaw in list_malformed_patterns([file for file, _ in files]))
    rows = collect_rows(
        row
        for file in (*(file for file, _ in files), *flaws)
        for row in builder.build_rows(file, hashes[file.path])
    )
    recognizers = {
        name_recognizer(name): recognizer for name, recognizer in builder.values.recognizers.items()
    }
    return rows._replace(skills=builder.build_skills(), recognizers=Recognizers(recognizers))


def _group_text(source: SourceInfo, text: str) -> str:
    """Build the group of the utterances that are equal but for case."""
    return source.make_group(hashlib.sha256(text.casefold().encode()).hexdigest()[:16])


@functools.lru_cache(maxsize=4096)
def make_name(name: str) -> str:
    """Make the name of a skill or slot from that of an intent or entity.

    >>> make_name("faq/ask name"), make_name("atis_flight#atis_airfare"), make_name("2nd")
    ('faq_ask_name', 'atis_flight_atis_airfare', '_2nd')
    """
    cleaned = _NOT_IN_NAMES.sub("_", name.strip())
    return cleaned if re.match(r"[^\W\d]", cleaned) else f"_{cleaned}"


def _insert_values(
    parts: Iterable[Part], chosen: Iterable[tuple[str, str]]
) -> tuple[str, tuple[LabelledArgument, ...]]:
    """Build the utterance of a template, and its arguments with exact spans."""
    texts, arguments, length = [], [], 0
    values = iter(chosen)
    for part in parts:
        text = part.text
        if part.slot is not None:
            value, text = next(values)
            slot = make_name(part.slot)
            arguments.append(LabelledArgument(slot, value, (text,), length, length + len(text)))
        texts.append(text)
        length += len(text)
    return "".join(texts), tuple(arguments)
