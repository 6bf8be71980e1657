"""The lexicon: the declared recognizers, indexed by value."""

from __future__ import annotations

from exemplars.dataset.recognizers import Recognizers


class Lexicon:
    """Looks up the expressions that recognizers know for a value."""

    def __init__(self, recognizers: Recognizers) -> None:
        """Index the recognizers by name and, ignoring case, by label."""
        self._expressions: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, recognizer in recognizers.recognizers.items():
            for instance in recognizer.instances:
                key = (name, instance.label.casefold())
                self._expressions[key] = (*self._expressions.get(key, ()), *instance.expressions)

    def find_expressions(self, recognizer: str | None, value: str) -> tuple[str, ...]:
        """Find the ways to say a value; empty if the recognizer does not know the value."""
        if recognizer is None:
            return ()
        return self._expressions.get((recognizer, value.casefold()), ())
