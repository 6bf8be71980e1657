"""What a judge compares: the answers of systems, the rows they are to, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence

from exemplars.core import layout
from exemplars.core.conditions import Condition
from exemplars.core.ids import SPLITS
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.preference_log import list_pairs
from exemplars.models.preference_rows import PreferencePair
from exemplars.preferences.comparisons import read_predictions
from exemplars.preferences.duels import DuelList, list_duels
from exemplars.preferences.preference_file import read_preferences


def read_duels(judge: str, systems: Sequence[str], condition: str) -> tuple[list[PreferencePair], DuelList]:
    """Read the preferences that count, and the duels of a judge.

    Raises `UserError` if there are no predictions, if a table is damaged, or if fewer than two systems are compared.
    """
    columns = ("id", "exemplar_ids", "condition", "system", "kind", "predicted", "shown")
    predictions = read_predictions().select(columns).to_pylist()
    pairs = list_pairs(read_preferences())
    return pairs, list_duels(predictions, _read_exemplars(), pairs, judge, systems, Condition(condition))


def _read_exemplars() -> dict[str, Exemplar]:
    """Read the rows of all splits, by id."""
    paths = [path for path in map(layout.split, SPLITS) if path.exists()]
    return {row.id: row for path in paths for row in exemplars_from_table(read_table(path, EXEMPLAR_SCHEMA))}
