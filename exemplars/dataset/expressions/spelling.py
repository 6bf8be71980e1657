"""Spelling: the base form of an English word, and other spellings of a word."""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

import regex
from pluralizer import Pluralizer

from exemplars.dataset.expressions.numbers import TENS, UNITS

_AMERICAN: Final = {
    "aeroplane": "airplane", "aluminium": "aluminum", "analyse": "analyze", "apologise": "apologize",
    "armour": "armor", "axe": "ax", "behaviour": "behavior", "cancelled": "canceled",
    "cancelling": "canceling", "catalogue": "catalog", "centre": "center", "cheque": "check",
    "colour": "color", "coloured": "colored", "cosy": "cozy",
    "customise": "customize", "defence": "defense", "dialogue": "dialog", "doughnut": "donut",
    "draught": "draft", "enrol": "enroll", "favour": "favor", "favourite": "favorite", "fibre": "fiber",
    "flavour": "flavor", "flavoured": "flavored", "fulfil": "fulfill", "grey": "gray", "harbour": "harbor",
    "honour": "honor", "humour": "humor", "jewellery": "jewelry", "kerb": "curb", "kilometre": "kilometer",
    "labour": "labor", "licence": "license", "litre": "liter", "manoeuvre": "maneuver", "metre": "meter",
    "mould": "mold", "moustache": "mustache", "mum": "mom", "neighbour": "neighbor",
    "neighbourhood": "neighborhood", "odour": "odor", "offence": "offense", "okay": "ok",
    "organisation": "organization", "organise": "organize", "parlour": "parlor", "plough": "plow",
    "practise": "practice", "programme": "program", "pyjama": "pajama", "realise": "realize",
    "recognise": "recognize", "rumour": "rumor", "savour": "savor", "savoury": "savory",
    "sceptical": "skeptical", "storey": "story", "sulphur": "sulfur", "theatre": "theater",
    "traveller": "traveler", "travelling": "traveling", "tumour": "tumor", "tyre": "tire",
    "vapour": "vapor", "whisky": "whiskey", "woollen": "woolen", "yoghurt": "yogurt",
}  # fmt: skip
"""British spellings in the singular, with the American ones; no library that is kept has such a list."""
_SAME: Final = {
    "&": "and",
    **_AMERICAN,
    **{word: str(number) for word, number in (UNITS | TENS).items()},
}
_TRANSLITERATIONS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ё": "е"}
)
"""Letters that Unicode does not decompose (and one whose mark is left out, as no other of Cyrillic is)."""
_OPTIONAL_MARKS: Final = regex.compile(r"([\p{Latin}\p{Greek}\p{Hebrew}\p{Arabic}])\p{Mn}+")
"""Accents and vowel points; the marks of other scripts make another letter or vowel."""
_OPTIONAL: Final = regex.compile(
    r"[\p{Join_Control}\p{Word_Break=Format}\p{Emoji_Modifier}\uFE0E\uFE0F\u0640]"
)
"""Joiners, formats, skin tones, the choice between text and emoji, and the mark that stretches Arabic words."""
_APOSTROPHES: Final = regex.compile(r"['’]s$|['’]")
_PLURAL: Final = regex.compile(
    r"[a-z]{3,30}s|[a-z]{0,30}(?:men|ren|oxen|ice|eet|eeth|eese|people|ia|ata|ena|ae|[^aeiou]i)"
)
"""What may be a plural; asking the library about every word would be slow."""

_inflector: Final = Pluralizer()  # type: ignore[no-untyped-call]
_inflector.add_irregular_rule("lens", "lenses")


@functools.lru_cache(maxsize=65536)
def normalize_word(word: str, transliterated: bool = False) -> str:
    """Reduce a word to its base form: no case, accents, possessive or plural endings; number words as digits.

    transliterated: write umlauts with two letters (ü as ue), instead of without their marks (ü as u).

    >>> [normalize_word(word) for word in ("Tomatoes", "Anna's", "café", "two", "Theatres", "mice")]
    ['tomato', 'anna', 'cafe', '2', 'theater', 'mouse']
    >>> normalize_word("Müller"), normalize_word("Müller", transliterated=True)
    ('muller', 'mueller')
    """
    word = word.casefold()
    if not word.isascii():
        word = _strip_marks(word, transliterated)
    word = _APOSTROPHES.sub("", word)
    if word in _SAME:
        return _SAME[word]
    if _PLURAL.fullmatch(word):
        word = str(_inflector.singular(word))
    return _SAME.get(word, word)


@functools.lru_cache(maxsize=65536)
def list_beginnings(base: str) -> tuple[str, ...]:
    """List what the words with a base form may begin with, in lower case; `""` if with anything.

    >>> list_beginnings("mouse"), list_beginnings("center"), list_beginnings("2")
    (('mou', 'mic'), ('cen',), ('',))
    """
    if not (base.isascii() and base.isalpha()):
        return ("",)
    spellings = [base, *(spelling for spelling, same in _SAME.items() if same == base)]
    plurals = [str(_inflector.plural(spelling)) for spelling in spellings if spelling.isalpha()]
    return tuple(dict.fromkeys(word[:3] for word in (*spellings, *plurals)))


def _strip_marks(word: str, transliterated: bool) -> str:
    word = _OPTIONAL.sub("", unicodedata.normalize("NFKC", word))
    if transliterated:
        word = word.translate(_TRANSLITERATIONS)
    return str(_OPTIONAL_MARKS.sub(r"\1", unicodedata.normalize("NFKD", word.translate(_LETTERS))))
