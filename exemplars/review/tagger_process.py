"""The process of `live_tagger`: questions in, answers out, one JSON object a line. Imports torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from exemplars.answering.answers import encode_answer, format_answer
from exemplars.answering.loading import list_runs, load_system
from exemplars.answering.systems import System, Task
from exemplars.core.errors import UserError
from exemplars.core.records import Speaker, Turn
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.questions import Question
from exemplars.models.run_manifest import TAGGER


class AskedRow(msgspec.Struct, frozen=True):
    """What a row asks."""

    utterance: str
    context: tuple[Turn, ...] = ()
    speaker: Speaker = Speaker.USER


def answer_lines(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Answer each line; what goes wrong is the `problem` of the answer."""
    system: System | None = None
    for line in lines:
        asked = msgspec.json.decode(line, type=AskedRow)
        try:
            system = system or _load_tagger()
            answer = system.answer(Task(Question(asked.utterance, asked.context, asked.speaker)))
            yield encode_answer(answer) | {"text": "\n".join(format_answer(answer)[: len(answer.calls) or 1])}
        except UserError as error:
            yield {"problem": "; ".join(problem.message for problem in error.diagnostics)}


def _load_tagger() -> System:
    """Load the first tagger of the project. Raises `UserError` if no tagger is trained."""
    recipe = next((run.recipe for run in list_runs() if run.method == TAGGER), TAGGER)
    return load_system(recipe)


def main() -> None:
    """Answer until the standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # What a library prints is no answer.
    suppress_library_messages()
    for answer in answer_lines(sys.stdin.buffer):
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
