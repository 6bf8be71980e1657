"""White space: patterns of expressions read a run of it as a single character.

A pattern with several optional spaces in a row would take time in proportion to the square of a run's length.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

from exemplars.dataset.expressions.mentions import Mention

P = ParamSpec("P")
V = TypeVar("V")

_RUN: Final = re.compile(r"(\s)\s+")


def read_single_spaces(
    find: Callable[Concatenate[str, P], tuple[Mention[V], ...]],
) -> Callable[Concatenate[str, P], tuple[Mention[V], ...]]:
    """Give a finder the text with single spaces; the mentions that it returns are those of the original text.

    No mention begins or ends with white space.
    """

    @functools.wraps(find)
    def find_in_text(text: str, /, *args: P.args, **kwargs: P.kwargs) -> tuple[Mention[V], ...]:
        if "  " not in text and text.isprintable():  # Of all white space, only the space is printable.
            return find(text, *args, **kwargs)
        runs = list(_RUN.finditer(text))
        lengths = [0, *itertools.accumulate(run.end() - run.start() - 1 for run in runs)]
        places = [run.start() - before for run, before in zip(runs, lengths, strict=False)]

        def restore(position: int) -> int:
            return position + lengths[bisect.bisect_left(places, position)]

        return tuple(
            mention._replace(start=restore(mention.start), end=restore(mention.end - 1) + 1)
            for mention in find(_RUN.sub(r"\1", text), *args, **kwargs)
        )

    return find_in_text
