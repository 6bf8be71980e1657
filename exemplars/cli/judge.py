"""`exemplars judge`: compare the answers of two systems, side by side and blind."""

from __future__ import annotations

import argparse
import os
import select
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.people import find_person
from exemplars.core.errors import report_errors
from exemplars.core.terminal import escape_line, print_line

if TYPE_CHECKING:
    from exemplars.preferences.duels import Duel, DuelList
    from exemplars.preferences.judge_session import JudgeSession

_WIDTH: Final = 80
_KEYS: Final = "l left, r right, t tie, w both wrong, s skip, u undo, q quit"
_DECISIONS: Final = {"l": "left", "r": "right", "t": "tie", "w": "neither"}
_ESCAPES: Final = {"\x1b[D": "l", "\x1b[C": "r", " ": "s", "\x03": "q", "\x04": "q", "": "q"}
_EXAMPLES: Final = """\
examples:
  exemplars judge                          all pairs of systems
  exemplars judge --systems lora tagger
  exemplars judge --format json            what is judged, and what is left

Keys: l or left arrow, r or right arrow, t tie, w both wrong, s or space skip,
u undo, q quit. A decision is in data/raw/preferences.jsonl before the next
answers are shown. Which system is left depends on a hash, and answers that are
the same are not shown. What is said of test rows counts for `exemplars ratings`
alone: no model is trained on it.

exit status: 0 judged, 1 there is nothing to judge, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "judge",
        short="compare the answers of two systems, side by side and blind",
        long="Show the answers of two systems to the same row, without their names, and\n"
        "append what you prefer to data/raw/preferences.jsonl.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--systems", nargs="+", default=(), metavar="S", help="whose answers (default: all)")
    parser.add_argument(
        "--condition",
        choices=("end_to_end", "oracle"),
        default="end_to_end",
        help="answers with the whole catalog to choose from (default), or with the tools of the prompt",
    )
    parser.add_argument("--judge", metavar="NAME", help="who judges; default: git's user.name, or your login")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge until nothing is left or the judge quits, and return the exit status."""

    def judge() -> int:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.models.render_manifest import read_render_manifest
        from exemplars.preferences.duel_inputs import read_duels
        from exemplars.preferences.duels import summarize_judgments
        from exemplars.preferences.judge_session import JudgeSession

        name = find_person(arguments.judge, "exemplars judge", "judge")
        pairs, duels = read_duels(name, arguments.systems, arguments.condition)
        if arguments.format == "json":
            print_json(summarize_judgments(pairs, duels))
            return 0
        if not duels.open:
            print_line(f"nothing to judge: {duels.judged:,} are judged, {duels.same:,} are the same answer")
            return 0 if duels.judged else 1
        session = JudgeSession(duels.open, read_render_manifest().call_format, name)
        judge_all(session, duels, read_key)
        print_line(f"{session.judged:,} judged; `exemplars ratings` rates the systems by all judgments")
        return 0

    return report_errors(judge)


def judge_all(session: JudgeSession, duels: DuelList, read: Callable[[], str]) -> None:
    """Show one duel after the other, and do what the keys say. read: reads a key; `q` ends."""
    from exemplars.preferences.duels import Decision

    print_line(f"{len(duels.open):,} to judge, {duels.judged:,} judged before. Keys: {_KEYS}")
    shown = None
    while (duel := session.current) is not None:
        if duel is not shown:
            for line in format_duel(duel, session.position + 1, len(duels.open)):
                print_line(escape_line(line))
            shown = duel
        key = read()
        if key == "q":
            return
        if key in _DECISIONS:
            session.decide(Decision(_DECISIONS[key]))
        elif key == "s":
            session.skip()
        elif key == "u":
            if not session.undo():
                print_line("nothing to undo in this session")
        else:
            print_line(f"Keys: {_KEYS}")


def format_duel(duel: Duel, number: int, total: int) -> Iterator[str]:
    """Format a duel as lines, without the names of the systems. number: of the duel, from 1."""
    yield ""
    yield f"--- {number:,} of {total:,}"
    for turn in duel.exemplar.context:
        yield from _wrap(f"{turn.speaker}: {turn.utterance}", "  ")
    yield from _wrap(f"{duel.exemplar.speaker}: {duel.exemplar.utterance}", "")
    if duel.shown:
        yield from _wrap(f"tools: {', '.join(duel.shown)}", "")
    yield ""
    yield from _wrap(f"left:   {duel.left.text.strip() or '(no answer)'}", "  ")
    yield from _wrap(f"right:  {duel.right.text.strip() or '(no answer)'}", "  ")


def read_key() -> str:
    """Read a key: at a terminal at once, otherwise a line of the standard input; its end is `q`."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip().casefold() if line else "q"
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # What was typed before is kept.
        key = os.read(descriptor, 1)
        if key == b"\x1b" and select.select([descriptor], [], [], 0.1)[0]:
            key += os.read(descriptor, 2)  # An arrow key is a sequence of three.
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    text = key.decode("utf-8", "replace")
    return _ESCAPES.get(text, text.casefold())


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}        ",
        break_on_hyphens=False,
    )
