from __future__ import annotations

from exemplars.dataset.recognizers import Instance, Recognizers
from stages.ingest.aliases import AliasLearner


def learn_aliases(*variants: tuple[str, ...]) -> Recognizers:
    learner = AliasLearner()
    for ways in variants:
        learner.add([ways])
    return learner.build()


def test_names_in_one_list_are_aliases_in_both_directions() -> None:
    learned = learn_aliases(("SF", "San Francisco"))
    assert learned.recognizers["sgd-aliases"].instances == (
        Instance("SF", ("San Francisco",)),
        Instance("San Francisco", ("SF",)),
    )


def test_aliases_are_not_transitive() -> None:
    learned = learn_aliases(("one x", "two x"), ("two x", "three x"))
    by_label = {
        instance.label: instance.expressions for instance in learned.recognizers["sgd-aliases"].instances
    }
    assert by_label["one x"] == ("two x",)


def test_nothing_is_learned_from_dates_times_and_case() -> None:
    assert learn_aliases(("March 1st", "today"), ("5 pm", "17:00"), ("Rome", "rome")) == Recognizers()
