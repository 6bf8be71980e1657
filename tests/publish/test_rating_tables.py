from __future__ import annotations

from exemplars.core.tables import rows_to_table
from exemplars.models.preference_rows import PairSource, PreferencePair
from exemplars.models.rows import Prediction
from stages.publish.cells import Number
from stages.publish.rating_tables import build_judge_rating_table, build_score_rating_table
from tests.preferences.answers import ANSWERS, ROWS


def test_the_table_of_scores_has_the_systems_with_their_intervals_and_a_warning() -> None:
    predictions = rows_to_table(ANSWERS, Prediction)
    table = build_score_rating_table(predictions, {row.id: row.group for row in ROWS})
    assert table.headings == ("system", "Bradley-Terry", "won", "lost", "tied")
    assert [
        (row[0], *(cell.value for cell in row[2:] if isinstance(cell, Number))) for row in table.rows
    ] == [
        ("lora", 1, 1, 1),
        ("tagger", 1, 1, 1),
    ]
    rating = table.rows[0][1]
    assert isinstance(rating, Number) and rating.text.startswith("1,000 (")
    assert table.note.endswith("Warning: 3 groups are fewer than 20: the intervals are too narrow.")


def test_the_table_of_judges_has_elo_too_and_without_judgments_says_how_to_get_some() -> None:
    assert build_judge_rating_table((), {}).empty == (
        "Nobody has compared answers: exemplars judge shows them side by side."
    )
    pair = PreferencePair(
        version=1, id="p", row="d", chosen="x", rejected="y", source=PairSource.JUDGE, chosen_by="a", rejected_by="b"
    )  # fmt: skip
    table = build_judge_rating_table([pair], {"d": "g"})
    assert table.headings == ("system", "Bradley-Terry", "Elo", "won", "lost", "tied")
    assert [row[0] for row in table.rows] == ["a", "b"]
