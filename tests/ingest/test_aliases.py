from __future__ import annotations

from exemplars.dataset.recognizers import Instance, Recognizers
from stages.ingest.aliases import learn_aliases


def test_names_in_one_list_are_aliases_in_both_directions() -> None:
    learned = learn_aliases([("city", ("SF", "San Francisco"))])
    assert learned.recognizers["sgd-aliases"].instances == (
        Instance("SF", ("San Francisco",)),
        Instance("San Francisco", ("SF",)),
    )


def test_aliases_are_not_transitive() -> None:
    learned = learn_aliases([("a", ("one x", "two x")), ("a", ("two x", "three x"))])
    by_label = {
        instance.label: instance.expressions for instance in learned.recognizers["sgd-aliases"].instances
    }
    assert by_label["one x"] == ("two x",)


def test_nothing_is_learned_from_dates_times_and_case() -> None:
    variants = [("date", ("March 1st", "today")), ("time", ("5 pm", "17:00")), ("city", ("Rome", "rome"))]
    assert learn_aliases(variants) == Recognizers()
