"""`exemplars generate`: ask a model for more examples, and report what became of them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from exemplars.cli.generate_text import build_plan_document, format_plan, format_tally
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import Diagnostic, UserError, report_errors
from exemplars.core.terminal import print_line, print_text

if TYPE_CHECKING:
    from exemplars.generation.asking import Tally
    from exemplars.generation.planning import Plan
    from exemplars.generation.project import GeneratedFolder

_EXAMPLES: Final = """\
examples:
  exemplars generate --model M --dry-run       the prompts and the cost
  exemplars generate --model M                 examples for the thinnest cells
  exemplars generate --model M --skill light --count 50
  exemplars generate --model M --base-url http://127.0.0.1:11434/v1
  exemplars generate --model M --batch submit  by the Batch API; then, later:
  exemplars generate --batch collect
  exemplars generate --report                  what became of all examples

The key comes from OPENAI_API_KEY and nowhere else; a server of your own may
need none. Answers go to the source of the format generated, a line each; the
same command sends no request twice. `dvc repro` compiles the examples, and a
person decides on each: `exemplars review --queue generated`.

exit status: 0 success, 1 unanswered requests or a problem, 2 wrong usage
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "generate",
        short="ask a model for more examples where there are few",
        long="Ask a model for more examples: for the thin cells of the coverage (skill,\n"
        "arguments, value, length, form of speech), or for given skills.",
        examples=_EXAMPLES,
    )
    wanted = parser.add_argument_group("what to ask for")
    wanted.add_argument("--skill", action="append", default=[], metavar="NAME", help="may be repeated")
    wanted.add_argument(
        "--count",
        type=_parse_positive,
        default=100,
        metavar="N",
        help="examples that may wait for a decision, earlier ones included (default: 100)",
    )
    wanted.add_argument(
        "--thin",
        type=_parse_positive,
        metavar="N",
        help="a cell with fewer train rows is thin (default: validate.min_rows_a_parameter)",
    )
    _add_server_options(parser)
    _add_limits(parser)
    modes = parser.add_argument_group("instead of asking").add_mutually_exclusive_group()
    modes.add_argument("--dry-run", action="store_true", help="print the prompts and the cost")
    modes.add_argument(
        "--batch",
        choices=("write", "submit", "collect"),
        metavar="STEP",
        help="write a file of requests, submit it, or collect the answers that are done",
    )
    modes.add_argument("--report", action="store_true", help="print what became of all examples")
    add_format(parser)
    parser.set_defaults(run=run)


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    server = parser.add_argument_group("the server")
    server.add_argument("--model", metavar="M", help="as the server names it")
    server.add_argument("--base-url", metavar="URL", help="default: $OPENAI_BASE_URL, or OpenAI's")
    server.add_argument("--temperature", type=float, metavar="T", help="default: the server's")
    server.add_argument(
        "--timeout", type=float, default=120.0, metavar="S", help="seconds for an answer (default: 120)"
    )
    server.add_argument("--concurrency", type=_parse_positive, default=4, metavar="N", help="default: 4")
    server.add_argument("--retries", type=_parse_count, default=6, metavar="N", help="default: 6")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-requests", type=_parse_positive, metavar="N", help="of this run, retries included"
    )
    limits.add_argument("--max-tokens", type=_parse_positive, metavar="N", help="of prompts and answers")
    limits.add_argument(
        "--max-output-tokens", type=_parse_positive, default=2000, metavar="N", help="of an answer (2000)"
    )
    limits.add_argument(
        "--examples-per-request", type=_parse_positive, default=5, metavar="N", help="default: 5"
    )
    limits.add_argument(
        "--show-rows", type=_parse_count, default=3, metavar="N", help="train rows in a prompt (default: 3)"
    )
    limits.add_argument(
        "--price",
        type=float,
        nargs=2,
        metavar=("IN", "OUT"),
        help="price of a million tokens of prompts and of answers, for --dry-run",
    )


def _parse_positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text}, expected a number from 1")
    return number


