"""Rows whose text is, or nearly is, in a test set of other people: a model would be tested on its training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import find_user_text
from exemplars.dataset.similar_pairs import find_similar_pairs
from exemplars.dataset.texts import make_equality_key, make_similarity_text, make_spelling_key
from stages.split.foreign_texts import ForeignText

COLUMN_NAMES: Final = {"utterance": "utterance", "exemplar": "template"}
"""The columns whose texts are compared, as people call them."""


def find_contaminated(
    rows: Sequence[Exemplar], texts: Sequence[ForeignText], similarity: float
) -> dict[str, Problem]:
    """Find the rows that are in a test set; return the problem of each, by the row's id.

    A row counts if its utterance or template is equal to a text, in the sense of `make_equality_key` or but for
    spelling, or nearly so. Of a row that follows a tool's result, what the user said before counts.

    texts: of the test sets. similarity: the minimum Jaccard similarity of texts that are nearly the same, as for near
    duplicates.
    """
    return {
        row_id: problem
        for column in reversed(COLUMN_NAMES)
        for row_id, problem in _find_in_column(rows, column, texts, similarity).items()
    }


def _find_in_column(
    rows: Sequence[Exemplar], column: str, texts: Sequence[ForeignText], similarity: float
) -> dict[str, Problem]:
    same: dict[str, ForeignText] = {}
    spelled: dict[str, ForeignText] = {}
    similar: dict[str, ForeignText] = {}
    for text in texts:
        if text.column == column:
            same.setdefault(make_equality_key(text.text), text)
            spelled.setdefault(make_spelling_key(text.text), text)
            similar.setdefault(make_similarity_text(text.text), text)
    if not same:
        return {}
    near = _find_near(rows, column, similar, similarity)
    name = COLUMN_NAMES[column]
    problems: dict[str, Problem] = {}
    for row in rows:
        own = find_user_text(row, column)
        if match := same.get(make_equality_key(own)):
            problems[row.id] = _describe(f"the same {name}", match)
        elif match := spelled.get(make_spelling_key(own)):
            problems[row.id] = _describe(f"the same {name} in another spelling", match)
        elif match := near.get(make_similarity_text(own)):
            problems[row.id] = _describe(f"nearly the same {name}", match)
    return problems


def _find_near(
    rows: Sequence[Exemplar], column: str, similar: Mapping[str, ForeignText], similarity: float
) -> dict[str, ForeignText]:
    """Find the first text of the test sets that each text of a column is nearly the same as."""
    own = {make_similarity_text(find_user_text(row, column)) for row in rows}
    matches: dict[str, list[str]] = defaultdict(list)
    for pair in find_similar_pairs([*own, *similar], similarity):
        for text, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if text in own and other in similar:
                matches[text].append(other)
    near = {text: similar[min(others)] for text, others in matches.items()}
    # Texts without a sign between words are equal here, and differ in the keys above.
    return near | {text: similar[text] for text in own if text in similar}


def _describe(likeness: str, match: ForeignText) -> Problem:
    return Problem(
        Reason.LEAKED,
        found=f"{likeness} as {match.place}, which other people test with",
        fix="to keep this row, remove the set from split.leaks.against",
    )
