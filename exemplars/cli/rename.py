"""`exemplars rename`: rename a skill or a parameter in all sources."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from exemplars.audit.renaming.edits import Rename
from exemplars.cli.output import print_json
from exemplars.cli.parsers import Commands, add_command, add_format
from exemplars.core.errors import run_main
from exemplars.core.files import read_file
from exemplars.core.layout import RAW_PREFERENCES, REVIEWS
from exemplars.core.params import PATH, load_section
from exemplars.core.slot_paths import parse_path
from exemplars.core.terminal import print_line
from stages.ingest.params import IngestParams

if TYPE_CHECKING:
    from exemplars.audit.renaming.plan import RenamePlan

_HELP: Final = """\
examples:
  exemplars rename call.device phone_type    a parameter of the skill `call`
  exemplars rename call place_call           a skill
  exemplars rename call.device phone --dry-run

Skill files, labeled JSONL, tools.json and `none_skill` in params.yaml are
rewritten: the name alone, so that comments, order and spacing stay. Decisions
of reviewers and preferences go on to hold for their rows. Files of other
formats, and descriptions that have the name, are listed for you.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = add_command(
        commands,
        "rename",
        short="rename a skill or a parameter in all sources",
        long="Rename a skill or a parameter in the sources, and list what only you can change.",
        examples=_HELP,
    )
    parser.add_argument("old", metavar="SKILL[.PARAMETER]", type=parse_old_name, help="what to rename")
    parser.add_argument("new", metavar="NEW", help="the new name, of the skill or of the parameter")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_format(parser)
    parser.set_defaults(run=run)


def parse_old_name(text: str) -> tuple[str, str | None]:
    """Parse `SKILL`, `SKILL.PARAMETER`, or `SKILL["PARAMETER"]` for a name with a dot.

    >>> parse_old_name("call.device"), parse_old_name("call"), parse_old_name('go["zip.code"]')
    (('call', 'device'), ('call', None), ('go', 'zip.code'))
    """
    quoted = re.fullmatch(r'([^"]+)(\[".*"\])', text)
    if quoted is not None:
        try:
            return quoted[1], str(parse_path(quoted[2])[0])
        except ValueError:
            pass
    skill, separator, parameter = text.rpartition(".")
    return (skill, parameter) if separator else (text, None)


def run(arguments: argparse.Namespace) -> int:
    """Rename, say what was changed, and return the exit status."""

    def rename() -> None:
        # Imported here: pyarrow would slow down every other command.
        from exemplars.audit.renaming.plan import FileChange, apply_plan, apply_to_params, plan_rename

        skill, parameter = arguments.old
        wanted = Rename(skill, parameter, arguments.new)
        plan = plan_rename(load_section("ingest", IngestParams), wanted)
        text, places = apply_to_params(read_file(PATH).decode(), wanted)
        if places:
            plan = plan._replace(changes=(*plan.changes, FileChange(PATH, places, text.encode())))
        if not arguments.dry_run:
            apply_plan(plan)
        if arguments.format == "json":
            print_json(_build_document(plan))
        else:
            for line in _format_plan(plan, arguments.dry_run):
                print_line(line)

    return run_main(rename)


def _build_document(plan: RenamePlan) -> dict[str, Any]:
    return {
        "old": plan.rename.old,
        "new": plan.rename.new,
        "decisions": plan.decisions,
        "preferences": plan.preferences,
        "changes": [{"path": str(change.path), "places": change.places} for change in plan.changes],
        "mentions": [mention._asdict() for mention in plan.mentions],
    }


def _format_plan(plan: RenamePlan, is_trial: bool) -> Iterator[str]:
    places = sum(change.places for change in plan.changes)
    verb = "would rename" if is_trial else "renamed"
    files = (
        f"{places:,} place{'s' * (places != 1)} in {len(plan.changes):,} file{'s' * (len(plan.changes) != 1)}"
    )
    yield f"{verb} {plan.rename.old} to {plan.rename.new}: {files}"
    for change in plan.changes:
        yield f"  {change.places:>6,}  {change.path}"
    for path, lines in ((REVIEWS, plan.decisions), (RAW_PREFERENCES, plan.preferences)):
        if lines:
            yield f"  {lines:>6,}  {path.as_posix()}"
    if plan.mentions:
        yield "look at these yourself:"
        for mention in plan.mentions:
            line = f"  {mention.place}: {mention.text}"
            yield line if len(line) <= 79 else f"{line[:78]}…"
    if not is_trial:
        yield "next: `dvc repro validate`, then `exemplars diff` shows rows that changed or moved"
