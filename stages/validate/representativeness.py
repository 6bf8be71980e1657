"""What `curate` found about the data set as a whole, as far as expectations need it."""

from __future__ import annotations

import msgspec


class Coverage(msgspec.Struct, frozen=True):
    """How many rows a skill, a parameter or a value has; `value` is empty for the first two."""

    skill: str
    parameter: str
    value: str
    rows: int


class Balance(msgspec.Struct, frozen=True):
    """How even the rows of several names are."""

    name: str
    entropy: float


class Association(msgspec.Struct, frozen=True):
    """Whether a demographic mention goes along with skills."""

    dimension: str
    effect: float
    p_value: float


class Representativeness(msgspec.Struct, frozen=True):
    """The part of `data/curated/representativeness.json` that has bounds."""

    coverage: tuple[Coverage, ...]
    balance: tuple[Balance, ...]
    associations: tuple[Association, ...]
