"""The systems that are compared: the names in `evaluate.compare`, and what each of them means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, UserError, suggest_name, summarize_names
from exemplars.models.run_manifest import ENCODERS, REWARD, TAGGER

KNN: Final = "knn"
CASCADE: Final = "cascade"
BASE: Final = "base"
RETRIEVED: Final = "retrieved"
RUNS: Final = "runs"
"""In `evaluate.compare`: every run that answers, a language model also with its grammar."""
CONSTRAINED: Final = "_constrained"
"""What the name of a system ends with if a grammar constrains its decoding."""


class Role(StrEnum):
    """What a run is for."""

    RETRIEVER = "retriever"
    TAGGER = "tagger"
    LANGUAGE_MODEL = "language_model"
    REWARD = "reward"
    """It scores answers for `rloo`, and gives none."""


class Kind(StrEnum):
    """How a system answers."""

    KNN = "knn"
    TAGGER = "tagger"
    LANGUAGE_MODEL = "language_model"
    CASCADE = "cascade"


class System(NamedTuple):
    """A system that is compared."""

    name: str
    kind: Kind
    run: str | None = None
    """The run that answers; of a cascade the tagger's; `None`: the base model, or no model."""
    fallback: str | None = None
    """The system of a cascade that answers where the tagger hands over."""
    is_constrained: bool = False
    has_examples: bool = False
    """Whether its prompt has the nearest train rows as examples."""


def find_role(method: str) -> Role:
    """Find what a run is for, by the method of its recipe."""
    if method == TAGGER:
        return Role.TAGGER
    if method == REWARD:
        return Role.REWARD
    return Role.RETRIEVER if method in ENCODERS else Role.LANGUAGE_MODEL


def choose_run(roles: Mapping[str, Role], role: Role) -> str | None:
    """Choose the first run with a role; `None` without one."""
    return next((name for name, other in roles.items() if other is role), None)


def choose_systems(compare: Iterable[str], reference: str, roles: Mapping[str, Role]) -> dict[str, System]:
    """Choose the systems that are compared, by name, in the order of `compare`.

    compare, reference: as in the parameters. roles: of the runs, by name, in the order of `train.runs`.
    Raises `UserError` with all names that mean nothing, and if the reference is not among the systems.
    """
    known = {system.name: system for system in _list_systems(roles)}
    answering = [name for name in known if known[name].run in roles and name != CASCADE]
    names = list(dict.fromkeys(name for item in compare for name in (answering if item == RUNS else [item])))
    problems = [
        _report_unknown("evaluate.compare", name, [*known, RUNS]) for name in names if name not in known
    ]
    if reference not in names:
        problems.append(_report_unknown("evaluate.reference", reference, names))
    if problems:
        raise UserError(problems)
    return {name: known[name] for name in names}


def list_names(runs: Iterable[str]) -> list[str]:
    """List all names that `evaluate.compare` may have, whatever the runs are for. runs: their names."""
    roles = dict.fromkeys(runs, Role.LANGUAGE_MODEL)
    return [*(system.name for system in _list_systems(roles)), RUNS, CASCADE]


def _list_systems(roles: Mapping[str, Role]) -> Iterator[System]:
    """List all systems that the runs allow."""
    yield System(KNN, Kind.KNN)
    for name, has_examples in ((BASE, False), (RETRIEVED, True)):
        yield from _list_model_systems(name, None, has_examples)
    for name, role in roles.items():
        if role is Role.TAGGER:
            yield System(name, Kind.TAGGER, name)
        elif role is Role.LANGUAGE_MODEL:
            yield from _list_model_systems(name, name, False)
    tagger, model = choose_run(roles, Role.TAGGER), choose_run(roles, Role.LANGUAGE_MODEL)
    if tagger is not None and model is not None:
        yield System(CASCADE, Kind.CASCADE, tagger, f"{model}{CONSTRAINED}")


def _list_model_systems(name: str, run: str | None, has_examples: bool) -> Iterator[System]:
    for is_constrained, suffix in ((False, ""), (True, CONSTRAINED)):
        yield System(
            f"{name}{suffix}",
            Kind.LANGUAGE_MODEL,
            run,
            is_constrained=is_constrained,
            has_examples=has_examples,
        )


def _report_unknown(place: str, name: str, known: Iterable[str]) -> Diagnostic:
    names = list(known)
    found, expected = f"no system {name!r}", f"one of {summarize_names(names, len(names))}"
    fix = suggest_name(name, names) or "correct it in params.yaml"
    if name == CASCADE:
        found = "cascade without a tagger and a language model"
        fix = "add both to train.runs, or name other systems in evaluate.compare and evaluate.reference"
    return Diagnostic(
        path=f"params.yaml: {place}", code="unknown_system", found=found, expected=expected, fix=fix
    )
