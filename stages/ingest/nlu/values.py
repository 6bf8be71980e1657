"""The values that the files of a source list: lists with synonyms, lookups, patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from exemplars.dataset.recognizers import BUILT_IN, Instance, Recognizer, Recognizers, merge_recognizers
from stages.ingest.nlu.examples import Example, Flaw, NluFile, find_malformed_pattern
from stages.ingest.patterns import LimitedPattern


class Values(NamedTuple):
    """What is known of the values of a source."""

    recognizers: Mapping[str, Recognizer]
    """By the name of a list."""
    labels: Mapping[str, Mapping[str, str]]
    """The canonical value by the name of a list and the casefolded text that says it."""
    synonyms: Mapping[str, str]
    """The canonical value by the casefolded text, for entities of all lists."""

    def find_value(self, list_name: str, surface: str) -> str:
        """Find the canonical value that a text says; the text itself if it is no synonym."""
        key = surface.casefold()
        return self.labels.get(list_name, {}).get(key) or self.synonyms.get(key) or surface


class _Pattern(NamedTuple):
    text: str
    path: str


def collect_values(files: Sequence[NluFile], is_erased: Callable[[str], bool]) -> Values:
    """Unite the lists, lookups, synonyms and patterns of all files.

    is_erased: whether a text will be erased: no value is learned from it.
    """
    pattern_types = frozenset().union(*(file.pattern_types for file in files))
    lists = merge_recognizers(
        Recognizers({name: Recognizer(instances)})
        for file in files
        for name, instances in file.lists.items()
        if name not in pattern_types
    ).recognizers
    lookups = [
        Recognizers({name: Recognizer(instances)})
        for file in files
        for name, instances in file.lookups.items()
    ]
    patterns = _list_patterns(files, pattern_types)
    synonyms = {text: value for file in files for text, value in file.synonyms.items()}
    surfaces = list(_list_surfaces(files, is_erased)) if synonyms or patterns else []
    others = [_list_synonyms(surfaces, synonyms), _match_patterns(surfaces, patterns)]
    merged = merge_recognizers([Recognizers(lists), *lookups, *map(Recognizers, others)]).recognizers
    return Values(
        {name: recognizer for name, recognizer in merged.items() if recognizer.instances},
        {name: _index_labels(recognizer) for name, recognizer in lists.items()},
        {text.casefold(): value for text, value in synonyms.items()},
    )


def list_malformed_patterns(files: Sequence[NluFile]) -> Iterator[tuple[str, Flaw]]:
    """List the values of lists of patterns that are no regular expressions, each with the path of its file."""
    pattern_types = frozenset().union(*(file.pattern_types for file in files))
    for file in files:
        for name in sorted(file.lists.keys() & pattern_types):
            for index, instance in enumerate(file.lists[name]):
                problem = find_malformed_pattern(instance.label)
                if problem is not None:
                    yield file.path, Flaw(f"/{index}", problem)


def name_recognizer(list_name: str) -> str:
    """Name the recognizer of a list of values: as the list, unless a recognizer without a list has that name."""
    return f"{list_name}-list" if list_name in BUILT_IN else list_name


def list_expressions(recognizer: Recognizer) -> list[tuple[str, str]]:
    """List the value and expression of all instances: the first expressions of all values, then the second ones."""
    numbered = [
        (number, instance.label, expression)
        for instance in recognizer.instances
        for number, expression in enumerate(instance.expressions)
    ]
    numbered.sort(key=itemgetter(0))  # Stable: within a round, instances keep their order.
    return [(label, expression) for _, label, expression in numbered]


def _index_labels(recognizer: Recognizer) -> dict[str, str]:
    """Index the values by what says them; a value itself comes before a synonym of another value."""
    labels = {
        expression.casefold(): instance.label
        for instance in recognizer.instances
        for expression in instance.expressions
    }
    return labels | {instance.label.casefold(): instance.label for instance in recognizer.instances}


def _list_surfaces(files: Iterable[NluFile], is_erased: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """List the names of lists with the texts that examples label with them."""
    for file in files:
        for item in file.items:
            if isinstance(item, Example) and item.entities and not is_erased(item.text):
                for entity in item.entities:
                    yield entity.list_name, item.text[entity.start : entity.end]


def _list_synonyms(surfaces: Iterable[tuple[str, str]], synonyms: Mapping[str, str]) -> dict[str, Recognizer]:
    """List, for each type of entity, the synonyms that its examples use, with all synonyms of the same value."""
    ways: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for text, value in synonyms.items():
        ways.setdefault(value, []).append(text)
        values[text.casefold()] = value
    used: dict[str, set[str]] = {}
    for name, surface in surfaces:
        if surface.casefold() in values:
            used.setdefault(name, set()).add(values[surface.casefold()])
    return {
        name: Recognizer(tuple(Instance(label, (label, *ways[label])) for label in sorted(labels)))
        for name, labels in used.items()
    }


def _list_patterns(files: Iterable[NluFile], pattern_types: frozenset[str]) -> dict[str, list[_Pattern]]:
    patterns: dict[str, list[_Pattern]] = {}
    for file in files:
        for name, texts in file.patterns.items():
            patterns.setdefault(name, []).extend(_Pattern(text, file.path) for text in texts)
        for name, instances in file.lists.items():
            if name in pattern_types:
                patterns.setdefault(name, []).extend(
                    _Pattern(instance.label, file.path)
                    for instance in instances
                    if find_malformed_pattern(instance.label) is None
                )
    return patterns


def _match_patterns(
    surfaces: Iterable[tuple[str, str]], patterns: Mapping[str, list[_Pattern]]
) -> dict[str, Recognizer]:
    """List, for each type with regular expressions, the texts of examples that they match."""
    limited = {
        name: [
            LimitedPattern(rf"\A(?:{pattern.text})\Z", f"the entity {name}", pattern.path)
            for pattern in texts
        ]
        for name, texts in patterns.items()
    }
    found: dict[str, set[str]] = {}
    for name, surface in surfaces:
        if any(pattern.is_in(surface) for pattern in limited.get(name, ())):
            found.setdefault(name, set()).add(surface)
    return {
        name: Recognizer(
            tuple(Instance(text, (text,)) for text in sorted(texts)),
            f"Values that match {' or '.join(pattern.text for pattern in patterns[name])}",
        )
        for name, texts in found.items()
    }
