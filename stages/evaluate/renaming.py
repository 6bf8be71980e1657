"""A catalog with other names, and the calls and rules that follow: what a name alone gives away."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from exemplars.core.slot_paths import format_path, parse_path
from exemplars.dataset.catalog import Skill
from exemplars.models.copying import CopyRules
from exemplars.models.rows import TargetCall


def mask_catalog(skills: Mapping[str, Skill]) -> dict[str, Skill]:
    """Mask the names of all functions and of their parameters, by the names of the functions."""
    return {
        name: msgspec.structs.replace(
            skills[name],
            name=f"function_{number}",
            parameters=tuple(
                msgspec.structs.replace(parameter, name=f"argument_{place}")
                for place, parameter in enumerate(skills[name].parameters, start=1)
            ),
        )
        for number, name in enumerate(sorted(skills), start=1)
    }


def rename_rules(
    rules: CopyRules | None, skills: Mapping[str, Skill], renamed: Mapping[str, Skill]
) -> CopyRules | None:
    """Rename the parameters of rules for copying. renamed: the skills with other names, by their own."""
    if rules is None:
        return None
    names = {
        (name, parameter.name): (renamed[name].name, other.name)
        for name, skill in skills.items()
        for parameter, other in zip(skill.parameters, renamed[name].parameters, strict=True)
    }
    free = frozenset(names[key] for key in rules.free if key in names)
    return CopyRules(free, {names[key]: values for key, values in rules.values.items() if key in names})


def rename_call(call: TargetCall, skill: Skill, renamed: Skill) -> TargetCall:
    """Rename the function and the parameters of a call. renamed: the skill with other names."""
    names = {
        parameter.name: other.name
        for parameter, other in zip(skill.parameters, renamed.parameters, strict=True)
    }
    answers = tuple(
        msgspec.structs.replace(answer, slot=_rename_path(answer.slot, names)) for answer in call.answers
    )
    return TargetCall(renamed.name, answers)


def _rename_path(path: str, names: Mapping[str, str]) -> str:
    root, *rest = parse_path(path)
    return format_path((names[str(root)], *rest))
