"""The plan of a run: which requests are to be sent, and why no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from exemplars.core.errors import Diagnostic, UserError, suggest_name, summarize_names
from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.generation.cells import (
    Need,
    count_cells,
    fill_up_needs,
    find_needs,
    iterate_batches,
    limit_needs,
    list_cells,
    select_requests,
)
from exemplars.generation.outcomes import ExampleOutcome
from exemplars.generation.requests import AskSettings, ExampleRequest, build_request


class Wanted(NamedTuple):
    """What a person asks for."""

    skills: tuple[str, ...] = ()
    """Empty: those of all thin cells."""
    examples: int = 100
    """Maximum number of examples that wait for a decision, those of earlier runs included."""
    minimum: int = 3
    """A cell with fewer train rows is thin."""


class Plan(NamedTuple):
    """The requests of a run."""

    requests: list[ExampleRequest]
    waiting: int
    """The examples of earlier runs that nobody has decided on."""

    @property
    def examples(self) -> int:
        """The examples that the requests ask for."""
        return sum(request.examples for request in self.requests)


def plan_requests(
    wanted: Wanted,
    settings: AskSettings,
    skills: Sequence[Skill],
    rows: Sequence[Exemplar],
    outcomes: Iterable[ExampleOutcome],
    sent: Collection[str],
) -> Plan:
    """Plan the requests of a run.

    rows: of the train split. outcomes: of all stored examples. sent: the ids of all requests that were sent before.
    Raises `UserError` for a skill that the catalog does not have, and if no cell is thin.
    """
    chosen = _choose_skills(wanted.skills, skills)
    by_name = {skill.name: skill for skill in chosen}
    waiting = Counter(
        example.stored.answer.cell
        for example in outcomes
        if example.is_waiting and example.stored.answer.cell.skill in by_name
    )
    counts = count_cells(rows, by_name)
    count = wanted.examples - waiting.total()
    needs = find_needs(chosen, counts, waiting, wanted.minimum)
    if wanted.skills:
        cells = [cell for skill in chosen for cell in list_cells(skill, counts)]
        needs = fill_up_needs(needs, cells, count)
    elif not needs and not waiting:
        raise UserError([_report_no_thin_cell(wanted.minimum, len(chosen))])
    requests = _build_requests(limit_needs(needs, count), settings, by_name, rows, set(sent))
    return Plan(requests, waiting.total())


def _build_requests(
    needs: Iterable[Need],
    settings: AskSettings,
    skills: Mapping[str, Skill],
    rows: Sequence[Exemplar],
    taken: set[str],
) -> list[ExampleRequest]:
    """Build requests that were never sent, and that differ from each other."""
    requests = []
    shown = _group_shown(rows)
    for need in needs:
        number = 0
        for examples in iterate_batches(need, settings.examples):
            skill = skills[need.cell.skill]
            while True:
                request = build_request(
                    need.cell, skill, shown.get(skill.name, ()), settings, examples, number
                )
                number += 1
                if request.id not in taken:
                    break
            taken.add(request.id)
            requests.append(request)
    return requests


def _group_shown(rows: Iterable[Exemplar]) -> dict[str, list[Exemplar]]:
    groups: dict[str, list[Exemplar]] = {}
    for row in select_requests(rows):
        groups.setdefault(row.skill or "", []).append(row)
    return groups


def _choose_skills(names: Collection[str], skills: Sequence[Skill]) -> list[Skill]:
    known = {skill.name: skill for skill in skills}
    unknown = [
        Diagnostic(
            path="--skill",
            code="unknown_skill",
            found=f"skill {name!r}",
            expected=f"one of {summarize_names(sorted(known), 8)}",
            fix=suggest_name(name, known) or "`exemplars catalog` lists them",
        )
        for name in names
        if name not in known
    ]
    if unknown:
        raise UserError(unknown)
    return [known[name] for name in dict.fromkeys(names)] if names else list(skills)


def _report_no_thin_cell(minimum: int, skills: int) -> Diagnostic:
    if not skills:
        return Diagnostic(
            path="data/exemplars/catalog.json",
            code="empty_catalog",
            summary="the catalog has no skill to ask examples for",
            fix="add a source that defines skills, then run `dvc repro`",
        )
    return Diagnostic(
        path="data/exemplars/catalog.json",
        code="no_thin_cell",
        summary=f"no cell of the catalog is thin: each has at least {minimum:,} train row{'s' * (minimum > 1)}",
        fix="raise --thin, or name a skill by --skill NAME --count N",
    )
