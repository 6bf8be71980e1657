"""The conditions of an evaluation, and the figures of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class Condition(StrEnum):
    """What the systems of an evaluation choose among."""

    ORACLE = "oracle"
    """The tools that the rendered prompt shows; the right ones are among them, unless they are withheld."""
    END_TO_END = "end_to_end"
    """The whole catalog. A language model sees what a retriever finds; what it misses counts as wrong."""


HEADLINE: Final = Condition.END_TO_END
"""The condition whose figures people see first."""


def take_condition(report: Mapping[str, Any], condition: Condition = HEADLINE) -> dict[str, Any]:
    """Take the figures of a condition out of the report of `evaluate`, together with what all conditions share.

    `run` then names all evaluated runs. A report from before there were conditions is returned as it is.

    >>> runs = {"lora": {"run": "lora-1-2"}}
    >>> take_condition({"rows": 4, "runs": runs, "conditions": {"end_to_end": {"systems": {}}}})
    {'rows': 4, 'runs': {'lora': {'run': 'lora-1-2'}}, 'run': 'lora-1-2', 'systems': {}}
    """
    if "conditions" not in report:
        return dict(report)
    shared = {key: value for key, value in report.items() if key != "conditions"}
    run = ", ".join(str(run["run"]) for run in report["runs"].values())
    return {**shared, "run": run, **report["conditions"][condition]}
