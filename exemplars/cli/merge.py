"""`exemplars merge`: fold a run's adapters into its base, as one model with a card."""

from __future__ import annotations

import argparse
from typing import Final

from exemplars.cli.parsers import Commands, add_command
from exemplars.cli.project import parse_path
from exemplars.core.errors import run_main
from exemplars.core.terminal import print_line

_HELP: Final = """\
examples:
  exemplars merge                     models/lora -> models/lora/merged
  exemplars merge full --output out   a different recipe and folder
  exemplars merge --format gguf       models/lora -> models/lora/gguf

The result is safetensors that plain transformers loads. Before it is
put in place, its logits are compared with those of base and adapter. Its
README.md says how the model is asked, and what it was made from.

With gguf it is a file for llama.cpp, with calls.gbnf, the grammar of the
catalog's calls, and a Modelfile for Ollama.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "merge",
        short="fold a run's adapters into its base model",
        long="Fold a run's adapters into its base model, and write a model card.",
        examples=_HELP,
    )
    parser.add_argument("recipe", nargs="?", default="lora", metavar="RECIPE", help="default: lora")
    parser.add_argument(
        "--output", type=parse_path, metavar="FOLDER", help="default: models/RECIPE/merged, or .../gguf"
    )
    parser.add_argument(
        "--format",
        choices=("safetensors", "gguf"),
        default="safetensors",
        help="safetensors (default), or gguf: Llama models such as SmolLM2",
    )
    parser.add_argument(
        "--precision", choices=("f16", "f32"), default="f16", help="of the matrices in gguf (default: f16)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Merge, print the result, and return the exit status."""

    def merge() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.export.merge import TOLERANCE, export_run, merge_run
        from exemplars.models.library_messages import suppress_library_messages

        suppress_library_messages()
        if arguments.format == "gguf":
            output, difference = export_run(arguments.recipe, arguments.output, arguments.precision)
        else:
            output, difference = merge_run(arguments.recipe, arguments.output)
        print_line(f"{output}: logits within {difference:.1e} of base and adapter (at most {TOLERANCE:.0e})")

    return run_main(merge)
