"""What trained models say about turns; about those of train, what models say that have not seen them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import strip_speech
from exemplars.core.records import Exemplar
from exemplars.dataset.recognizers import Recognizer
from exemplars.dataset.speech import write_as_spoken
from exemplars.models.candidates import SaidValue, list_tagged
from exemplars.models.fold_predictions import FoldPrediction
from exemplars.models.turns import TurnRows

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever
    from exemplars.models.tagger.predictor import Tagger

T = TypeVar("T")
Folds = Mapping[str, FoldPrediction]
"""What models of other folds say about train rows, by the id of the row; empty if there are none."""


class TurnModels(NamedTuple):
    """The models and recognizers that prompts are made with; `None` and empty where the parameters name none."""

    retriever: Retriever | None = None
    tagger: Tagger | None = None
    retriever_folds: Mapping[str, FoldPrediction] = {}
    tagger_folds: Mapping[str, FoldPrediction] = {}
    recognizers: Mapping[str, Recognizer] = {}

    def rank_by_retriever(self, turns: Sequence[TurnRows]) -> list[list[str]]:
        """Rank the names of the skills for each turn. Entries of the turn's own group do not count."""

        def rank(others: Sequence[TurnRows]) -> list[list[str]]:
            assert self.retriever is not None
            excluded = [{turn.first.group} for turn in others]
            ranked = self.retriever.rank_skills([turn.question for turn in others], excluded=excluded)
            return [[skill.name for skill in skills] for skills in ranked]

        return _ask(turns, self.retriever_folds, _get_skills, rank)

    def rank_by_tagger(self, turns: Sequence[TurnRows]) -> list[list[str]]:
        """Rank the names of the skills for each turn by how likely the tagger finds them."""

        def rank(others: Sequence[TurnRows]) -> list[list[str]]:
            assert self.tagger is not None
            return self.tagger.rank_skills([turn.question for turn in others])

        return _ask(turns, self.tagger_folds, _get_skills, rank)

    def list_tagged(self, turns: Sequence[TurnRows]) -> list[list[SaidValue]]:
        """List the values of each turn that the tagger marks."""

        def mark(others: Sequence[TurnRows]) -> list[list[SaidValue]]:
            assert self.tagger is not None
            return [list_tagged(answer) for answer in self.tagger.answer([turn.question for turn in others])]

        return _ask(turns, self.tagger_folds, _list_said, mark)


NO_MODELS: Final = TurnModels()


def check_folds(recipe: str, folds: Folds, rows: Iterable[Exemplar]) -> None:
    """Raise `UserError` if the predictions of a run for train rows, if it has any, are not about these rows.

    rows: of the train split.
    """
    if not folds:
        return
    for row in rows:
        fold = folds.get(strip_speech(row.id))
        if fold is None or (fold.digest != row.digest and row.id == fold.id):
            problem = Diagnostic(
                path=str(layout.model(recipe)),
                code="other_rows",
                summary=f"its predictions for train rows are not about {row.id} as it is now",
                fix=f"run `dvc repro train@{recipe}`, then `dvc repro render`",
            )
            raise UserError([problem])


def _ask(
    turns: Sequence[TurnRows],
    folds: Folds,
    read: Callable[[TurnRows, FoldPrediction], T],
    ask: Callable[[Sequence[TurnRows]], list[T]],
) -> list[T]:
    """Answer turns: train rows by reading what the model of another fold said, the others by asking the whole model."""
    known = {turn.id: folds.get(strip_speech(turn.first.id)) for turn in turns}
    others = [turn for turn in turns if known[turn.id] is None]
    asked = iter(ask(others) if others else [])
    return [next(asked) if (fold := known[turn.id]) is None else read(turn, fold) for turn in turns]


def _get_skills(_: TurnRows, fold: FoldPrediction) -> list[str]:
    return list(fold.skills)


def _list_said(turn: TurnRows, fold: FoldPrediction) -> list[SaidValue]:
    """List the marked values of a train row; for its speech view, those that the view says, as it says them."""
    if not turn.is_speech:
        return list(fold.said)
    spoken = [
        msgspec.structs.replace(said, surface=surface) if (surface := write_as_spoken(said.surface)) else said
        for said in fold.said
    ]
    texts = [turn.first.utterance, *(before.utterance for before in turn.first.context)]
    return [said for said in spoken if any(said.surface in text for text in texts)]
