"""Alexa's interaction models: intents whose samples are templates, such as `weather in {city}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.ledger import Problem
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import Flaw, Item, NluFile, Part, Template, make_instances, report_malformed

_SLOT: Final = re.compile(r"\{\s*([^{}\s]+)\s*\}")
_EXPECTED: Final = "an Alexa interaction model"


class _Slot(msgspec.Struct):
    name: str
    type: str = ""
    samples: list[str] = []


class _Intent(msgspec.Struct):
    name: str
    slots: list[_Slot] = []
    samples: list[str] = []


class _ValueName(msgspec.Struct):
    value: str
    synonyms: list[str] = []


class _Value(msgspec.Struct):
    name: _ValueName


class _Type(msgspec.Struct):
    name: str
    values: list[_Value] = []


class _LanguageModel(msgspec.Struct):
    intents: list[msgspec.Raw] = []
    types: list[_Type] = []


class _PromptSlot(msgspec.Struct):
    name: str
    prompts: dict[str, str] = {}


class _DialogIntent(msgspec.Struct):
    name: str
    slots: list[_PromptSlot] = []


class _Dialog(msgspec.Struct):
    intents: list[_DialogIntent] = []


class _Variation(msgspec.Struct):
    value: str


class _Prompt(msgspec.Struct):
    id: str
    variations: list[_Variation] = []


class _Model(msgspec.Struct):
    languageModel: _LanguageModel
    dialog: _Dialog | None = None
    prompts: list[_Prompt] = []


class _Interaction(msgspec.Struct):
    interactionModel: _Model


def parse_alexa(path: str, text: Text) -> NluFile:
    """Parse an interaction model. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    keys = document.decode(dict[str, Any], _EXPECTED).keys()
    if "interactionModel" in keys:
        pointer, model = "/interactionModel", document.decode(_Interaction, _EXPECTED).interactionModel
    else:
        pointer, model = "", document.decode(_Model, _EXPECTED)
    questions = _find_questions(model)
    items: list[Item] = list(document.list_flaws())
    for index, raw in enumerate(model.languageModel.intents):
        place = f"{pointer}/languageModel/intents/{index}"
        intent = document.decode_record(raw, _Intent)
        items += (
            [Flaw(place, intent)] if isinstance(intent, Problem) else _read_intent(place, intent, questions)
        )
    lists = {
        type_.name: make_instances((value.name.value, value.name.synonyms) for value in type_.values)
        for type_ in model.languageModel.types
    }
    return NluFile(path, tuple(items), lists, is_damaged=text.is_damaged)


def _find_questions(model: _Model) -> dict[tuple[str, str], str]:
    """Find the question that asks for a slot of an intent."""
    texts = {prompt.id: prompt.variations[0].value for prompt in model.prompts if prompt.variations}
    return {
        (intent.name, slot.name): texts.get(slot.prompts.get("elicitation", ""), "")
        for intent in (model.dialog.intents if model.dialog else ())
        for slot in intent.slots
    }


def _read_intent(place: str, intent: _Intent, questions: Mapping[tuple[str, str], str]) -> Iterator[Item]:
    types = {slot.name: slot.type for slot in intent.slots}
    for index, sample in enumerate(intent.samples):
        yield _read_sample(f"{place}/samples/{index}", sample, intent.name, types, None)
    for number, slot in enumerate(intent.slots):
        question = questions.get((intent.name, slot.name), "")
        for index, sample in enumerate(slot.samples):
            locator = f"{place}/slots/{number}/samples/{index}"
            yield _read_sample(locator, sample, intent.name, types, question)


def _read_sample(
    locator: str, sample: str, intent: str, types: Mapping[str, str], question: str | None
) -> Item:
    parts, position = [], 0
    for match in _SLOT.finditer(sample):
        parts += [Part(sample[position : match.start()]), Part(match[0], match[1], types.get(match[1], ""))]
        position = match.end()
    parts.append(Part(sample[position:]))
    stray = next((part.text for part in parts if part.slot is None and re.search(r"[{}]", part.text)), None)
    if stray is not None:
        bracket = sample.find(stray) + next(index for index, sign in enumerate(stray) if sign in "{}")
        found = f"a brace at character {bracket + 1} without its counterpart"
        return Flaw(locator, report_malformed(found, "{slot}", "correct the sample"), intent, sample)
    unknown = next((part.slot for part in parts if part.slot is not None and part.slot not in types), None)
    if unknown is not None:
        known = ", ".join(types) or "no slot"
        return Flaw(
            locator,
            report_malformed(f"the slot {{{unknown}}}", f"one of {known}", "declare it, or correct its name"),
            intent,
            sample,
        )
    return Template(locator, tuple(part for part in parts if part.text), intent, question)
