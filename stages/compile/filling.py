"""How the values of each parameter are filled, and composed values that look like mistakes of labeling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.records import Exemplar, Grounding
from exemplars.core.slot_paths import generalize_path
from exemplars.dataset.expressions.numbers import find_numbers
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.texts import list_words

_NAME: Final = re.compile(r"(?<![^\W_])[A-Z][^\W\d_]+")
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:;\"'(]\s*|\n)[A-Z][^\W\d_]+")
MAX_SUSPICIOUS: Final = 50


def count_groundings(exemplars: pa.Table) -> Counter[tuple[str, str, str]]:
    """Count the groundings of the values of each slot: by skill, slot and grounding."""
    arguments = exemplars.column("arguments").combine_chunks()
    flat = arguments.flatten()
    skills = exemplars.column("skill").combine_chunks().take(pc.list_parent_indices(arguments))
    columns = {"skill": skills, **{name: pc.struct_field(flat, name) for name in ("slot", "grounding")}}
    groups = pa.table(columns).group_by(list(columns)).aggregate([([], "count_all")])
    *keys, counts = (groups.column(name).to_pylist() for name in (*columns, "count_all"))
    return Counter(dict(zip(zip(*keys, strict=True), counts, strict=True)))


def sum_fillings(groundings: Mapping[tuple[str, str, str], int]) -> dict[str, dict[str, int]]:
    """Sum the groundings of the values of each parameter, by `skill.parameter`.

    The items of a list count as one: `order.dishes[].name`. groundings: as `count_groundings` counts them.
    """
    fillings: dict[str, dict[str, int]] = {}
    for (skill, slot, grounding), count in sorted(groundings.items(), key=str):
        counts = fillings.setdefault(f"{skill}.{generalize_path(slot)}", {})
        counts[grounding] = counts.get(grounding, 0) + count
    return dict(sorted(fillings.items()))


def list_suspicious_values(exemplars: pa.Table) -> list[dict[str, Any]]:
    """List composed values with a number or a name that the conversation does not have: at most 50, by id.

    What a model is to write can only come from what was said; a number or a name from nowhere is more likely a mistake.
    """
    arguments = exemplars.column("arguments").combine_chunks()
    is_composed = pc.equal(pc.struct_field(arguments.flatten(), "grounding"), Grounding.COMPOSED.value)
    rows = sorted(set(pc.list_parent_indices(arguments).filter(is_composed).to_pylist()))
    found: list[dict[str, Any]] = []
    for exemplar in exemplars_from_table(exemplars.take(pa.array(rows, pa.int64()))):
        found += _list_suspicious(exemplar)
        if len(found) >= MAX_SUSPICIOUS:
            return found[:MAX_SUSPICIOUS]
    return found


def _list_suspicious(exemplar: Exemplar) -> Iterator[dict[str, Any]]:
    texts = [exemplar.utterance, *(turn.utterance for turn in exemplar.context)]
    words = {word for text in texts for word in list_words(text)}
    numbers = {reading for text in texts for number in find_numbers(text) for reading in number.readings}
    for argument in exemplar.arguments:
        if argument.grounding is Grounding.COMPOSED:
            value = argument.value
            unsaid = [
                value[number.start : number.end]
                for number in find_numbers(value)
                if numbers.isdisjoint(number.readings)
            ]
            unsaid += [name for name in _list_names(value) if name.casefold() not in words]
            if unsaid:
                yield {"id": exemplar.id, "slot": argument.slot, "value": value, "not_said": unsaid}


def _list_names(text: str) -> Iterator[str]:
    """Yield words with a capital that do not begin a sentence."""
    starts = {match.end() for match in _SENTENCE_START.finditer(text)}
    yield from (match[0] for match in _NAME.finditer(text) if match.end() not in starts)
