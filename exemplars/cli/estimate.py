"""`exemplars estimate`: whether a training fits, and how long it takes, before it begins."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING, Any, Final

from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import report_errors
from exemplars.core.terminal import print_text

if TYPE_CHECKING:
    from exemplars.audit.training_estimate import Estimate

_GIB: Final = 2**30
_WIDTH: Final = 80
_EXAMPLES: Final = """\
examples:
  exemplars estimate --recipe lora                   on this machine
  exemplars estimate --recipe full --device l4       on a GPU of that name
  exemplars estimate --recipe lora --base models/bases/qwen3

Sizes come from the headers of the weights, work from data/training (without it,
from the bounds in params.yaml). Memory is what is free now. A GPU's memory and
speed are its maker's: a name that is not known prints those that are.

exit status: 0 it fits, 1 it does not, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "estimate",
        short="say whether a training fits into memory, and how long it takes",
        long="Estimate the memory and the time of a training before it begins; if it does\n"
        "not fit, say what would.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--recipe", required=True, metavar="R", help="a recipe of params.yaml, such as lora")
    parser.add_argument(
        "--base", metavar="M", help="a folder with *.safetensors, or a *.gguf file (default: of params.yaml)"
    )
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="cpu (default): this machine; or the name of a GPU"
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print an estimate, and return the exit status."""

    def estimate() -> int:
        # Imported here: the parameters of stages would slow down every other command.
        from exemplars.audit.training_estimate import estimate_recipe

        found = estimate_recipe(arguments.recipe, arguments.base, arguments.device)
        if arguments.format == "json":
            print_json(build_document(found))
        else:
            print_text(format_estimate(found))
        return 0 if found.fits else 1

    return report_errors(estimate)


def build_document(found: Estimate) -> dict[str, Any]:
    """Build the document of an estimate: memory in bytes, time in seconds."""
    subject, training = found.subject, found.training
    memory = training.memory
    return {
        "recipe": subject.recipe,
        "base": subject.base,
        "device": subject.device,
        "parameters": subject.shape.parameters,
        "trained_parameters": training.trained.parameters,
        "memory": {**memory._asdict(), "total": memory.total, "free": subject.machine.memory},
        "fits": found.fits,
        "would_fit": found.changes,
        "steps": subject.work.steps,
        "tokens": round(subject.work.tokens) if subject.work.steps else None,
        "largest_step_tokens": subject.work.largest.tokens,
        "largest_step_is_a_bound": subject.work.is_bound,
        "seconds": None if training.seconds is None else round(training.seconds, 1),
    }


def format_estimate(found: Estimate) -> str:
    """Format an estimate for people, within 80 columns."""
    subject, training = found.subject, found.training
    millions = (count / 1e6 for count in (subject.shape.parameters, training.trained.parameters))
    size = "{:,.1f} million parameters, {:,.1f} million trained".format(*millions)
    place = "this machine" if subject.device == "cpu" else f"one {subject.device}"
    verdict = "it fits" if found.fits else "it does not fit"
    memory = training.memory
    lines = [
        f"{subject.recipe} on {subject.base}: {size}",
        f"memory: about {_gib(memory.total)} of the {_gib(subject.machine.memory)} that {place} has: {verdict}",
        f"  libraries {_gib(memory.runtime)}, weights {_gib(memory.weights)}, gradients and optimizer "
        f"{_gib(memory.optimizer)}, activations {_gib(memory.activations)} (a step of "
        f"{'up to ' if subject.work.is_bound else ''}{subject.work.largest.tokens:,} tokens)"
        + (f", outputs of frozen layers {_gib(memory.remembered)}" if memory.remembered else ""),
        _format_time(found),
    ]
    if not found.fits:
        lines.append(f"what would fit: {'; '.join(found.changes) or 'a smaller base, or a larger machine'}")
    wrapped = [textwrap.fill(line, _WIDTH, subsequent_indent="    ") for line in lines]
    return "".join(f"{line}\n" for line in wrapped)


def _format_time(found: Estimate) -> str:
    from stages.train.remaining_time import format_duration

    work, seconds = found.subject.work, found.training.seconds
    if seconds is None or work.steps is None:
        return "time: not known before there are rows; run `dvc repro render`"
    return (
        f"time: about {format_duration(seconds)} for {work.steps:,} steps, {round(work.tokens):,} tokens"
        "; training says more after its third step"
    )


def _gib(size: int) -> str:
    return f"{size / _GIB:,.1f} GiB"
