"""`exemplars call`: ask the trained models which call an utterance means."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_path
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.records import Speaker, Turn
from exemplars.core.terminal import print_line

if TYPE_CHECKING:
    from exemplars.answering.answers import Answer
    from exemplars.answering.systems import System
    from exemplars.dataset.catalog import Skill

_PROMPT: Final = "> "
_NEW: Final = "/new"
_HELP: Final = """\
examples:
  exemplars call "ring Maria at work"
  exemplars call "ring Maria at work" --format json
  exemplars call "wake me tomorrow at 7" --recipe lora --today 2026-11-27
  exemplars call "book a table for two" --tools tools.json
  exemplars call --interactive          one question a line, with its history

Without --recipe the tagger answers where it is sure, and else a language model.
A tagger knows only the catalog that it was trained for. Spans count characters
from 0; the end is not a part of them.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "call",
        short="ask the trained models which call an utterance means",
        long="Ask the trained models which call an utterance means: the whole catalog may be\n"
        "called. The values are canonical; the answer shows where each was said.",
        examples=_HELP,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("utterance", nargs="?", metavar="UTTERANCE", help="what the user says")
    what.add_argument("--interactive", action="store_true", help="ask line by line, with history")
    parser.add_argument("--recipe", metavar="RECIPE", help="the run that answers; default: all of them")
    parser.add_argument(
        "--tools", type=parse_path, metavar="FILE", help="another catalog: tools of OpenAI, or of MCP"
    )
    parser.add_argument(
        "--today",
        type=datetime.date.fromisoformat,
        metavar="DATE",
        help="what `tomorrow` refers to, as 2026-11-27; default: today",
    )
    add_format(parser)
    parser.set_defaults(run=run, needs_lock=False)


def run(arguments: argparse.Namespace) -> int:
    """Ask, print the answers, and return the exit status."""

    def ask() -> None:
        # Imported here: torch would slow down every other command.
        from exemplars.answering.loading import load_system
        from exemplars.models.library_messages import suppress_library_messages

        suppress_library_messages()
        tools = _read_tools(arguments.tools)
        system = load_system(arguments.recipe)
        _check_tools(system, tools, arguments.tools)
        today = arguments.today or datetime.datetime.now().astimezone().date()
        show = _print_json if arguments.format == "json" else _print_lines
        if arguments.interactive:
            _converse(system, tools, today, show)
        else:
            show(_ask(system, arguments.utterance, (), tools, today))

    return run_main(ask)


def _read_tools(path: Path | None) -> Sequence[Skill] | None:
    if path is None:
        return None
    from exemplars.answering.tool_files import read_tool_file

    return read_tool_file(path)


def _check_tools(system: System, tools: Sequence[Skill] | None, path: Path | None) -> None:
    """Raise `UserError` if only a tagger could answer, and it was not trained for the tools of a file."""
    from exemplars.answering.systems import TaggerSystem
    from exemplars.core.errors import summarize_names

    if tools is None or not isinstance(system, TaggerSystem) or not (unknown := system.find_unknown(tools)):
        return
    problem = Diagnostic(
        path=str(path),
        code="unknown_tools",
        summary=f"a tagger answers only for the catalog of its training, not for {summarize_names(unknown)}",
        fix="leave out --tools, or train a language model, such as `lora`, and leave out --recipe",
    )
    raise UserError([problem])


def _ask(
    system: System,
    utterance: str,
    context: Sequence[Turn],
    tools: Sequence[Skill] | None,
    today: datetime.date,
) -> Answer:
    from exemplars.answering.systems import Task
    from exemplars.models.questions import Question

    return system.answer(Task(Question(utterance, context, Speaker.USER, today), tools))


def _converse(
    system: System, tools: Sequence[Skill] | None, today: datetime.date, show: Callable[[Answer], None]
) -> None:
    """Answer lines of the standard input, each with those before it as its context."""
    from exemplars.dataset.context_calls import MadeCall, format_context_turn

    if sys.stdin.isatty():
        import readline  # noqa: F401  # Lines can be edited, and come back with the arrow keys.

        print_line(f"Ask line by line; {_NEW} begins a new conversation, Ctrl-D ends.")
    context: list[Turn] = []
    while (utterance := _read_line()) is not None:
        if utterance == _NEW:
            context.clear()
        elif utterance:
            answer = _ask(system, utterance, context, tools, today)
            show(answer)
            made = [MadeCall(call.skill, call.arguments) for call in answer.calls]
            context.append(Turn(Speaker.USER, utterance))
            if made or answer.reply:
                context.append(Turn(Speaker.ASSISTANT, format_context_turn(answer.reply or "", made)))


def _read_line() -> str | None:
    """Read a line without the white space around it; `None` at the end of the input."""
    try:
        return input(_PROMPT if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _print_json(answer: Answer) -> None:
    from exemplars.answering.answers import encode_answer

    print_json(encode_answer(answer))


def _print_lines(answer: Answer) -> None:
    from exemplars.answering.answers import format_answer

    for line in format_answer(answer):
        print_line(line)
