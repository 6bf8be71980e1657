from __future__ import annotations

import msgspec
import pytest

from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Reason, Rejection, TextPair
from exemplars.core.tables import rows_to_table
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from stages.validate.facts import (
    DataFacts,
    PairFacts,
    SkillFacts,
    SourceFacts,
    data_facts,
    pair_facts,
    row_facts,
    skill_facts,
    source_facts,
)
from stages.validate.params import ValidateParams
from stages.validate.representativeness import Association, Balance, Coverage, Representativeness

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
    assert skill_facts(exemplars_to_table([ROW, quiet]), catalog) == [
        SkillFacts("(none)", 1, 0.5),
        SkillFacts("call", 1, 0.5),
        SkillFacts("play", 0, 0.0),
    ]


def test_only_records_with_something_new_count_as_rejected() -> None:
    faults = [
        Rejection("s:a#2", "s", "compile", Reason.VALUE_NOT_FOUND, "x", ROW.origin, "s:a"),
        Rejection("s:a#3", "s", "ingest", Reason.NO_NEW_MEANING, "x", ROW.origin, "s:a"),
        Rejection("s:a#4", "s", "curate", Reason.DUPLICATE_EXEMPLAR, "x", ROW.origin, "s:a"),
        Rejection("t:a#1", "t", "ingest", Reason.MALFORMED_RECORD, "x", ROW.origin, "t:a"),
    ]
    assert source_facts(exemplars_to_table([ROW]), rejections_to_table(faults)) == [
        SourceFacts("s", 1, 1, 0.5),
        SourceFacts("t", 0, 1, 1.0),
    ]


def test_a_pair_of_two_splits_crosses() -> None:
    other = msgspec.structs.replace(ROW, id="s:a#2", utterance="Call mum, at home now", exemplar="x")
    pair = TextPair("utterance", "call mum at home", "call mum at home now", 0.9)
    pairs = rows_to_table([pair], TextPair)
    name = "utterance: call mum at home | call mum at home now"
    apart = {"train": exemplars_to_table([ROW]), "test": exemplars_to_table([other])}
    assert pair_facts(pairs, apart) == [PairFacts(name, 0.9, True)]
    together = {"train": exemplars_to_table([ROW, other]), "test": exemplars_to_table([])}
    assert pair_facts(pairs, together) == [PairFacts(name, 0.9, False)]


def test_figures_are_held_against_their_bounds() -> None:
    params = ValidateParams(
        min_exemplars=1,
        max_rejection_rate=1.0,
        min_rows_a_skill=1,
        max_skill_share=1.0,
        max_utterance_length=99,
        min_rows_a_parameter=2,
        max_thin_share=0.4,
        min_skill_entropy=0.7,
        max_association=0.3,
        max_unlabelled_personal_share=0.1,
    )
    about = Representativeness(
        coverage=(
            Coverage("call", "", "", 5),
            Coverage("call", "who", "", 1),
            Coverage("call", "who", "x", 0),
        ),
        balance=(Balance("skills", 0.9),),
        associations=(Association("gender", 0.5, 0.001), Association("age", 0.5, 0.2)),
    )
    assert data_facts(about, 1, 20, params) == [
        DataFacts("share of thin skills and parameters", 0.5, False),
        DataFacts("entropy of skills", 0.9, True),
        DataFacts("unlabelled personal data a row", 0.05, True),
        DataFacts("association of gender with skills", 0.5, False),
        DataFacts("association of age with skills", 0.5, True),
    ]
