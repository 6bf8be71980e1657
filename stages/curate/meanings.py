"""What a row means, in a form that can be compared and read."""

from __future__ import annotations

from exemplars.core.records import Exemplar, Mode


def format_meaning(exemplar: Exemplar) -> str:
    """Format a row's label as a call: `call(who='Mum')`, `not call()`, `nothing`.

    Two rows mean the same if and only if the texts are equal; the order of arguments does not matter.
    """
    if exemplar.skill is None:
        return "nothing"
    arguments = sorted(exemplar.arguments, key=lambda argument: argument.slot)
    values = ", ".join(f"{argument.slot}={argument.value!r}" for argument in arguments)
    return f"{'not ' if exemplar.mode == Mode.NEGATIVE else ''}{exemplar.skill}({values})"
