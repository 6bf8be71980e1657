from __future__ import annotations

import msgspec
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Mode, Reason, Rejection, TextPair
from exemplars.core.representativeness import Association, Balance, Coverage, Representativeness
from exemplars.core.tables import rows_to_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.dataset.texts import make_similarity_text
from stages.validate.inputs import ValidateInputs
from stages.validate.pair_checks import PairCheck, check_pairs, find_similarity_texts
from stages.validate.params import ValidateParams
from stages.validate.suite_tables import (
    AssociationEffect,
    DatasetFigures,
    SkillCounts,
    SourceCounts,
    compute_figures,
    count_skills,
    count_sources,
    list_associations,
)
from tests.validate.rows import ROW, SKILLS

REPRESENTATIVENESS = Representativeness(
    slices=[],
    coverage=[
        Coverage("call", "", "", 5, ()),
        Coverage("call", "who", "", 1, ()),
        Coverage("call", "who", "x", 0, ()),
    ],
    balance=[Balance("skills", 2, 0.9, 1.0)],
    associations=[Association("gender", 4, 0.5, 0.001), Association("age", 4, 0.5, 0.2)],
)


def test_skills_are_counted_with_those_that_have_no_exemplar() -> None:
    quiet = msgspec.structs.replace(ROW, id="s:a#2", skill=None, mode=Mode.NONE)
    catalog = {**SKILLS, "play": Skill("play")}
    assert count_skills(exemplars_to_table([ROW, quiet]), catalog) == [
        SkillCounts("(none)", 1, 0.5),
        SkillCounts("call", 1, 0.5),
        SkillCounts("play", 0, 0.0),
    ]


def test_only_records_with_something_new_count_as_rejected() -> None:
    faults = [
        Rejection("s:a#2", "s", "compile", Reason.VALUE_NOT_FOUND, "x", ROW.origin, "s:a"),
        Rejection("s:a#3", "s", "ingest", Reason.NO_NEW_MEANING, "x", ROW.origin, "s:a"),
        Rejection("s:a#4", "s", "curate", Reason.DUPLICATE_EXEMPLAR, "x", ROW.origin, "s:a"),
        Rejection("t:a#1", "t", "ingest", Reason.MALFORMED_RECORD, "x", ROW.origin, "t:a"),
    ]
    assert count_sources(exemplars_to_table([ROW]), rejections_to_table(faults)) == [
        SourceCounts("s", 2, 1, 1, 0.5),
        SourceCounts("t", 1, 0, 1, 1.0),
    ]
    assert count_sources(exemplars_to_table([ROW]), rejections_to_table(faults), {"t"}) == [
        SourceCounts("s", 2, 1, 1, 0.5)
    ]


def test_a_pair_in_different_splits_crosses() -> None:
    other = msgspec.structs.replace(ROW, id="s:a#2", utterance="Call mum, at home now", exemplar="x")
    pair = TextPair("utterance", "call mum at home", "call mum at home now", 0.9)
    pairs = rows_to_table([pair], TextPair)
    name = "utterance: call mum at home | call mum at home now"
    apart = {"train": exemplars_to_table([ROW]), "test": exemplars_to_table([other])}
    assert check_pairs(pairs, apart) == [PairCheck(name, 0.9, True)]
    together = {"train": exemplars_to_table([ROW, other]), "test": exemplars_to_table([])}
    assert check_pairs(pairs, together) == [PairCheck(name, 0.9, False)]


@given(
    texts=st.lists(st.text(max_size=8) | st.text(st.characters(max_codepoint=127), max_size=8), max_size=8)
)
def test_a_column_is_reduced_as_each_of_its_texts_is(texts: list[str]) -> None:
    reduced = {make_similarity_text(text) for text in texts}
    column = pa.chunked_array([pa.array(texts, pa.string())])
    assert find_similarity_texts(column, {*reduced, "other"}) == reduced
    assert find_similarity_texts(column, {"other"}) == {"other"} & reduced


def test_figures_of_the_dataset_are_computed() -> None:
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
    quiet = msgspec.structs.replace(ROW, id="s:a#2", skill=None, mode=Mode.NONE)
    inputs = ValidateInputs(
        exemplars=exemplars_to_table([ROW, quiet]),
        rejections=rejections_to_table([]),
        skills={},
        pairs=rows_to_table([], TextPair),
        splits={"test": exemplars_to_table([quiet])},
        representativeness=REPRESENTATIVENESS,
        unlabeled_personal=1,
    )
    assert compute_figures(inputs, params) == DatasetFigures(
        figures="dataset",
        thin=1,
        parts=2,
        thin_share=0.5,
        skill_entropy=0.9,
        unlabeled_personal_share=0.5,
        none_rows=1,
        test_rows=1,
    )


def test_an_association_that_may_be_chance_is_left_out() -> None:
    assert list_associations(REPRESENTATIVENESS) == [AssociationEffect("gender", 0.5)]
