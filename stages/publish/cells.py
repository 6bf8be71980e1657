"""What the tables of the page consist of: cells, and tables with headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from stages.publish.rendering import format_figure

MAX_ROWS: Final = 400
"""More rows would make the page slow; the Parquet file has them all."""


class Grade(StrEnum):
    """How good something is. The value is the name of its color."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"
    UNKNOWN = "unknown"


class Number(NamedTuple):
    """A cell with a number."""

    text: str
    value: float | None
    """The value to sort by; `None` in an empty cell."""


class Bar(NamedTuple):
    """A cell with a number and a bar."""

    text: str
    value: float
    share: float
    """Length of the bar, from 0 to 1."""


class Interval(NamedTuple):
    """A cell with a figure, its confidence interval, and a drawing of both."""

    text: str
    value: float
    point: float
    """Where the figure is in the drawing, from 0 to 1; so are the ends of the interval."""
    low: float
    high: float


class State(NamedTuple):
    """A cell with a word and its grade."""

    text: str
    grade: Grade


class Link(NamedTuple):
    """A cell that leads to a different part of the page."""

    text: str
    href: str


Cell = str | Number | Bar | Interval | State | Link


class Table(NamedTuple):
    """A table of the page."""

    id: str
    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    empty: str
    """The sentence to show if there are no rows."""
    note: str = ""
    """What is good, and what the bound is."""
    total: int | None = None
    """The number of rows before the table was cut, if it was."""

    @property
    def numeric(self) -> list[bool]:
        """Whether each column has numbers."""
        first = self.rows[0] if self.rows else ()
        return [isinstance(cell, Number | Bar | Interval) for cell in first]

    @property
    def drawn(self) -> list[bool]:
        """Whether each column has drawings."""
        first = self.rows[0] if self.rows else ()
        return [isinstance(cell, Bar | Interval) for cell in first]

    @property
    def compact(self) -> bool:
        """Whether the table is narrower than the page: all columns but the first have numbers."""
        return all(self.numeric[1:])

    @property
    def narrow(self) -> bool:
        """Whether the table fits a phone as it is; the rows of others are shown there as lists."""
        return len(self.headings) <= 2


def count_cell(number: int) -> Number:
    """Make a cell of a count."""
    return Number(f"{number:,}", number)


def decimal_cell(number: float | None) -> Number:
    """Make a cell of a number with two digits."""
    return Number("" if number is None else f"{number:.2f}", number)


def figure_cell(figure: Mapping[str, Any]) -> Number:
    """Make a cell of a figure with its interval."""
    return Number(format_figure(figure), figure["value"])


def interval_cell(figure: Mapping[str, Any]) -> Interval:
    """Make a cell of a figure from 0 to 1 with its interval."""
    return Interval(format_figure(figure), figure["value"], figure["value"], figure["low"], figure["high"])


def percent_cell(value: float, low: float, high: float, scale: float) -> Interval:
    """Make a cell of a share in percent with its interval. scale: the share at the end of the drawing.

    >>> percent_cell(0.053, 0.045, 0.064, 0.1).text
    '5.3 % (4.5 to 6.4 %)'
    """
    text = f"{value * 100:.1f} % ({low * 100:.1f} to {high * 100:.1f} %)"
    return Interval(text, value, value / scale, low / scale, high / scale)


def bar_cells(numbers: Sequence[int]) -> list[Bar]:
    """Make cells of counts with bars; the bar of the largest count is full."""
    largest = max([*numbers, 1])
    return [Bar(f"{number:,}", number, number / largest) for number in numbers]
