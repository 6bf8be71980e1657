"""`exemplars serve`: answer programs over OpenAI's chat API."""

from __future__ import annotations

import argparse
import contextlib
import datetime
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.terminal import print_line

_HELP: Final = """\
examples:
  exemplars serve
  exemplars serve --recipe tagger --port 8080
  curl http://127.0.0.1:8000/v1/models

Programs ask POST /v1/chat/completions as they would ask OpenAI:
  client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")
Without `tools` in a request, the whole catalog of the project may be called.
Only this machine reaches the server, unless --host names another address.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "serve",
        short="answer programs over OpenAI's chat API",
        long="Serve the trained models over OpenAI's chat API, until Ctrl-C.",
        examples=_HELP,
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes any that is free")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone")
    parser.add_argument("--recipe", metavar="RECIPE", help="the run that answers; default: all of them")
    parser.add_argument(
        "--today",
        type=datetime.date.fromisoformat,
        metavar="DATE",
        help="what `tomorrow` refers to, as 2026-11-27; default: the day of a request",
    )
    parser.set_defaults(run=run, needs_lock=False)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted, and return the exit status."""

    def serve() -> None:
        check_packages("exemplars serve")
        # Imported here: torch and Starlette would slow down every other command.
        from exemplars.answering.loading import list_served, load_system, read_catalog_of
        from exemplars.answering.server import is_loopback, make_server, open_socket
        from exemplars.answering.web import Service, build_app
        from exemplars.models.library_messages import suppress_library_messages

        suppress_library_messages()
        with open_socket(arguments.host, arguments.port) as listening:
            system = load_system(arguments.recipe)
            systems = list_served(system)
            service = Service(systems, read_catalog_of(system), arguments.today)
            is_local = is_loopback(arguments.host)
            address, port = listening.getsockname()[:2]
            host = f"[{address}]" if ":" in address else address
            print_line(f"serving {', '.join(systems)} on http://{host}:{port}/v1; Ctrl-C ends")
            if not is_local:
                print_line("everybody who reaches this machine can ask: there is no authentication")
            server = make_server(build_app(service, is_local=is_local))
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listening])

    return run_main(serve)


def check_packages(command: str) -> None:
    """Raise `UserError` if the packages of the servers are not installed. command: that needs them."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        problem = Diagnostic(
            path=command,
            code="missing_package",
            found=f"no package {' and no package '.join(missing)}",
            expected="the extra `serve`",
            fix="pip install -c constraints.txt -e '.[serve]'",
        )
        raise UserError([problem])
