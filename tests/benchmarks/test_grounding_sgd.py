from __future__ import annotations

from pathlib import Path

import pytest
from grounding import Score, learn_lexicon, score_split
from sgd_archive import find_archive, unpack_archive

from stages.compile.lexicon import Lexicon

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(find_archive() is None, reason="needs the SGD archive (see docs/sgd.md)"),
]


@pytest.fixture(scope="module")
def sgd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_archive(tmp_path_factory.mktemp("sgd"))


@pytest.fixture(scope="module")
def lexicon(sgd: Path) -> Lexicon:
    return learn_lexicon(sgd)


@pytest.mark.parametrize(("split", "values"), [("train", 28982), ("dev", 5703), ("test", 5778)])
def test_values_as_spoken_are_located_where_sgd_says(
    sgd: Path, lexicon: Lexicon, split: str, values: int
) -> None:
    result = score_split(sgd, split, lexicon, spoken=True)
    assert result.values == values
    assert result.located_share >= 0.99, result
    assert result.right_share >= 0.999, result


def test_canonical_values_of_unseen_dialogues_are_located_where_sgd_says(sgd: Path, lexicon: Lexicon) -> None:
    result = score_split(sgd, "test", lexicon, spoken=False)
    assert result.values == 5778
    assert result.located_share >= 0.90, result
    assert result.right_share >= 0.99, result


def test_without_learned_aliases_fewer_canonical_values_are_located(sgd: Path, lexicon: Lexicon) -> None:
    from exemplars.dataset.recognizers import Recognizers

    without: Score = score_split(sgd, "test", Lexicon(Recognizers()), spoken=False)
    assert without.located < score_split(sgd, "test", lexicon, spoken=False).located
