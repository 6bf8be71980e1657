"""`exemplars attest`: sign the hashes of everything that the stages read and wrote."""

from __future__ import annotations

import argparse
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Final

from exemplars.audit.revisions import WORKSPACE
from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.errors import Diagnostic, UserError, run_main

PASSWORD_VARIABLE: Final = "EXEMPLARS_KEY_PASSWORD"
_HELP: Final = """\
examples:
  openssl genpkey -algorithm ed25519 -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub
  exemplars attest --key key.pem             writes attestation.json
  exemplars attest --key ~/.ssh/id_ed25519 --rev v1.2 --output v1.2.json
  exemplars verify --attestation attestation.json --key key.pub

exit status: 0 signed, 1 not signed, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "attest",
        short="sign the hashes of all inputs and outputs, after verifying them",
        long="Verify a revision, then sign the hashes of all inputs and outputs of its\ndvc.lock.",
        examples=_HELP,
    )
    parser.add_argument(
        "--key", type=parse_path, required=True, metavar="FILE", help="your private key (PEM or OpenSSH)"
    )
    parser.add_argument(
        "--rev", default=WORKSPACE, metavar="REV", help=f"a commit, branch or tag (default: {WORKSPACE})"
    )
    parser.add_argument(
        "--output",
        type=parse_path,
        default=Path("attestation.json"),
        metavar="FILE",
        help="the file to write (default: attestation.json)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify, sign, write the envelope, and return the exit status."""

    def attest() -> str:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.audit.attestation import build_envelope
        from exemplars.audit.verification.verification import verify_and_describe
        from exemplars.core.files import write_bytes

        password = _read_password(arguments.key)
        statement, problems = verify_and_describe(Path(), arguments.rev)
        if statement is None:
            raise UserError(problems)
        write_bytes(arguments.output, build_envelope(statement, arguments.key, password))
        subjects = len(statement["subject"])
        dependencies = len(statement["predicate"]["buildDefinition"]["resolvedDependencies"])
        return f"attest: {subjects:,} outputs and {dependencies:,} dependencies signed in {arguments.output}"

    return run_main(attest)


def _read_password(key: Path) -> bytes | None:
    """Read the password of an encrypted key from the environment or the terminal; `None` if it needs none.

    Raises `UserError` if there is neither.
    """
    from exemplars.audit.attestation import is_encrypted

    if not is_encrypted(key):
        return None
    if password := os.environ.get(PASSWORD_VARIABLE):
        return password.encode()
    if sys.stdin.isatty():
        return getpass(f"password of {key}: ").encode()
    fix = f"set {PASSWORD_VARIABLE}, or run the command at a terminal"
    raise UserError(
        [
            Diagnostic(
                path=str(key), code="unusable_key", found="an encrypted key", expected="a password", fix=fix
            )
        ]
    )
