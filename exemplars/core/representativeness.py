"""What a dataset covers, and how evenly: the contract of `data/curated/representativeness.json`."""

from __future__ import annotations

import msgspec


class Slice(msgspec.Struct, frozen=True, order=True):
    """The size of a slice, with the 95 % confidence interval of its share (Wilson 1927)."""

    dimension: str
    slice: str
    rows: int
    share: float
    low: float
    high: float


class Coverage(msgspec.Struct, frozen=True, order=True):
    """How many rows cover a part of the catalog: a skill, one of its parameters, or a value of an enumeration."""

    skill: str
    parameter: str
    """Empty for the skill as a whole."""
    value: str
    """Empty for the parameter as a whole."""
    rows: int
    examples: tuple[str, ...]
    """Up to three utterances to start from when writing more, of the most similar part that has any."""


class Balance(msgspec.Struct, frozen=True, order=True):
    """How evenly rows are distributed over classes."""

    name: str
    classes: int
    entropy: float
    """Normalized Shannon entropy, in [0, 1]; 1 if all classes have the same size, 0 for a single class."""
    ratio: float
    """Size of the largest class divided by that of the smallest."""


class Association(msgspec.Struct, frozen=True, order=True):
    """How strongly mentions of a demographic dimension depend on the skill."""

    dimension: str
    rows: int
    """Rows with a mention in this dimension."""
    effect: float
    """Cramér's V with Bergsma's bias correction (2013), in [0, 1]."""
    p_value: float
    """Of the chi-squared test of independence, corrected for the number of dimensions (Holm 1979)."""


class Representativeness(msgspec.Struct, frozen=True):
    """Slices, coverage of the catalog, balance of classes, and associations."""

    slices: list[Slice]
    coverage: list[Coverage]
    balance: list[Balance]
    associations: list[Association]
