"""`exemplars review`: decide about rows, one at a time, on a page of this machine."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import webbrowser
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.people import find_person
from exemplars.cli.serve import check_packages
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_line

_HOST: Final = "127.0.0.1"
_HELP: Final = """\
examples:
  exemplars review
  exemplars review --queue conflicts
  exemplars review --reviewer Ada --port 8080 --no-browser

Queues: generated, conflicts, label-noise, errors, disagreement, privacy,
quality and stale. Without --queue, the page opens the first that has rows.
On the page: a approves, x rejects, e edits, space skips, u undoes, ? lists all
keys. Decisions are appended to data/raw/reviews.jsonl, and `dvc repro` applies
them.
Only this machine reaches the page, and only under the address that is printed.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "review",
        short="decide about rows, one at a time, on a page",
        long="Show rows on a page of this machine: approve, reject or edit those that need a\n"
        "decision, and browse all others. It runs until Ctrl-C.",
        examples=_HELP,
    )
    parser.add_argument("--queue", metavar="QUEUE", help="the list of rows to begin with")
    parser.add_argument(
        "--reviewer", metavar="NAME", help="who decides; default: git's user.name, or your login"
    )
    parser.add_argument("--port", type=int, default=8001, help="default: 8001; 0 takes any that is free")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.set_defaults(run=run, needs_lock=False)


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until interrupted, and return the exit status."""

    def serve() -> None:
        check_packages("exemplars review")
        # Imported here: Starlette and polars would slow down every other command.
        from exemplars.answering.server import make_server, open_socket
        from exemplars.core.tables import prevent_pandas_import
        from exemplars.review.guard import make_token
        from exemplars.review.queues import check_queue
        from exemplars.review.session import ReviewSession
        from exemplars.review.web import build_app

        prevent_pandas_import()
        check_queue(arguments.queue)
        session = ReviewSession(find_person(arguments.reviewer, "exemplars review", "reviewer"))
        token = make_token()
        with open_socket(_HOST, arguments.port) as listening, contextlib.closing(session):
            address = f"http://{_HOST}:{listening.getsockname()[1]}/{token}/"
            address += f"#queue={arguments.queue}" if arguments.queue else ""
            print_line(f"{session.reviewer} reviews on {address} (Ctrl-C ends)")
            sys.stdout.flush()
            if not arguments.no_browser:
                _open_browser(address)
            with contextlib.suppress(KeyboardInterrupt):
                make_server(build_app(session, token)).run(sockets=[listening])

    return run_main(serve)


def _open_browser(address: str) -> None:
    """Open a browser if the machine has a screen; the address is printed in any case."""
    has_screen = sys.platform in ("darwin", "win32") or any(
        map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))
    )
    if has_screen:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)
