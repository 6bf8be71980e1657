"""Regular expressions that users write, with a limit of time.

The engine is `regex`: it reads Python's syntax, with the same meaning for all scripts, and stops after a given time.
An engine that takes linear time, such as RE2, would be safe without a limit, but its words and borders of words are
those of ASCII: `\\bJosé\\b` would match nothing, and what should be erased would stay.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

import regex

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text

MAX_SECONDS: Final = 2.0
"""The longest time that a pattern may take for a text; usual patterns take a millionth of a second."""

PatternError = re.error
"""A pattern is malformed; the message says why."""


class LimitedPattern:
    """A regular expression that raises `UserError` if it takes more than `MAX_SECONDS` for a text."""

    def __init__(self, pattern: str, owner: str, path: str = str(layout.ERASURES)) -> None:
        """owner, path: what gives the pattern, and where, for messages. Raises `PatternError` if it is malformed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)  # What Python does not accept has another meaning, or none.
        self._pattern = regex.compile(pattern)
        self._owner, self._path = owner, path

    def is_in(self, text: str) -> bool:
        """Check whether the pattern matches anywhere in a text."""
        try:
            return self._pattern.search(text, timeout=MAX_SECONDS) is not None
        except TimeoutError:
            raise UserError([self._report_slow(text)]) from None

    def _report_slow(self, text: str) -> Diagnostic:
        summary = (
            f"the pattern {quote_text(self._pattern.pattern)} of {self._owner} takes more than {MAX_SECONDS:g} s "
            f"for a text of {len(text):,} code points"
        )
        return Diagnostic(
            path=self._path,
            code="slow_pattern",
            found=summary,
            expected="a pattern that takes time in proportion to the text",
            fix="write it without a repetition within a repetition, such as (a+)+",
            summary=summary,
        )
