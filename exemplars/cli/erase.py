"""`exemplars erase`: what tombstones mean is planned, redacted, purged, and proved to be gone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.parsers import Commands, command_parser
from exemplars.core.errors import run_main

_HELP: Final = """\
examples:
  exemplars erase --plan                    what the tombstones mean, everywhere
  exemplars erase --redact                  empty the raw files, then `dvc repro`
  exemplars erase --purge                   remove it from cache and remote, too
  exemplars erase --purge --all-revisions   also what older revisions need
  echo -n "Ada Byron" | exemplars erase --hash   the keyed hash of a value

tombstones, one JSON object a line of data/raw/erasures.jsonl:
  {"id": "t1", "dialogue": "sgd:train/1_0", "reviewer": "Kim", "reason": "asked"}
  or, instead of dialogue: "place", "value" (a keyed hash), "pattern"
The key of the hashes is in the environment: EXEMPLARS_ERASURE_KEY.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "erase",
        short="erase what tombstones name, and show a receipt",
        long="Erase what the tombstones in data/raw/erasures.jsonl name.",
        examples=_HELP,
    )
    step = parser.add_mutually_exclusive_group(required=True)
    step.add_argument("--plan", action="store_true", help="list all that is affected; change nothing")
    step.add_argument("--redact", action="store_true", help="empty the raw files")
    step.add_argument("--purge", action="store_true", help="redact, then remove objects, then search")
    step.add_argument("--hash", action="store_true", help="the keyed hash of the value on standard input")
    parser.add_argument("--remote", help="the DVC remote; without it, the default one")
    parser.add_argument("--all-revisions", action="store_true", help="remove what other revisions need, too")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the plan")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the step; answer the exit status."""
    status = 0

    def step() -> None:
        nonlocal status
        from exemplars.audit.erasure.steps import erase, hash_of_input

        status = hash_of_input() if arguments.hash else erase(Path(), arguments)

    return run_main(step) or status
