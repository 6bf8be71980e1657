"""All of the stage in order: what goes out, what is looked at, what the rest is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from exemplars.core.records import Exemplar, Mode, Reason, Rejection, ReviewItem, TextPair
from exemplars.core.reports import NO_SKILL, count_sorted
from exemplars.dataset.catalog import Skill
from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.texts import normalize_text
from stages.curate.conflicts import Conflict, conflicts_among, meaning, rejected_rows
from stages.curate.duplicates import clusters_of, exact_duplicates, joined_groups, near_pairs
from stages.curate.embeddings import semantic_pairs
from stages.curate.lexicons import Lexicons
from stages.curate.noise import by_embeddings, by_words, likely_errors
from stages.curate.params import CurateParams, Duplicates, LabelNoise, OnDuplicate, PrivacyMode
from stages.curate.privacy.findings import Finder, Finding, finder
from stages.curate.privacy.surrogates import group_surrogates, unlabelled, with_surrogates
from stages.curate.quality import Flag, Limits, english_or_other, flags_of
from stages.curate.slices import (
    Association,
    Balance,
    Coverage,
    Slice,
    associations_of,
    balance_of,
    coverage_of,
    slices_of,
)

Step = Callable[[str], None]


class Representativeness(NamedTuple):
    """What the kept rows are about."""

    slices: list[Slice]
    coverage: list[Coverage]
    balance: list[Balance]
    associations: list[Association]


class Curated(NamedTuple):
    """Every exemplar that came in is kept or rejected; all lists are sorted."""

    kept: list[Exemplar]
    rejections: list[Rejection]
    pairs: list[TextPair]
    review: list[ReviewItem]
    representativeness: Representativeness
    flags: dict[str, int]
    personal: dict[str, dict[str, int]]
    """Findings by kind: in texts that an argument labels, and in texts that none does."""
    conflicts: int
    clusters: int
    clustered_rows: int
    joined_groups: int
    noise: str
    """Whether label noise was looked for: `done`, or why not."""


def curate(
    exemplars: Sequence[Exemplar],
    skills: Sequence[Skill],
    lexicons: Lexicons,
    params: CurateParams,
    key: bytes | None,
    step: Step,
) -> Curated:
    """Curate a data set.

    exemplars: sorted by id. key: what surrogates are made with; needed in mode `surrogate` alone.
    step: is told what begins now, for people.
    """
    ledger: dict[str, Rejection] = {}
    step("exact duplicates")
    rows = _without(exemplars, _exact(exemplars, params.duplicates), ledger)
    step("conflicting labels")
    conflicts = conflicts_among(rows, params.conflicts.context_turns)
    gone = rejected_rows(conflicts, params.conflicts.action)
    messages = {one.id: _conflict_message(one, gone[one.id]) for one in rows if one.id in gone}
    rows = _without(rows, (Reason.CONFLICTING_LABEL, messages), ledger)
    step("quality")
    limits = Limits(params.quality.min_tokens, params.quality.max_tokens, params.quality.max_repetition)
    flagged = [(one, found) for one, found in _by_row(rows, flags_of(rows, limits, english_or_other()))]
    rows = _without(rows, _bad_quality(flagged, params.quality.reject), ledger)
    step("personal data")
    find = finder(lexicons.names, params.privacy.min_score)
    findings = [(one, found) for one in rows if (found := find(one.utterance))]
    leaks = [(one, loose) for one, found in findings if (loose := unlabelled(one, found))]
    if params.privacy.mode is PrivacyMode.REJECT:
        messages = {one.id: _personal_message(loose) for one, loose in leaks}
        rows = _without(rows, (Reason.PERSONAL_DATA, messages), ledger)
    elif params.privacy.mode is PrivacyMode.SURROGATE and key is not None:
        rows = _with_surrogates(rows, leaks, find, lexicons, key)
    step("near duplicates")
    pairs, cluster_of = _near(rows, params.duplicates)
    rows = _without(rows, _near_repeats(rows, cluster_of, params.duplicates), ledger)
    clustered = [(one.group, one.split, cluster_of[one.id]) for one in rows if one.id in cluster_of]
    groups = joined_groups(clustered, params.duplicates.max_group_rows)
    rows = [msgspec.structs.replace(one, group=groups.get(one.group, one.group)) for one in rows]
    step("label noise")
    noise, suspects = _label_noise(rows, params.label_noise)
    step("slices and coverage")
    return Curated(
        kept=rows,
        rejections=[ledger[row] for row in sorted(ledger)],
        pairs=pairs,
        review=[*_review(conflicts, flagged, leaks, params.privacy.mode), *suspects],
        representativeness=_representativeness(rows, skills, lexicons),
        flags=count_sorted(str(flag) for _, found in flagged for flag in found),
        personal=_personal_counts(findings, leaks),
        conflicts=len(conflicts),
        clusters=len(set(cluster_of.values())),
        clustered_rows=len(clustered),
        joined_groups=len(groups),
        noise=noise,
    )


def _without(
    rows: Sequence[Exemplar], gone: tuple[Reason, Mapping[str, str]], ledger: dict[str, Rejection]
) -> list[Exemplar]:
    """The rows that stay; the others go to the ledger.

    gone: a reason, and for the id of each row that goes what is to be told.
    """
    reason, messages = gone
    ledger.update({one.id: _rejection(one, reason, messages[one.id]) for one in rows if one.id in messages})
    return [one for one in rows if one.id not in messages]


def _by_row(
    rows: Sequence[Exemplar], flags: Mapping[str, tuple[Flag, ...]]
) -> list[tuple[Exemplar, tuple[Flag, ...]]]:
    return [(one, flags[one.id]) for one in rows if one.id in flags]


def _exact(rows: Sequence[Exemplar], params: Duplicates) -> tuple[Reason, dict[str, str]]:
    repeated = exact_duplicates(rows) if params.exact is OnDuplicate.REJECT else {}
    told = "found the utterance and meaning of {} again, expected each once; remove one of them"
    return Reason.DUPLICATE_EXEMPLAR, {row: told.format(first) for row, first in repeated.items()}


def _bad_quality(
    flagged: Sequence[tuple[Exemplar, tuple[Flag, ...]]], reject: Sequence[Flag]
) -> tuple[Reason, dict[str, str]]:
    told = "found a text that is {}, expected none; correct the text, or remove it"
    return Reason.LOW_QUALITY, {
        one.id: told.format(", ".join(bad))
        for one, found in flagged
        if (bad := [flag for flag in found if flag in reject])
    }


def _near_repeats(
    rows: Sequence[Exemplar], cluster_of: Mapping[str, str], params: Duplicates
) -> tuple[Reason, dict[str, str]]:
    """The rows whose cluster has an earlier row of the same meaning."""
    messages: dict[str, str] = {}
    firsts: dict[tuple[str, str], str] = {}
    for one in rows if params.near is OnDuplicate.REJECT else ():
        if one.id in cluster_of:
            first = firsts.setdefault((cluster_of[one.id], meaning(one)), one.id)
            if first != one.id:
                messages[one.id] = (
                    f"found nearly the text of {first}, expected another; reword it, or remove it"
                )
    return Reason.NEAR_DUPLICATE, messages


def _with_surrogates(
    rows: Sequence[Exemplar],
    leaks: Sequence[tuple[Exemplar, Sequence[Finding]]],
    find: Finder,
    lexicons: Lexicons,
    key: bytes,
) -> list[Exemplar]:
    loose = {one.id: found for one, found in leaks}
    found = ((one, loose.get(one.id, ())) for one in rows)
    mappings = group_surrogates(found, find, lexicons.names, key)
    return [with_surrogates(one, mappings[one.group]) if one.group in mappings else one for one in rows]


def _representativeness(
    rows: Sequence[Exemplar], skills: Sequence[Skill], lexicons: Lexicons
) -> Representativeness:
    return Representativeness(
        slices_of(rows, lexicons),
        coverage_of(rows, skills),
        _balances(rows, skills),
        associations_of(rows, lexicons),
    )


def _near(rows: Sequence[Exemplar], params: Duplicates) -> tuple[list[TextPair], dict[str, str]]:
    """The verified pairs of both columns, and the cluster of every row that is in one.

    Rows with the same utterance or template, but for case and punctuation, are in one cluster.
    """
    pairs: list[TextPair] = []
    cluster_of: dict[str, str] = {}
    for column in ("exemplar", "utterance"):
        texts = [normalize_text(getattr(one, column)) for one in rows]
        found = near_pairs(texts, params.similarity)
        if params.semantic and column == "utterance":
            unique = sorted(set(texts))
            known = {(one.first, one.second) for one in found}
            more = semantic_pairs(unique, embed_texts(unique), params.semantic_similarity)
            found = sorted([*found, *(one for one in more if (one.first, one.second) not in known)])
        pairs += [TextPair(column, *one) for one in found]
        counts = Counter(texts)
        first_of = clusters_of(counts, found)
        for one, text in zip(rows, texts, strict=True):
            if text in first_of or (text and counts[text] > 1):
                cluster_of[one.id] = f"{column}: {first_of.get(text, text)}"
    return pairs, cluster_of


def _label_noise(rows: Sequence[Exemplar], params: LabelNoise) -> tuple[str, list[ReviewItem]]:
    """Whether it was looked for, and the rows to look at, the most likely wrong first."""
    if not params.enabled:
        return "off", []
    plain = [one for one in rows if one.mode in (Mode.NORMAL, Mode.NONE)]
    if len(plain) > params.max_rows:
        return f"more than {params.max_rows} rows", []
    classifier = by_embeddings(embed_texts) if params.features == "embeddings" else by_words()
    labels = [one.skill or NO_SKILL for one in plain]
    found = likely_errors([one.utterance for one in plain], labels, params.folds, classifier)
    suspects = [
        _seen(
            plain[one.place],
            "label_noise",
            f"labelled {labels[one.place]}, likely {one.suggested}",
            score=one.score,
            suggested=one.suggested,
        )
        for one in found[: params.top]
    ]
    return "done", suspects


def _balances(rows: Sequence[Exemplar], skills: Sequence[Skill]) -> list[Balance]:
    counts = Counter(one.skill for one in rows if one.skill is not None)
    balances = [balance_of("skills", counts.values())]
    values = Counter((one.skill, a.slot, a.value) for one in rows for a in one.arguments)
    for skill in skills:
        for parameter in skill.parameters:
            if parameter.enum:
                name = f"{skill.name}.{parameter.name}"
                balances.append(
                    balance_of(name, [values[skill.name, parameter.name, value] for value in parameter.enum])
                )
    return balances


def _review(
    conflicts: Iterable[Conflict],
    flagged: Iterable[tuple[Exemplar, tuple[Flag, ...]]],
    leaks: Iterable[tuple[Exemplar, Sequence[Finding]]],
    mode: PrivacyMode,
) -> Iterator[ReviewItem]:
    for conflict in conflicts:
        for one in conflict.rows:
            yield _seen(one, "conflict", _conflict_message(one, conflict), suggested=conflict.majority)
    for one, found in flagged:
        yield _seen(one, "quality", ", ".join(found))
    for one, personal in leaks:
        shown = _seen(one, "personal_data", ", ".join(sorted({str(f.kind) for f in personal})))
        # What is taken out of the data must not stand in the list.
        yield shown if mode is PrivacyMode.REPORT else msgspec.structs.replace(shown, utterance="")


def _seen(
    one: Exemplar, why: str, detail: str, score: float | None = None, suggested: str | None = None
) -> ReviewItem:
    origin = one.origin
    return ReviewItem(
        one.id, why, detail, score, one.skill, suggested, origin.path, origin.locator, one.utterance
    )


def _conflict_message(one: Exemplar, conflict: Conflict) -> str:
    others = [other for other in conflict.rows if meaning(other) != meaning(one)][:3]
    told = "; ".join(f"{other.id} means {meaning(other)}" for other in others)
    return f"found {meaning(one)}, but {told}, expected one meaning of one text; correct one of them"


def _personal_message(personal: Sequence[Finding]) -> str:
    kinds = ", ".join(sorted({str(one.kind) for one in personal}))
    return f"found personal data ({kinds}) that no argument labels, expected none; label it, or take it out"


def _personal_counts(
    findings: Iterable[tuple[Exemplar, Sequence[Finding]]],
    leaks: Iterable[tuple[Exemplar, Sequence[Finding]]],
) -> dict[str, dict[str, int]]:
    every = count_sorted(str(one.kind) for _, found in findings for one in found)
    loose = count_sorted(str(one.kind) for _, found in leaks for one in found)
    labelled = {kind: count - loose.get(kind, 0) for kind, count in every.items()}
    return {"labelled": {kind: count for kind, count in labelled.items() if count}, "unlabelled": loose}


def _rejection(one: Exemplar, reason: Reason, message: str) -> Rejection:
    return Rejection(
        id=one.id,
        source=one.source,
        stage="curate",
        reason=reason,
        message=f"{one.origin.path}#{one.origin.locator}: {message}",
        origin=one.origin,
        group=one.group,
        skill=one.skill,
        utterance=None if reason is Reason.PERSONAL_DATA else one.utterance,
    )
