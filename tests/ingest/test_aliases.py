from __future__ import annotations

from exemplars.dataset.recognizers import Instance, Recognizers
from stages.ingest.aliases import learn_aliases


def test_names_that_stand_in_a_list_together_are_aliases_both_ways() -> None:
    learned = learn_aliases([("city", ("SF", "San Francisco"))])
    assert learned.recognizers["sgd-aliases"].instances == (
        Instance("SF", ("San Francisco",)),
        Instance("San Francisco", ("SF",)),
    )


def test_an_alias_of_an_alias_is_none() -> None:
    learned = learn_aliases([("a", ("one x", "two x")), ("a", ("two x", "three x"))])
    by_label = {one.label: one.expressions for one in learned.recognizers["sgd-aliases"].instances}
    assert by_label["one x"] == ("two x",)


def test_dates_times_and_case_teach_nothing() -> None:
    variants = [("date", ("March 1st", "today")), ("time", ("5 pm", "17:00")), ("city", ("Rome", "rome"))]
    assert learn_aliases(variants) == Recognizers()
