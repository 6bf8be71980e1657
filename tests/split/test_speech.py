from __future__ import annotations

import msgspec
import pytest

from exemplars.core.ids import SplitName
from exemplars.core.records import TextPair
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table
from stages.split.params import SplitParams
from tests.curate.rows import make_row
from tests.split.splits import split_exemplars

ROWS = exemplars_to_table(
    [
        make_row("1", "Wake me at 5!", split="train"),
        make_row("2", "Call mum.", split="train"),
        make_row("3", "Play it", split="validation"),
        make_row("4", "wake me at five", split="test"),
        make_row("5", "PLAY IT", split="train"),  # It leaks.
    ]
)
VIEWS = exemplars_to_table(
    [
        make_row("1~speech", "wake me at five"),
        make_row("2~speech", "call mum"),
        make_row("3~speech", "play it"),
        make_row("4~speech", "wake me at five"),
        make_row("5~speech", "a row that leaked"),
        make_row("6~speech", "a row that is not there"),
    ]
)


def select(*wanted: SplitName, row_group: int = 8192) -> list[tuple[str, str]]:
    params = msgspec.structs.replace(SplitParams(), speech=wanted)
    table = split_exemplars(ROWS, rows_to_table([], TextPair), params, views=VIEWS, row_group=row_group).views
    return list(zip(table.column("id").to_pylist(), table.column("split").to_pylist(), strict=True))


@pytest.mark.parametrize("row_group", [1, 8192])
def test_views_are_where_their_rows_are(row_group: int) -> None:
    assert select("test", "validation", row_group=row_group) == [
        ("s:3~speech", "validation"),
        ("s:4~speech", "test"),
    ]


@pytest.mark.parametrize("row_group", [1, 8192])
def test_a_train_view_whose_text_is_held_out_is_left_out(row_group: int) -> None:
    assert select("train", row_group=row_group) == [("s:2~speech", "train")]


def test_no_split_wanted_means_no_view() -> None:
    assert select() == []
