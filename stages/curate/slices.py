"""Who and what the data set is about: slices, coverage of the catalog, balance and association."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, Exemplar
from exemplars.core.reports import NO_SKILL
from exemplars.dataset.catalog import Skill
from stages.curate.lexicons import Lexicons

DEMOGRAPHIC: Final = ("gender", "place", "age")
_NONE: Final = "(none)"
_Z: Final = 1.959964
"""The 0.975 quantile of the normal distribution, for intervals of 95 %."""
_QUESTION: Final = re.compile(
    r"^(?:(?:and|so|ok|okay|hi|hello|hey)[ ,]+)*(?:who|what|when|where|which|why|how|is|are|am|was|were|do|does|did"
    r"|can|could|would|will|shall|should|may|have|has|any)\b"
)
_WANT: Final = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:want|need|like|love|wish|am looking|'m looking)\b|\bi'd like\b"
)
_EXAMPLES: Final = 3


class Slice(NamedTuple):
    """How many rows a slice has, with the 95 % interval of its share (Wilson 1927)."""

    dimension: str
    slice: str
    rows: int
    share: float
    low: float
    high: float


class Coverage(NamedTuple):
    """How many rows fill what the catalog has: a skill, a parameter of it, a value of an enumeration."""

    skill: str
    parameter: str
    """Empty for the skill as a whole."""
    value: str
    """Empty for the parameter as a whole."""
    rows: int
    examples: tuple[str, ...]
    """Up to three utterances to start from, of the nearest thing that has any."""


class Balance(NamedTuple):
    """How even the rows of several names are."""

    name: str
    classes: int
    entropy: float
    """Shannon's entropy by its largest value, in [0, 1]; 1: all are equal (0 for one class alone)."""
    ratio: float
    """The largest by the smallest."""


class Association(NamedTuple):
    """Whether a demographic mention goes along with some skills more than with others."""

    dimension: str
    rows: int
    """Rows that mention anybody of the dimension."""
    effect: float
    """Cramér's V with Bergsma's correction for bias (2013), in [0, 1]."""
    p_value: float
    """Of the chi-squared test of independence, corrected over the dimensions (Holm 1979)."""


def slices_of(exemplars: Sequence[Exemplar], lexicons: Lexicons) -> list[Slice]:
    """All slices of all dimensions, sorted."""
    total = len(exemplars)
    counts: Counter[tuple[str, str]] = Counter()
    for dimension, tell in dimensions(lexicons).items():
        counts.update((dimension, name) for one in exemplars for name in tell(one))
    return [
        Slice(dimension, name, rows, round(rows / total, 6), *_interval(rows, total))
        for (dimension, name), rows in sorted(counts.items())
    ]


def dimensions(lexicons: Lexicons) -> dict[str, Callable[[Exemplar], Iterable[str]]]:
    """For each dimension, what tells the slices that a row is in: one, or several."""
    names = {
        "female": tuple(name.lower() for name in lexicons.names.female),
        "male": tuple(name.lower() for name in lexicons.names.male),
    }
    unsure = {name.lower() for name in lexicons.names.ambiguous}
    gender = {
        name: [*words, *(one for one in names.get(name, ()) if one not in unsure)]
        for name, words in lexicons.pronouns.slices.items()
    }
    return {
        "skill": lambda one: (one.skill or NO_SKILL,),
        "service": lambda one: (one.service or _NONE,),
        "pattern": lambda one: (", ".join(sorted(argument.slot for argument in one.arguments)) or _NONE,),
        "length": lambda one: (length_slice(len(one.utterance.split())),),
        "form": lambda one: (question_form(one.utterance),),
        "gender": _mentions(gender),
        "place": _mentions(lexicons.places.slices),
        "age": _mentions(lexicons.ages.slices),
    }


def length_slice(words: int) -> str:
    """The slice of a text's length in words."""
    for least, most in ((1, 3), (4, 7), (8, 15), (16, 30)):
        if words <= most:
            return f"{least:02}-{most:02} words"
    return "31+ words"


def question_form(text: str) -> str:
    """How a text asks: `question`, `wish`, `fragment` (up to three words), else `statement`."""
    lower = text.lower().strip()
    if lower.endswith("?") or _QUESTION.match(lower):
        return "question"
    if _WANT.search(lower):
        return "wish"
    return "fragment" if len(lower.split()) <= 3 else "statement"


