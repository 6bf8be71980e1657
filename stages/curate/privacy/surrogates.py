"""Assign surrogates to the personal data of each group of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exemplars.core.records import Exemplar
from stages.curate.lexicons import NameLexicon
from stages.curate.privacy.findings import Finder, Finding, PersonalDataKind
from stages.curate.privacy.name_words import count_in_dictionary, fold_name
from stages.curate.privacy.names import FREQUENT_WORD
from stages.curate.privacy.replacement import list_spans, replace_texts
from stages.curate.privacy.surrogate_texts import make_surrogate


def find_unlabeled(calls: Sequence[Exemplar], findings: Iterable[Finding]) -> list[Finding]:
    """Find the personal data in an utterance that overlaps no argument of its turn.

    calls: of the turn. findings: in its utterance.
    """
    spans = list_spans(calls)
    return [
        finding
        for finding in findings
        if not any(start < finding.end and finding.start < end for start, end in spans)
    ]


def find_unlabeled_in_context(rows: Sequence[Exemplar], find: Finder) -> dict[str, list[Finding]]:
    """Find the personal data in the contexts of rows that no argument of a row of the same group labels, by row id.

    What an earlier turn of the dialogue labels stays in that turn's own row, so that it is labeled here, too.
    """
    texts = {row.id: [turn.utterance for turn in row.context] for row in rows if row.context}
    return _find_unlabeled_in_texts(rows, texts, find)


def find_unlabeled_in_replies(rows: Sequence[Exemplar], find: Finder) -> dict[str, list[Finding]]:
    """Find the personal data in the replies of rows that no argument of a row of the same group labels, by row id."""
    texts = {row.id: [row.reply] for row in rows if row.reply is not None}
    return _find_unlabeled_in_texts(rows, texts, find)


def _find_unlabeled_in_texts(
    rows: Sequence[Exemplar], texts: Mapping[str, Sequence[str]], find: Finder
) -> dict[str, list[Finding]]:
    """Find the personal data in the texts of rows that no argument of a row of the same group labels, by row id."""
    labeled: dict[str, set[str | None]] = {}
    for row in rows if texts else ():
        values = labeled.setdefault(row.group, set())
        values.update(text for argument in row.arguments for text in (argument.value, argument.surface))
    groups = {row.id: row.group for row in rows if row.id in texts}
    found: dict[str, list[tuple[str, Finding]]] = {}
    unlabeled: dict[str, list[Finding]] = {}
    for row_id, row_texts in texts.items():
        for text in row_texts:
            if text not in found:
                found[text] = [(text[hit.start : hit.end], hit) for hit in find(text)]
            private = [hit for words, hit in found[text] if words not in labeled[groups[row_id]]]
            if private:
                unlabeled.setdefault(row_id, []).extend(private)
    return unlabeled


def assign_surrogates(
    rows: Iterable[tuple[Exemplar, Sequence[Finding]]], find: Finder, names: NameLexicon, key: bytes
) -> dict[str, dict[str, str]]:
    """Assign surrogates to the unlabeled personal data of each group: for each group, the new text by the old.

    rows: each with the unlabeled findings in its utterance. Personal data in the context and the reply counts, too,
    unless it is the value of an argument of the row. A name is replaced as a whole wherever the group has it: where an
    argument labels "Mary Smith" and another text has "Mary", both change; and so does a "Smith" alone.
    """
    kinds: dict[str, dict[str, PersonalDataKind]] = {}
    texts: dict[str, dict[str, None]] = {}
    for row, findings in rows:
        group_kinds = kinds.setdefault(row.group, {})
        turns = [turn.utterance for turn in row.context] + ([] if row.reply is None else [row.reply])
        texts.setdefault(row.group, {}).update(dict.fromkeys((row.utterance, *turns)))
        for finding in findings:
            group_kinds.setdefault(row.utterance[finding.start : finding.end], finding.kind)
        labeled = {text for argument in row.arguments for text in (argument.value, argument.surface)}
        for turn in turns:
            for finding in find(turn):
                text = turn[finding.start : finding.end]
                if text not in labeled:
                    group_kinds.setdefault(text, finding.kind)
    return {
        group: _make_group_surrogates(group, group_kinds, texts[group], find, names, key)
        for group, group_kinds in kinds.items()
        if group_kinds
    }


def _make_group_surrogates(
    group: str,
    kinds: Mapping[str, PersonalDataKind],
    texts: Iterable[str],
    find: Finder,
    names: NameLexicon,
    key: bytes,
) -> dict[str, str]:
    """Make the surrogates of the personal data of a group, and of all names that share a part with it."""
    persons = {text for text, kind in kinds.items() if kind is PersonalDataKind.PERSON}
    persons = _complete_names(persons, texts, find) if persons else persons
    kinds = {**kinds, **dict.fromkeys(persons, PersonalDataKind.PERSON)}
    surrogates = {text: make_surrogate(text, kind, names, key, group) for text, kind in sorted(kinds.items())}
    for name in sorted(persons):
        parts, new_parts = name.partition(" "), surrogates[name].partition(" ")
        surrogates.update(
            (part, new_part)
            for part, new_part in zip(parts[::2], new_parts[::2], strict=True)
            if part in persons and part != name and new_part
        )
    return surrogates


def _complete_names(persons: Iterable[str], texts: Iterable[str], find: Finder) -> set[str]:
    """Add the names of the texts that contain one of the names, and the family names that a text has alone."""
    seen = {
        text[finding.start : finding.end]
        for text in texts
        for finding in find(text)
        if finding.kind is PersonalDataKind.PERSON
    }
    complete = set(persons)
    while True:
        longer = {name for name in seen - complete if replace_texts(name, dict.fromkeys(complete, ""))[1]}
        families = {name.partition(" ")[2] for name in complete | longer} - complete - {""}
        alone = {family for family in families if _is_alone(family, seen | complete, texts)}
        if not longer | alone:
            return complete
        complete |= longer | alone


def _is_alone(family: str, names: Iterable[str], texts: Iterable[str]) -> bool:
    """Check whether a text has a family name outside all names. A frequent word ("King") is none where it is alone."""
    if count_in_dictionary(fold_name(family)) >= FREQUENT_WORD:
        return False
    marked = {**dict.fromkeys(names, ""), family: family}
    return any(found.text == family for text in texts for found in replace_texts(text, marked)[1])
