from __future__ import annotations

from exemplars.dataset.row_tables import exemplars_to_table
from stages.split.speech import select_views
from tests.curate.rows import make_row

SPLITS = {
    "train": exemplars_to_table([make_row("1", "Wake me at 5!"), make_row("2", "Call mum.")]),
    "validation": exemplars_to_table([make_row("3", "Play it")]),
    "test": exemplars_to_table([make_row("4", "wake me at five")]),
}
VIEWS = exemplars_to_table(
    [
        make_row("1~speech", "wake me at five"),
        make_row("2~speech", "call mum"),
        make_row("3~speech", "play it"),
        make_row("4~speech", "wake me at five"),
        make_row("5~speech", "a row that leaked"),
    ]
)


def select(*wanted: str) -> list[tuple[str, str]]:
    table = select_views(VIEWS, SPLITS, wanted)
    return list(zip(table.column("id").to_pylist(), table.column("split").to_pylist(), strict=True))


def test_views_are_where_their_rows_are() -> None:
    assert select("test", "validation") == [("s:3~speech", "validation"), ("s:4~speech", "test")]


def test_a_train_view_whose_text_is_held_out_is_left_out() -> None:
    assert select("train") == [("s:2~speech", "train")]


def test_no_split_wanted_means_no_view() -> None:
    assert select() == []