def _parse_count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"found {text}, expected a number from 0")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Ask for examples, or report about them, and return the exit status."""

    def generate() -> int:
        # Imported here: Arrow, polars and the parameters of stages would slow down every other command.
        from exemplars.generation.project import find_generated_source

        folder = find_generated_source()
        if arguments.report:
            return _report(arguments, folder)
        from exemplars.generation.answer_files import lock_source

        if arguments.batch == "collect":
            with lock_source():
                return _collect(arguments, folder)
        if arguments.model is None:
            raise UserError([_report_no_model()])
        if arguments.dry_run:
            return _print_plan(arguments, _make_plan(arguments, folder))
        with lock_source():
            return _ask(arguments, folder)

    return report_errors(generate)


def _make_plan(arguments: argparse.Namespace, folder: GeneratedFolder) -> Plan:
    from exemplars.generation import project
    from exemplars.generation.answer_files import read_answers, read_sent
    from exemplars.generation.outcomes import find_outcomes
    from exemplars.generation.planning import Wanted, plan_requests
    from exemplars.generation.requests import AskSettings
    from exemplars.generation.servers import choose_server

    answers = list(read_answers(folder.path))
    settings = AskSettings(
        arguments.model,
        arguments.examples_per_request,
        arguments.show_rows,
        arguments.max_output_tokens,
        arguments.temperature,
        choose_server(arguments.base_url, os.environ).limit_key,
    )
    wanted = Wanted(tuple(arguments.skill), arguments.count, arguments.thin or project.read_minimum())
    return plan_requests(
        wanted,
        settings,
        project.read_skills(),
        project.read_train_rows(),
        find_outcomes(folder.source, answers),
        {*read_sent(), *(found.answer.request_id for found in answers)},
    )


def _ask(arguments: argparse.Namespace, folder: GeneratedFolder) -> int:
    """Send the requests of a plan, or write or submit them as a batch."""
    from exemplars.generation.servers import check_key, choose_server

    server = choose_server(arguments.base_url, os.environ)
    if arguments.batch != "write":
        check_key(server)
    plan = _make_plan(arguments, folder)
    if not plan.requests:
        print_line(f"nothing to ask: {plan.waiting:,} examples wait for a decision; raise --count for more")
        return 0
    _check_packages()
    # Imported here: openai would slow down every other command.
    from exemplars.generation import session
    from exemplars.generation.asking import Limits
    from exemplars.generation.batches import write_batch

    if arguments.batch == "write":
        print_line(f"{len(plan.requests):,} requests in {write_batch(plan.requests, server).requests_file}")
        return 0
    if arguments.batch == "submit":
        batch = session.submit_plan(plan, server, folder, arguments.timeout)
        print_line(f"submitted {len(plan.requests):,} requests as {batch.batch_id}; then --batch collect")
        return 0
    limits = Limits(arguments.concurrency, arguments.retries, arguments.max_requests, arguments.max_tokens)
    with _make_progress_bar(len(plan.requests)) as bar:
        tally = session.run_plan(plan, server, folder, limits, arguments.timeout, lambda _: bar.update())
    _print_tally(arguments, tally, folder, len(plan.requests))
    return 0 if tally.answered == len(plan.requests) or tally.stopped_by.startswith("the budget") else 1


def _collect(arguments: argparse.Namespace, folder: GeneratedFolder) -> int:
    """Store the answers of batches."""
    from exemplars.generation.servers import check_key, choose_server

    server = choose_server(arguments.base_url, os.environ)
    check_key(server)
    _check_packages()
    from exemplars.generation.session import collect_answers

    collected = collect_answers(server, folder, arguments.timeout)
    for name, status in collected.batches.items():
        print_line(f"batch {name}: {status}")
    if not collected.batches:
        print_line("no batch is under way")
        return 0
    tally = collected.tally
    _print_tally(arguments, tally, folder, tally.answered + tally.failed)
    return 1 if tally.failed else 0


def _report(arguments: argparse.Namespace, folder: GeneratedFolder) -> int:
    """Print what became of all examples."""
    from exemplars.generation.project import read_report
    from exemplars.generation.yield_report import format_report

    report = read_report(folder)
    if arguments.format == "json":
        print_json(report)
    else:
        print_text(format_report(report))
    return 0


def _print_plan(arguments: argparse.Namespace, plan: Plan) -> int:
    """Print the prompts of a plan, and what it costs at most. No request is sent."""
    document = build_plan_document(plan, arguments.price)
    if arguments.format == "json":
        print_json(document)
    else:
        print_text(format_plan(plan, document))
    return 0


def _print_tally(arguments: argparse.Namespace, tally: Tally, folder: GeneratedFolder, planned: int) -> None:
    if arguments.format == "json":
        print_json({"planned": planned, "tally": tally})
    else:
        print_text(format_tally(tally, folder.path, planned))


def _make_progress_bar(total: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total, desc="asking", unit="request", leave=False, ncols=79, disable=not sys.stderr.isatty()
    )


def _check_packages() -> None:
    """Raise `UserError` if the package that asks is not installed."""
    from importlib.util import find_spec

    if find_spec("openai") is None:
        summary = "the package openai is not installed"
        fix = "install it with pip install 'exemplars[generate]'"
        raise UserError([Diagnostic(path="openai", code="no_package", summary=summary, fix=fix)])


def _report_no_model() -> Diagnostic:
    return Diagnostic(
        path="--model",
        code="no_model",
        summary="no model is named",
        fix="name one as the server does, by --model M",
    )
