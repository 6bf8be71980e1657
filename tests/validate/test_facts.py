from __future__ import annotations

import msgspec
import pytest

from stages.core.catalog import Parameter, Skill
from stages.core.records import Argument, Exemplar, Grounding, Mode, Origin, Reason, Rejection
from stages.core.tables import exemplar_table, rejection_table
from stages.validate.facts import SkillFacts, SourceFacts, row_facts, skill_facts, source_facts

CALL = Skill("call", parameters=(Parameter("who"), Parameter("kind", enum=("home", "work"))))
SKILLS = {"call": CALL}
WHO = Argument("who", "Mum", "mum", 5, 8, Grounding.CASE)
ROW = Exemplar(
    id="s:a#1",
    digest="d" * 64,
    source="s",
    service=None,
    skill="call",
    mode=Mode.NORMAL,
    utterance="call mum at home",
    exemplar="call <who> at home",
    arguments=(WHO,),
    context=(),
    group="s:a",
    license="MIT",
    origin=Origin("a", "0" * 64, "1"),
)
RULES = (
    "skill_is_known",
    "slots_are_known",
    "values_are_admitted",
    "slots_are_filled_once",
    "spans_are_in_bounds",
    "surfaces_are_exact",
    "spans_are_apart",
    "grounding_fits_span",
    "exemplar_agrees",
)


def broken(row: Exemplar) -> list[str]:
    [facts] = row_facts([row], SKILLS)
    return [rule for rule in RULES if not getattr(facts, rule)]


def changed(argument: Argument, **fields: object) -> tuple[Argument, ...]:
    return (msgspec.structs.replace(argument, **fields),)


def test_a_row_that_keeps_the_contract_breaks_no_rule() -> None:
    assert broken(ROW) == []


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"skill": "ring"}, ["skill_is_known", "slots_are_known"]),
        ({"skill": None}, ["skill_is_known", "slots_are_known"]),
        ({"mode": Mode.NONE}, ["skill_is_known"]),
        ({"arguments": changed(WHO, slot="whom")}, ["values_are_admitted", "exemplar_agrees"]),
        ({"arguments": changed(WHO, slot="kind")}, ["values_are_admitted", "exemplar_agrees"]),
        (
            {"arguments": (WHO, Argument("who", "x", None, None, None, Grounding.CATEGORICAL))},
            ["slots_are_filled_once"],
        ),
        (
            {"arguments": changed(WHO, end=99)},
            ["spans_are_in_bounds", "surfaces_are_exact", "exemplar_agrees"],
        ),
        (
            {"arguments": changed(WHO, start=8, end=5)},
            ["spans_are_in_bounds", "surfaces_are_exact", "exemplar_agrees"],
        ),
        ({"arguments": changed(WHO, surface="Mum")}, ["surfaces_are_exact"]),
        (
            {"arguments": (WHO, Argument("kind", "home", "um", 6, 8, Grounding.VERBATIM))},
            ["spans_are_apart", "exemplar_agrees"],
        ),
        ({"arguments": changed(WHO, grounding=Grounding.CONTEXT)}, ["grounding_fits_span"]),
        ({"exemplar": "call <whom> at home"}, ["exemplar_agrees"]),
    ],
)
def test_a_broken_rule_is_named(change: dict[str, object], rules: list[str]) -> None:
    assert broken(msgspec.structs.replace(ROW, **change)) == rules


def test_skills_are_counted_with_those_that_have_no_exemplar() -> None:
    quiet = msgspec.structs.replace(ROW, id="s:a#2", skill=None, mode=Mode.NONE)
    catalog = {**SKILLS, "play": Skill("play")}
    assert skill_facts(exemplar_table([ROW, quiet]), catalog) == [
        SkillFacts("(none)", 1, 0.5),
        SkillFacts("call", 1, 0.5),
        SkillFacts("play", 0, 0.0),
    ]


def test_only_records_in_scope_count_as_rejected() -> None:
    faults = [
        Rejection("s:a#2", "s", "compile", Reason.VALUE_NOT_FOUND, "x", ROW.origin, "s:a"),
        Rejection("s:a#3", "s", "ingest", Reason.NO_NEW_MEANING, "x", ROW.origin, "s:a"),
        Rejection("t:a#1", "t", "ingest", Reason.MALFORMED_RECORD, "x", ROW.origin, "t:a"),
    ]
    assert source_facts(exemplar_table([ROW]), rejection_table(faults)) == [
        SourceFacts("s", 1, 1, 0.5),
        SourceFacts("t", 0, 1, 1.0),
    ]
