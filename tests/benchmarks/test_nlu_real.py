from __future__ import annotations

from pathlib import Path

import pytest
from nlu import compile_set, count_outcomes, read_utterances, score_hidden_spans
from real_archive import MISSING, find_archive, unpack_archive

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(find_archive() is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_archive(tmp_path_factory.mktemp("real"))


@pytest.mark.parametrize(
    ("name", "utterances", "exact_share", "reasons"),
    [
        ("snips", 13_784, 0.995, {"duplicate_exemplar": 161, "duplicate_slot": 61}),
        ("rasa", 925, 0.98, {"conflicting_label": 10}),
        ("clinc", 23_700, 0.999, {"conflicting_label": 8, "duplicate_exemplar": 1}),
    ],
)
def test_every_utterance_is_an_exemplar_with_its_spans_or_a_rejection(
    real: Path, tmp_path: Path, name: str, utterances: int, exact_share: float, reasons: dict[str, int]
) -> None:
    outcome = count_outcomes(read_utterances(name, real / name), compile_set(real / name, tmp_path))
    assert (outcome.utterances, outcome.rows, outcome.reasons) == (utterances, utterances, reasons)
    assert outcome.exact_share >= exact_share, outcome


def test_values_are_located_where_snips_says_without_its_spans(real: Path) -> None:
    score = score_hidden_spans(read_utterances("snips", real / "snips"))
    assert score.values == 35_748
    assert score.located_share >= 0.999, score
    assert score.right_share >= 0.999, score
