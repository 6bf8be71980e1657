from __future__ import annotations

import msgspec

from exemplars.core.representativeness import Coverage, Representativeness
from stages.publish.params import CoverageGoals
from stages.publish.shortfalls import CoverageGap, find_shortfalls, measure_gaps
from tests.publish.release import make_release, make_result


def test_a_part_without_enough_exemplars_is_thin_by_the_goal_of_its_kind() -> None:
    coverage = [
        Coverage("call", "", "", 4, ()),
        Coverage("call", "who", "", 1, ()),
        Coverage("call", "device", "", 3, ()),
        Coverage("call", "device", "work", 0, ()),
    ]
    assert measure_gaps(coverage, CoverageGoals(min_rows_a_skill=10, min_rows_a_parameter=2)) == {
        "skills": CoverageGap(1, 1, 6),
        "parameters": CoverageGap(2, 1, 1),
        "values": CoverageGap(1, 1, 2),
    }


def test_shortfalls_are_counted_from_facts_reports_and_tables() -> None:
    facts, inputs = make_release()
    results = [
        make_result("test rows", 40, key="validate.min_test_rows", passed=False, message="40 test rows"),
        make_result("ids", 0, unit="rows", bound=0),
    ]
    inputs = inputs._replace(
        reports={**inputs.reports, "validate": {"results": results}},
        representativeness=Representativeness([], [Coverage("sing", "", "", 0, ())], [], []),
    )
    found = find_shortfalls(facts, inputs)
    assert (found.train_rows, found.test_rows, found.min_test_rows) == (2, 1, 100)
    assert (found.empty_skills, found.untrained_skills) == (("sing",), ())
    assert [result["message"] for result in found.failed] == ["40 test rows"]
    assert [rejection.reason for rejection in found.repairable] == ["value_not_found"]
    assert (found.review, found.undescribed) == ({"conflict": 1}, ("s",))


def test_a_skill_that_only_a_held_out_split_has_is_untrained() -> None:
    facts, inputs = make_release()
    train, test = facts.splits
    replace = msgspec.structs.replace
    held_out = replace(facts, splits=(replace(train, skills={"call": 1}), test))
    assert find_shortfalls(held_out, inputs).untrained_skills == ("play",)
