"""What a turn means, in a form that can be compared and read."""

from __future__ import annotations

from collections.abc import Iterable

from exemplars.core.records import Exemplar, Mode


def format_meaning(calls: Iterable[Exemplar]) -> str:
    """Format what a turn asks for: `call(who='Mum')`, `not call()`, `call() and text()`, `nothing`.

    Two turns mean the same if and only if the texts are equal; the order of calls and of arguments does not matter.

    calls: of one turn.
    """
    return " and ".join(sorted(map(_format_call, calls)))


def _format_call(exemplar: Exemplar) -> str:
    if exemplar.skill is None:
        return "nothing"
    arguments = sorted(exemplar.arguments, key=lambda argument: argument.slot)
    values = ", ".join(f"{argument.slot}={argument.value!r}" for argument in arguments)
    return f"{'not ' if exemplar.mode == Mode.NEGATIVE else ''}{exemplar.skill}({values})"