def _mentions(slices: Mapping[str, Iterable[str]]) -> Callable[[Exemplar], list[str]]:
    slice_of = {word: name for name, words in slices.items() for word in words}
    longest_first = sorted(slice_of, key=lambda word: (-len(word), word))
    # Words are looked up whole; a possessive ending does not hide one.
    found = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b") if slice_of else None

    def tell(exemplar: Exemplar) -> list[str]:
        if found is None:
            return [_NONE]
        names = {slice_of[match] for match in found.findall(exemplar.utterance.lower())}
        return sorted(names) or [_NONE]

    return tell


def coverage_of(exemplars: Iterable[Exemplar], skills: Sequence[Skill]) -> list[Coverage]:
    """What each skill, parameter and enumerated value of the catalog has, the thinnest first."""
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in exemplars:
        if one.skill is not None:
            said[one.skill, "", ""].append(one.utterance)
            for argument in one.arguments:
                said[one.skill, argument.slot, ""].append(one.utterance)
                if argument.value != DONTCARE:
                    said[one.skill, argument.slot, argument.value].append(one.utterance)
    found = [_covered(said, place) for skill in skills for place in _places(skill)]
    return sorted(found, key=lambda one: (one.rows, one.skill, one.parameter, one.value))


def _places(skill: Skill) -> Iterator[tuple[str, str, str]]:
    yield skill.name, "", ""
    for parameter in skill.parameters:
        yield skill.name, parameter.name, ""
        for value in parameter.enum or ():
            yield skill.name, parameter.name, value


def _covered(said: Mapping[tuple[str, str, str], list[str]], place: tuple[str, str, str]) -> Coverage:
    skill, parameter, _ = place
    nearest = next(
        (said[one] for one in (place, (skill, parameter, ""), (skill, "", "")) if said.get(one)), []
    )
    examples = sorted(set(nearest), key=lambda text: (len(text), text))[:_EXAMPLES]
    return Coverage(*place, len(said.get(place, ())), tuple(examples))


def balance_of(name: str, counts: Iterable[int]) -> Balance:
    """How even some counts are; names that have no row count as one class of 0, which makes no ratio."""
    present = [count for count in counts if count]
    total = sum(present)
    if not present:
        return Balance(name, 0, 0.0, 0.0)
    entropy = -sum(count / total * math.log(count / total) for count in present)
    even = entropy / math.log(len(present)) if len(present) > 1 else 0.0
    return Balance(name, len(present), round(even, 6), round(max(present) / min(present), 6))


def associations_of(exemplars: Sequence[Exemplar], lexicons: Lexicons) -> list[Association]:
    """For each demographic dimension, whether its slices go along with skills.

    Only rows that mention anybody count; a dimension with fewer than two slices or two skills has
    effect 0 and p 1.
    """
    tell = dimensions(lexicons)
    found = []
    for dimension in DEMOGRAPHIC:
        pairs = Counter(
            (name, one.skill or NO_SKILL)
            for one in exemplars
            for name in tell[dimension](one)
            if name != _NONE
        )
        found.append((dimension, sum(pairs.values()), *_independence(pairs)))
    corrected = _holm([p for *_, p in found])
    return [
        Association(dimension, rows, round(effect, 6), round(p, 6))
        for (dimension, rows, effect, _), p in zip(found, corrected, strict=True)
    ]


def _independence(pairs: Mapping[tuple[str, str], int]) -> tuple[float, float]:
    names, skills = sorted({one for one, _ in pairs}), sorted({one for _, one in pairs})
    if len(names) < 2 or len(skills) < 2:
        return 0.0, 1.0
    from scipy.stats import chi2_contingency

    table = [[pairs.get((name, skill), 0) for skill in skills] for name in names]
    result = chi2_contingency(table, correction=False)
    total = sum(pairs.values())
    rows, columns = len(names), len(skills)
    if total < 2:
        return 0.0, 1.0
    phi = max(0.0, float(result.statistic) / total - (rows - 1) * (columns - 1) / (total - 1))
    least = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    return (math.sqrt(phi / least) if least > 0 else 0.0), float(result.pvalue)


def _holm(values: Sequence[float]) -> list[float]:
    corrected, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, values[place] * (len(values) - rank)))
        corrected[place] = largest
    return corrected


def _interval(rows: int, total: int) -> tuple[float, float]:
    share, z2 = rows / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)
